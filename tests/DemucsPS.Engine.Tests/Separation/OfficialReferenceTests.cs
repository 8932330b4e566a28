using System.Globalization;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>
/// The whole chain with prepared exports of models whose every branch reaches the stems, against what the official code computes in
/// float64; beside it stands how far the official code in
/// float32 is from that.
/// </summary>
public sealed class OfficialReferenceTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("short", "tiny")]
    [InlineData("zeros-after", "tiny")]
    [LongInlineData("song-overlap25", "tiny")]
    [LongInlineData("song-overlap05", "tiny")]
    [LongInlineData("one-frame-over", "tiny")]
    [LongInlineData("offset", "tiny")]
    [LongInlineData("one-shift", "tiny")]
    [LongInlineData("six-stems", "tiny-6s")]
    [LongInlineData("zeros-after", "tiny-opset21")]
    [LongInlineData("song-overlap25", "tiny-opset23")]
    public void Stems_are_as_exact_as_the_official_codes(string name, string model)
    {
        using TemporaryFolder temporary = new();
        ReferenceCase expected = ReferenceCase.LoadOfficial(name);
        string copy = Path.Combine(temporary.Path, model + ".onnx");
        File.Copy(OfficialFiles.Find("exports", model + ".onnx"), copy);
        using ModelBag bag = ModelBag.Load([ModelSource.Find(copy)], null, new OnnxSessionOptions(), prepare: true, warning =>
            Assert.Fail(warning)
        );
        List<string> worse = [];
        foreach (((string stem, double snr), double official) in expected.Compare(bag).Zip(expected.OfficialDb!))
        {
            output.WriteLine($"{name} {model} {stem}: {snr:F1} dB, official float32 {official:F1} dB");
            if (!(snr >= official - 1))
                worse.Add(stem);
        }
        Assert.Empty(worse);
    }

    [Fact]
    public void A_chunk_of_half_a_second_of_music_is_as_exact_as_the_official_codes()
    {
        if (!TestSet.IsLong)
            Assert.Skip(TestSet.OnlyLong);
        using ModelBag bag = Bag();
        (double snr, double official) = Worst(bag, "burst-20000-0");
        Assert.True(snr >= official - 1, $"{snr:F1} dB, official float32 {official:F1} dB");
    }

    /// <summary>
    /// Chunks of next to no music, 1,000 or 4,000 frames, are badly conditioned: beside a deviation that is mostly that of silence, music
    /// is a hundred times as loud as any other, and rounding
    /// the first layer's result once, all else being exact, leaves 93 to 103 dB of the stems. So a single chunk's figure is drawn by
    /// chance, of the official code's as of ours: between 90 and
    /// 118 dB, up to 12 dB apart either way. What can be asked for is that we are as good in the middle of a dozen chunks, which leaves 3
    /// dB for other processors' draws, and that no sum drifts
    /// in one of them: where they did, it was 46 to 83 dB.
    /// </summary>
    [Fact]
    public void Chunks_of_next_to_no_music_are_as_exact_as_the_official_codes_in_their_middle()
    {
        if (!TestSet.IsLong)
            Assert.Skip(TestSet.OnlyLong);
        List<double> ahead = [];
        using ModelBag bag = Bag();
        foreach (int frames in (ReadOnlySpan<int>)[1000, 4000])
        {
            for (int start = 0; start < 600_000; start += 100_000)
            {
                (double snr, double official) = Worst(bag, $"burst-{frames}-{start}");
                Assert.True(snr > 85, $"{frames} frames from {start}: {snr:F1} dB, official float32 {official:F1} dB");
                ahead.Add(snr - official);
            }
        }
        ahead.Sort();
        Assert.True(
            (ahead[5] + ahead[6]) / 2 >= -3,
            string.Join(' ', ahead.Select(decibels => decibels.ToString("F1", CultureInfo.InvariantCulture)))
        );
    }

    private static ModelBag Bag() =>
        ModelBag.Load(
            [ModelSource.Find(OfficialFiles.Find("exports", "tiny.onnx"))],
            null,
            new OnnxSessionOptions(),
            prepare: true,
            warning => Assert.Fail(warning)
        );

    /// <summary>The worst stem of a case, beside the worst of the official code in float32.</summary>
    private (double Snr, double Official) Worst(ModelBag bag, string name)
    {
        ReferenceCase expected = ReferenceCase.LoadOfficial(name);
        (double snr, double official) = (expected.Compare(bag).Min(stem => stem.Snr), expected.OfficialDb!.Min());
        output.WriteLine($"{name}: {snr:F1} dB, official float32 {official:F1} dB");
        return (snr, official);
    }
}
