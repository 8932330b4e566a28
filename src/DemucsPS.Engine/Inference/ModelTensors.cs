using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// The input and output tensors of one run of a model, in C order: allocated once, reused for chunk after chunk. Not thread-safe.
/// </summary>
/// <remarks>
/// About 70 MB for a four-stem htdemucs. The memory is pinned for good, so a run pins nothing and the heap is not fragmented; and it is aligned, because
/// the runtime's sums depend in their last bit on where in a cache line their input starts, and results must not depend on which job a chunk got.
/// </remarks>
public sealed class ModelTensors
{
    private const int Alignment = 64;

    private readonly Memory<float> _waveform;
    private readonly Memory<float> _spectrogram;
    private readonly Memory<float> _stemSpectrogram;
    private readonly Memory<float> _stemWaveform;
    private readonly int _segment;
    private readonly int _plane;

    /// <summary>Allocates the tensors of a contract.</summary>
    public ModelTensors(ModelContract contract)
    {
        _segment = contract.SegmentFrames;
        _plane = SegmentSpectrogram.Planes * SegmentSpectrogram.Bins * contract.SpectrogramFrames;
        _waveform = Allocate(2 * _segment);
        _spectrogram = Allocate(_plane);
        _stemSpectrogram = Allocate(contract.Stems.Count * _plane);
        _stemWaveform = Allocate(contract.Stems.Count * 2 * _segment);

    }

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

    /// <summary>Input waveform, left channel: L samples.</summary>
    public Span<float> Left => _waveform.Span[.._segment];

    /// <summary>Input waveform, right channel: L samples.</summary>
    public Span<float> Right => _waveform.Span.Slice(_segment, _segment);

    /// <summary>Input spectrogram, [4][2048][T].</summary>
    public Span<float> Spectrogram => _spectrogram.Span;

    internal Memory<float> WaveformMemory => _waveform;

    internal Memory<float> SpectrogramMemory => _spectrogram;

    internal Memory<float> StemSpectrogramMemory => _stemSpectrogram;

    internal Memory<float> StemWaveformMemory => _stemWaveform;

    /// <summary>Output spectrogram of one stem (the frequency branch), [4][2048][T].</summary>
    /// <param name="stem">The stem's number in the model.</param>
    public ReadOnlySpan<float> StemSpectrogram(int stem) => _stemSpectrogram.Span.Slice(stem * _plane, _plane);

    /// <summary>Output waveform of one stem (the time branch), L samples of one channel.</summary>
    /// <param name="stem">The stem's number in the model.</param>
    /// <param name="channel">0 left, 1 right.</param>
    public ReadOnlySpan<float> StemWaveform(int stem, int channel) => _stemWaveform.Span.Slice((2 * stem + channel) * _segment, _segment);
}
