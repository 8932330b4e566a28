using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Bench.Exactness;

/// <summary>A chunk as a model takes it, and the stems that the runtime and float64 make of it.</summary>
internal sealed class ExactChunk
{
    private readonly ModelContract _contract;
    private readonly ModelTensors _tensors;

    /// <param name="contract">The model's contract.</param>
    /// <param name="left">One segment, left channel, as the model takes it.</param>
    /// <param name="right">The same, right channel.</param>
    public ExactChunk(ModelContract contract, ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        if (!contract.Inputs.Concat(contract.Outputs).All(tensor => tensor.IsOwn))
            throw new NotSupportedException("Only models that take and give float32 in the split or the waveform contract are recomputed.");
        _contract = contract;
        _tensors = new ModelTensors(contract);
        left.CopyTo(_tensors.Segment(0).Left);
        right.CopyTo(_tensors.Segment(0).Right);
        if (!contract.HasSpectrograms)
            return;
        SegmentSpectrogram spectrogram = new(contract.SegmentFrames);
        int planes = _tensors.Segment(0).Spectrogram.Length / 2;
        spectrogram.ForwardChannel(_tensors.Segment(0).Left, _tensors.Segment(0).Spectrogram[..planes]);
        spectrogram.ForwardChannel(_tensors.Segment(0).Right, _tensors.Segment(0).Spectrogram[planes..]);
    }

    /// <summary>
    /// A segment of the test's music-like sound or of an audio file's beginning, silent after so many frames, with a number added, brought
    /// to mean 0 and deviation 1.
    /// </summary>
    public static (float[] Left, float[] Right) Music(int segment, string? song, int music, float add)
    {
        float[] left,
            right;
        if (song is null)
        {
            (left, right) = TestSegment.Create(segment);
        }
        else
        {
            left = new float[segment];
            right = new float[segment];
            using StereoTrackReader reader = StereoTrackReader.Open(new TrackSource(Path.GetFullPath(song)), DemucsAudio.SampleRate);
            for (int done = 0, count; done < segment && (count = reader.Read(left.AsSpan(done), right.AsSpan(done))) > 0;)
                done += count;
        }
        foreach (float[] channel in new[] { left, right })
        {
            channel.AsSpan(Math.Min(music, segment)).Clear();
            foreach (ref float sample in channel.AsSpan())
                sample += add;
        }
        Normalize(left, right);
        return (left, right);
    }

    /// <summary>Brings a track to mean 0 and deviation 1, where it is.</summary>
    /// <returns>Its mean and its deviation.</returns>
    public static (double Mean, double Deviation) Normalize(Span<float> left, Span<float> right)
    {
        double mean = 0,
            square = 0;
        for (int i = 0; i < left.Length; i++)
            mean += ((double)left[i] + right[i]) / 2 / left.Length;
        for (int i = 0; i < left.Length; i++)
            square += Math.Pow(((double)left[i] + right[i]) / 2 - mean, 2);
        double deviation = Math.Sqrt(square / (left.Length - 1)) + 1e-8;
        for (int i = 0; i < left.Length; i++)
        {
            left[i] = (float)((left[i] - mean) / deviation);
            right[i] = (float)((right[i] - mean) / deviation);
        }
        return (mean, deviation);
    }

    /// <summary>What the graph takes, in float64.</summary>
    public Dictionary<string, ExactTensor> Inputs() =>
        _contract.Inputs.ToDictionary(
            input => input.Name,
            input =>
                ExactTensor.Float(
                    Doubles(input.Role == TensorRole.Spectrogram ? _tensors.Segment(0).Spectrogram : [.. _tensors.Segment(0).Left, .. _tensors.Segment(0).Right]),
                    input.Shape
                )
        );

    /// <summary>Left and right of each stem as the runtime computes them.</summary>
    public float[][] Stems(SeparationModel model)
    {
        _tensors.ExchangeOutputs(new ModelTensors(_contract));
        model.Run(_tensors, CancellationToken.None);
        return Joined(
            (stem, channel) => _tensors.Segment(0).StemWaveform(stem, channel),
            stem => _tensors.Segment(0).HasStemSpectrograms ? _tensors.Segment(0).StemSpectrogram(stem) : []
        );
    }

    /// <summary>Left and right of each stem as float64 computes them.</summary>
    public float[][] Stems(ExactGraph graph)
    {
        Dictionary<string, ExactTensor> outputs = graph.Run(Inputs(), null);
        float[] waveforms = [],
            spectrograms = [];
        foreach (ContractTensor output in _contract.Outputs)
        {
            if (output.Role == TensorRole.StemWaveform)
                waveforms = outputs[output.Name].ToSingles();
            else
                spectrograms = outputs[output.Name].ToSingles();
        }
        int frames = _contract.SegmentFrames,
            planes = spectrograms.Length / _contract.Stems.Count;
        return Joined(
            (stem, channel) => waveforms.AsSpan((2 * stem + channel) * frames, frames),
            stem => spectrograms.AsSpan(stem * planes, planes)
        );
    }

    private delegate ReadOnlySpan<float> Waveform(int stem, int channel);

    private delegate ReadOnlySpan<float> Spectrogram(int stem);

    private float[][] Joined(Waveform waveform, Spectrogram spectrogram)
    {
        SegmentSpectrogram transform = new(_contract.SegmentFrames);
        float[][] stems = new float[2 * _contract.Stems.Count][];
        for (int i = 0; i < stems.Length; i++)
        {
            stems[i] = waveform(i / 2, i % 2).ToArray();
            ReadOnlySpan<float> planes = spectrogram(i / 2);
            if (!planes.IsEmpty)
                transform.AddInverseChannel(planes.Slice(i % 2 * planes.Length / 2, planes.Length / 2), stems[i]);
        }
        return stems;
    }

    private static double[] Doubles(ReadOnlySpan<float> values)
    {
        double[] result = new double[values.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = values[i];
        return result;
    }
}
