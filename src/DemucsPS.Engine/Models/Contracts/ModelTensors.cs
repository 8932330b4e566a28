using System.Runtime.InteropServices;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Models.Contracts;

/// <summary>
/// The inputs and outputs of one run of a model, float32 in C order whatever the model's own tensors are: each allocated at its first
/// use, and reused for chunk after chunk and for all models of a bag. Of the segments that are computed at once, each has a
/// <see cref="SegmentTensors"/>. Not thread-safe, except that inputs may be filled, once allocated, and what a run gave be read by several
/// threads.
/// </summary>
/// <remarks>
/// About 70 MB for a four-stem htdemucs of float32 in the split contract, which the runtime reads and writes directly; 14 MB if it takes
/// and gives waveforms only. Tensors of other types or layouts come on top and are converted before and after a run. The memory is pinned
/// for good, so a run pins nothing and the heap is not fragmented; and it is aligned, because the runtime's sums depend in their last bit
/// on where in a cache line their input starts, and results must not depend on which job a chunk got.
/// </remarks>
internal sealed class ModelTensors
{
    private const int Alignment = 64;

    private readonly int _batch;
    private readonly int _segment;
    private readonly int _stems;
    private readonly int _plane;
    private readonly Buffers _inputs = new();
    private Buffers _outputs = new();

    /// <summary>Tensors for a contract, and for others with as many stems and frames.</summary>
    /// <param name="contract">The contract.</param>
    /// <param name="batch">Segments that are computed at once.</param>
    public ModelTensors(ModelContract contract, int batch = 1)
    {
        _batch = batch;
        _segment = contract.SegmentFrames;
        _stems = contract.Stems.Count;
        _plane = SegmentSpectrogram.Bins * contract.SpectrogramFrames;
    }

    /// <summary>Whether the last run gave spectrograms.</summary>
    public bool HasStemSpectrograms { get; private set; }

    /// <summary>The part of one segment.</summary>
    /// <param name="place">Its place among those that are computed at once, from 0.</param>
    public SegmentTensors Segment(int place) => new(this, place);

    /// <summary>Allocates the inputs, silent, which several threads may then fill.</summary>
    /// <param name="spectrograms">Whether models take spectrograms.</param>
    public void AllocateInputs(bool spectrograms)
    {
        Own(TensorRole.Waveform).Span.Clear();
        if (spectrograms)
            Own(TensorRole.Spectrogram).Span.Clear();
    }

    /// <summary>What a run gave for one stem of a segment.</summary>
    internal ReadOnlySpan<float> StemOf(TensorRole role, int place, int stem)
    {
        Span<float> all = Of(role, place);
        int length = all.Length / _stems;
        return all.Slice(stem * length, length);
    }

    /// <summary>The values of one segment.</summary>
    internal Span<float> Of(TensorRole role, int place)
    {
        Span<float> all = Own(role).Span;
        int length = all.Length / _batch;
        return all.Slice(place * length, length);
    }

    /// <summary>A model's input, with the values that are here.</summary>
    internal OnnxTensor Input(ContractTensor tensor)
    {
        OnnxTensor native = Native(tensor);
        ReadOnlySpan<float> values = Own(tensor.Role).Span;
        if (!tensor.IsOwn && tensor.ElementType == OnnxElementType.Float32)
            Pack(
                tensor.Layout,
                values,
                _inputs.Singles[(tensor.Role, tensor.Layout)].Span,
                static (source, target) => source.CopyTo(target),
                static value => value
            );
        else if (!tensor.IsOwn)
            Pack(tensor.Layout, values, _inputs.Halves[(tensor.Role, tensor.Layout)].Span, HalfConversion.ToHalf, static value =>
                (Half)value
            );
        return native;
    }

    /// <summary>Memory for a model's output; see <see cref="Take"/>.</summary>
    internal OnnxTensor Output(ContractTensor tensor) => Native(tensor);

    /// <summary>Takes over what a run has written into <see cref="Output"/>.</summary>
    internal void Take(IReadOnlyList<ContractTensor> outputs)
    {
        HasStemSpectrograms = outputs.Any(o => o.Role == TensorRole.StemSpectrogram);
        foreach (ContractTensor tensor in outputs)
        {
            Span<float> values = Own(tensor.Role).Span;
            if (!tensor.IsOwn && tensor.ElementType == OnnxElementType.Float32)
                Unpack(
                    tensor.Layout,
                    _outputs.Singles[(tensor.Role, tensor.Layout)].Span,
                    values,
                    static (source, target) => source.CopyTo(target),
                    static value => value
                );
            else if (!tensor.IsOwn)
                Unpack(tensor.Layout, _outputs.Halves[(tensor.Role, tensor.Layout)].Span, values, HalfConversion.ToSingle, static value =>
                    (float)value
                );
        }
    }

    /// <summary>
    /// Exchanges the outputs, not the inputs, with tensors of the same contract: inputs can then be filled while the outputs are another
    /// run's.
    /// </summary>
    public void ExchangeOutputs(ModelTensors other) => (_outputs, other._outputs) = (other._outputs, _outputs);

    private OnnxTensor Native(ContractTensor tensor)
    {
        long[] shape = [_batch, .. tensor.Shape[1..]];
        if (tensor.IsOwn)
            return OnnxTensor.Create(tensor.Name, Own(tensor.Role), shape);
        Buffers buffers = BuffersOf(tensor.Role);
        (TensorRole, TensorLayout) key = (tensor.Role, tensor.Layout);
        return tensor.ElementType == OnnxElementType.Float32
            ? OnnxTensor.Create(tensor.Name, Kept(buffers.Singles, key, _batch * tensor.Length), shape)
            : OnnxTensor.Create(tensor.Name, Kept(buffers.Halves, key, _batch * tensor.Length), shape);
    }

    private delegate void Conversion<TFrom, TTo>(ReadOnlySpan<TFrom> source, Span<TTo> target);

    private void Pack<T>(
        TensorLayout layout,
        ReadOnlySpan<float> own,
        Span<T> native,
        Conversion<float, T> convert,
        Func<float, T> convertOne
    )
    {
        if (layout == TensorLayout.Whole)
        {
            convert(own, native);
            return;
        }
        for (int channel = 0; channel < own.Length / (2 * _plane); channel++)
        {
            ReadOnlySpan<float> real = own.Slice(2 * channel * _plane, _plane),
                imaginary = own.Slice((2 * channel + 1) * _plane, _plane);
            if (layout != TensorLayout.PartsLast)
            {
                convert(layout == TensorLayout.Real ? real : imaginary, native.Slice(channel * _plane, _plane));
                continue;
            }
            Span<T> pairs = native.Slice(2 * channel * _plane, 2 * _plane);
            for (int i = 0; i < _plane; i++)
            {
                pairs[2 * i] = convertOne(real[i]);
                pairs[2 * i + 1] = convertOne(imaginary[i]);
            }
        }
    }

    private void Unpack<T>(
        TensorLayout layout,
        ReadOnlySpan<T> native,
        Span<float> own,
        Conversion<T, float> convert,
        Func<T, float> convertOne
    )
    {
        if (layout == TensorLayout.Whole)
        {
            convert(native, own);
            return;
        }
        for (int channel = 0; channel < own.Length / (2 * _plane); channel++)
        {
            Span<float> real = own.Slice(2 * channel * _plane, _plane),
                imaginary = own.Slice((2 * channel + 1) * _plane, _plane);
            if (layout != TensorLayout.PartsLast)
            {
                convert(native.Slice(channel * _plane, _plane), layout == TensorLayout.Real ? real : imaginary);
                continue;
            }
            ReadOnlySpan<T> pairs = native.Slice(2 * channel * _plane, 2 * _plane);
            for (int i = 0; i < _plane; i++)
            {
                real[i] = convertOne(pairs[2 * i]);
                imaginary[i] = convertOne(pairs[2 * i + 1]);
            }
        }
    }

    private Buffers BuffersOf(TensorRole role) => role is TensorRole.Waveform or TensorRole.Spectrogram ? _inputs : _outputs;

    private Memory<float> Own(TensorRole role)
    {
        Buffers buffers = BuffersOf(role);
        return role switch
        {
            TensorRole.Waveform => Use(ref buffers.Waveform, 2 * _segment),
            TensorRole.Spectrogram => Use(ref buffers.Spectrogram, SegmentSpectrogram.Planes * _plane),
            TensorRole.StemWaveform => Use(ref buffers.Waveform, _stems * 2 * _segment),
            _ => Use(ref buffers.Spectrogram, _stems * SegmentSpectrogram.Planes * _plane),
        };
    }

    private Memory<float> Use(ref Memory<float> memory, int length) =>
        memory.IsEmpty ? memory = Allocate<float>(_batch * length) : memory;

    private static Memory<T> Kept<T>(Dictionary<(TensorRole, TensorLayout), Memory<T>> memories, (TensorRole, TensorLayout) key, int length)
        where T : unmanaged
    {
        ref Memory<T> memory = ref CollectionsMarshal.GetValueRefOrAddDefault(memories, key, out bool exists);
        return exists ? memory : memory = Allocate<T>(length);
    }

    private static unsafe Memory<T> Allocate<T>(int length)
        where T : unmanaged
    {
        T[] array = GC.AllocateUninitializedArray<T>(length + Alignment / sizeof(T), pinned: true);
        fixed (T* first = array)
        {
            int skip = (int)((Alignment - (nuint)first % Alignment) % Alignment) / sizeof(T);
            return array.AsMemory(skip, length);
        }
    }

    /// <summary>What goes in, or what comes out: in the order of this class, and in the forms of the models that differ from it.</summary>
    private sealed class Buffers
    {
        public Memory<float> Waveform,
            Spectrogram;

        public readonly Dictionary<(TensorRole, TensorLayout), Memory<float>> Singles = [];

        public readonly Dictionary<(TensorRole, TensorLayout), Memory<Half>> Halves = [];
    }
}
