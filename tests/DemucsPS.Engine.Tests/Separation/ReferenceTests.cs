using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>The whole chain against the official PyTorch pipeline.</summary>
public sealed class ReferenceTests(ITestOutputHelper output)
{
    /// <summary>A folder with the real-size model (htdemucs.onnx and its unpacked .data file), for the one case that needs it.</summary>
    private const string RealModelVariable = "DEMUCSPS_REFERENCE_MODELS";

    [Theory]
    [InlineData("song-overlap25")]
    [InlineData("song-overlap05")]
    [InlineData("short")]
    [InlineData("exact-segment")]
    [InlineData("one-frame-over")]
    [InlineData("quiet-offset")]
    [InlineData("six-stems")]
    [InlineData("one-shift")]
    [InlineData("two-shifts")]
    [InlineData("bag-of-two")]
    public void A_tiny_model_gives_the_official_stems(string name) => Check(ReferenceCase.Load(name), RepositoryFiles.Reference("models"));

    [Fact]
    public void The_real_size_model_gives_the_official_stems()
    {
        string? folder = Environment.GetEnvironmentVariable(RealModelVariable);
        if (string.IsNullOrEmpty(folder))
            Assert.Skip($"The real-size model is not in the repository; set {RealModelVariable} to a folder that holds htdemucs.onnx and htdemucs.onnx.data.");
        Check(ReferenceCase.Load("full-song"), folder);
    }

    private void Check(ReferenceCase expected, string modelFolder)
    {
        MemoryTrack track = expected.Input();
        using ModelBag bag = ModelBag.Load([.. expected.Models.Select(m => ModelSource.Find(Path.Combine(modelFolder, m)))], expected.Weights, new OnnxSessionOptions());
        Assert.Equal(expected.Stems, bag.Contract.Stems);
        StemSelection selection = StemSelection.Choose(bag.Contract.Stems, null);
        Separator separator = new(bag, selection, new SeparationOptions { Overlap = expected.Overlap, ShiftOffsets = expected.ShiftOffsets });
        TrackStatistics statistics = TrackStatistics.Measure(track.Restarted(), "song");
        MemorySink sink = new(selection.Names.Count);
        separator.Separate(track, "song", statistics, sink, null, CancellationToken.None);

        for (int stem = 0; stem < expected.Stems.Length; stem++)
        {
            float[] samples = sink.Interleaved(stem);
            Assert.Equal(2 * track.Frames, samples.Length);
            float[] got = new float[2 * expected.Probes];
            for (int channel = 0; channel < 2; channel++)
            {
                for (int probe = 0; probe < expected.Probes; probe++)
                    got[channel * expected.Probes + probe] = samples[2 * probe * expected.ProbeStep + channel];
            }
            double snr = Decibels.Snr(expected.Values.AsSpan(stem * got.Length, got.Length), got);
            output.WriteLine($"{expected.Name} {expected.Stems[stem]}: {snr:F1} dB");
            Assert.InRange(snr, 65, double.PositiveInfinity);
        }
    }
}
