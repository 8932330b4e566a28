using BenchmarkDotNet.Attributes;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Chunking;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Bench;

/// <summary>What is done around the runtime for one chunk of htdemucs' length and four stems, part by part.</summary>
[MemoryDiagnoser]
public class StageBenchmarks : IDisposable
{
    private readonly string _mix = Path.GetTempFileName();
    private readonly string _stem = Path.GetTempFileName();
    private SegmentSpectrogram _spectrogram = null!;
    private OverlapAdder _adder = null!;
    private float[] _left = [],
        _right = [],
        _tensor = [],
        _interleaved = [];

    /// <summary>Frames of a chunk.</summary>
    [Params(343_980)]
    public int Segment { get; set; } = 343_980;

    /// <summary>Stems of the model.</summary>
    [Params(4)]
    public int Stems { get; set; } = 4;

    /// <summary>Allocates buffers and fills them with noise.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _spectrogram = new SegmentSpectrogram(Segment);
        // One for all chunks, as in a separation.
        _adder = new OverlapAdder(2 * Stems, TransitionWeights.Create(Segment));
        _left = Noise(Segment);
        _right = Noise(Segment);
        _interleaved = Noise(2 * Segment);
        _tensor = new float[_spectrogram.TensorLength];
        _spectrogram.Forward(_left, _right, _tensor);
        Write(_mix, WavSampleFormat.Float32);
    }

    /// <summary>The spectrogram of the mix.</summary>
    [Benchmark]
    public void Stft() => _spectrogram.Forward(_left, _right, _tensor);

    /// <summary>The inverse spectrograms of all stems.</summary>
    [Benchmark]
    public void InverseStft()
    {
        for (int stem = 0; stem < Stems; stem++)
            _spectrogram.AddInverse(_tensor, _left, _right, 1e-6f);
    }

    /// <summary>Weighting and summing all stems' chunks, and reading what is complete.</summary>
    [Benchmark]
    public void Blend()
    {
        _adder.AddWeights(_adder.Start, Segment);
        for (int signal = 0; signal < 2 * Stems; signal++)
        {
            _adder.AddSignal(signal, _adder.Start, _left);
            _adder.Read(signal, _adder.Start, _right);
        }
        _adder.Advance(Segment);
    }

    /// <summary>Reading a chunk of a stereo WAV file of 32-bit floats.</summary>
    [Benchmark]
    public void WavIn()
    {
        using AudioReader reader = AudioFile.Open(_mix);
        while (reader.Read(_interleaved) > 0)
            continue;
    }

    /// <summary>Writing a chunk of all stems as WAV files of 16 bits.</summary>
    [Benchmark]
    public void WavOut()
    {
        for (int stem = 0; stem < Stems; stem++)
            Write(_stem, WavSampleFormat.Pcm16);
    }

    /// <inheritdoc/>
    [GlobalCleanup]
    public void Dispose()
    {
        File.Delete(_mix);
        File.Delete(_stem);
        GC.SuppressFinalize(this);
    }

    private static float[] Noise(int length)
    {
        Random random = new(1);
        float[] samples = new float[length];
        for (int i = 0; i < length; i++)
            samples[i] = random.NextSingle() - 0.5f;
        return samples;
    }

    private void Write(string path, WavSampleFormat format)
    {
        File.Delete(path);
        using WavWriter writer = WavWriter.Create(path, 44_100, 2, format);
        writer.Write(_interleaved);
        writer.Complete();
    }
}
