using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tests.Separation;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Tests.Tracks;

/// <summary>The stages put together in code, on a model that multiplies.</summary>
internal static class StageChain
{
    public static ModelBag Bag(TemporaryFolder folder, byte[]? model = null, string name = "model")
    {
        File.WriteAllBytes(folder[name + ".onnx"], model ?? SmallModels.Split());
        return ModelBag.Load([ModelSource.Find(folder[name + ".onnx"])], null, new OnnxSessionOptions());
    }

    public static AudioTrack Track(int frames, int seed, string name = "noise")
    {
        MemoryTrack noise = MemoryTrack.Noise(frames, seed);
        return AudioTrack.FromSamples(name, noise.Left, noise.Right);
    }

    public static IEnumerable<StemChunk> Separate(
        ModelBag bag,
        IEnumerable<AudioChunk> chunks,
        int jobs = 1,
        IReadOnlyCollection<string>? stems = null
    )
    {
        using ChunkSeparator separator = new(bag, stems, jobs, 0, CancellationToken.None);
        foreach (AudioChunk chunk in chunks)
        {
            if (separator.IsFull)
            {
                foreach (StemChunk stem in separator.Take().Stems)
                    yield return stem;
            }
            separator.Start(chunk);
        }
        while (separator.Count > 0)
        {
            foreach (StemChunk stem in separator.Take().Stems)
                yield return stem;
        }
    }

    public static List<Stem> Join(IEnumerable<StemChunk> chunks, double transitionPower = 1)
    {
        StemJoiner joiner = new(transitionPower);
        List<Stem> stems = [.. chunks.Select(joiner.Add).OfType<Stem>()];
        Assert.Empty(joiner.Complete());
        return stems;
    }

    /// <summary>What the streaming route gives for the same track.</summary>
    public static float[][] Stream(ModelBag bag, AudioTrack track, SeparationOptions options)
    {
        StemMatrix all = StemMatrix.Choose(bag.Contract.Stems, null);
        MemorySink sink = new(all.Names.Count);
        MemoryTrack source = new(track.Samples(0).ToArray(), track.Samples(1).ToArray());
        new Separator(bag, all, options).Separate(
            source,
            "track",
            TrackStatistics.Measure(source.Restarted(), "track"),
            sink,
            null,
            CancellationToken.None
        );
        return [.. Enumerable.Range(0, all.Names.Count).Select(sink.Interleaved)];
    }

    public static float[] Interleaved(Stem stem)
    {
        float[] samples = new float[2 * stem.Frames];
        for (int i = 0; i < samples.Length; i++)
            samples[i] = stem.GetSample(i % 2, i / 2);
        return samples;
    }
}
