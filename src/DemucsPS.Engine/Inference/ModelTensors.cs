using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// The input and output tensors of one run of a model, in C order: each allocated at its first use, reused for chunk after chunk. Not thread-safe.
/// </summary>
/// <remarks>
/// About 70 MB for a four-stem htdemucs. The memory is pinned for good, so a run pins nothing and the heap is not fragmented; and it is aligned, because
/// the runtime's sums depend in their last bit on where in a cache line their input starts, and results must not depend on which job a chunk got.
/// </remarks>
public sealed class ModelTensors
{
    private const int Alignment = 64;

    private readonly int _segment;
    private readonly int _stems;
    private readonly int _plane;
    private Memory<float> _waveform;
    private Memory<float> _spectrogram;
    private Memory<float> _stemSpectrogram;
    private Memory<float> _stemWaveform;

    /// <summary>Tensors of a contract.</summary>
    public ModelTensors(ModelContract contract)
    {
        _segment = contract.SegmentFrames;
        _stems = contract.Stems.Count;
        _plane = SegmentSpectrogram.Planes * SegmentSpectrogram.Bins * contract.SpectrogramFrames;
    }

    /// <summary>Input waveform, left channel: L samples.</summary>
    public Span<float> Left => WaveformMemory.Span[.._segment];

    /// <summary>Input waveform, right channel: L samples.</summary>
    public Span<float> Right => WaveformMemory.Span.Slice(_segment, _segment);

    /// <summary>Input spectrogram, [4][2048][T].</summary>
    public Span<float> Spectrogram => SpectrogramMemory.Span;

    internal Memory<float> WaveformMemory => Use(ref _waveform, 2 * _segment);

    internal Memory<float> SpectrogramMemory => Use(ref _spectrogram, _plane);

    internal Memory<float> StemSpectrogramMemory => Use(ref _stemSpectrogram, _stems * _plane);

    internal Memory<float> StemWaveformMemory => Use(ref _stemWaveform, _stems * 2 * _segment);

    /// <summary>Output spectrogram of one stem (the frequency branch), [4][2048][T].</summary>
    /// <param name="stem">The stem's number in the model.</param>
    public ReadOnlySpan<float> StemSpectrogram(int stem) => StemSpectrogramMemory.Span.Slice(stem * _plane, _plane);

    /// <summary>Output waveform of one stem (the time branch), L samples of one channel.</summary>
    /// <param name="stem">The stem's number in the model.</param>
    /// <param name="channel">0 left, 1 right.</param>
    public ReadOnlySpan<float> StemWaveform(int stem, int channel) => StemWaveformMemory.Span.Slice((2 * stem + channel) * _segment, _segment);

    /// <summary>Exchanges the outputs, not the inputs, with tensors of the same contract: inputs can then be filled while the outputs are another run's.</summary>
    public void ExchangeOutputs(ModelTensors other)
    {
        (_stemSpectrogram, other._stemSpectrogram) = (other._stemSpectrogram, _stemSpectrogram);
        (_stemWaveform, other._stemWaveform) = (other._stemWaveform, _stemWaveform);
    }

    private static Memory<float> Use(ref Memory<float> tensor, int length) => tensor.IsEmpty ? tensor = Allocate(length) : tensor;

    private static unsafe Memory<float> Allocate(int length)
    {
        const int Slack = Alignment / sizeof(float);
        float[] array = GC.AllocateUninitializedArray<float>(length + Slack, pinned: true);
        fixed (float* first = array)
        {
            int skip = (int)((Alignment - (nuint)first % Alignment) % Alignment) / sizeof(float);
            return array.AsMemory(skip, length);
        }
    }
}
