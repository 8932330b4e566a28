using DemucsPS.Bench.Exactness;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>
/// The whole separation of a track by the formulas of Demucs (demucs.separate and apply_model), with the exported graph and all sums in
/// float64: what the product is compared with where the
/// official code's figures are not known. Ten seconds of processor time a chunk of a tiny model.
/// </summary>
internal static class ExactSeparation
{
    /// <summary>Left and right of each stem.</summary>
    public static double[][] Separate(ModelSource source, MemoryTrack track, double overlap)
    {
        using SeparationModel model = SeparationModel.Load(source, new OnnxSessionOptions());
        ModelContract contract = model.Contract;
        GraphModel graph = GraphModel.Parse(File.ReadAllBytes(source.Path!));
        // What the exporter computed in float32 is no part of what the model means.
        PositionEmbeddings.Apply(graph, null);
        ExactGraph exact = new(graph, "");
        float[] left = [.. track.Left],
            right = [.. track.Right];
        (double mean, double deviation) = ExactChunk.Normalize(left, right);

        int segment = contract.SegmentFrames,
            stride = (int)((1 - overlap) * segment),
            frames = track.Frames;
        double[][] stems = [.. Enumerable.Range(0, 2 * contract.Stems.Count).Select(_ => new double[frames])];
        double[] weights = new double[frames];
        for (int offset = 0; offset < frames; offset += stride)
        {
            int length = Math.Min(segment, frames - offset),
                before = (segment - length) / 2;
            float[][] chunk = new ExactChunk(
                contract,
                Padded(left, offset - before, segment),
                Padded(right, offset - before, segment)
            ).Stems(exact);
            for (int i = 0; i < length; i++)
            {
                double weight = Math.Min(i + 1, segment - i);
                weights[offset + i] += weight;
                for (int channel = 0; channel < stems.Length; channel++)
                    stems[channel][offset + i] += weight * chunk[channel][before + i];
            }
        }
        foreach (double[] channel in stems)
        {
            for (int i = 0; i < frames; i++)
                channel[i] = channel[i] / weights[i] * deviation + mean;
        }
        return stems;
    }

    private static float[] Padded(float[] samples, int start, int count)
    {
        float[] padded = new float[count];
        int first = Math.Max(0, start),
            end = Math.Min(samples.Length, start + count);
        samples.AsSpan(first..end).CopyTo(padded.AsSpan(first - start));
        return padded;
    }
}
