using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>
/// The whole chain with prepared exports of models whose every branch reaches the stems, against what the official code computes in float64; beside it stands how far the official code in
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
    [LongInlineData("song-overlap25", "tiny-opset21")]
    [LongInlineData("short", "tiny-opset21")]
    [LongInlineData("one-frame-over", "tiny-opset21")]
    [LongInlineData("offset", "tiny-opset21")]
    [LongInlineData("zeros-after", "tiny-opset21")]
    [LongInlineData("song-overlap25", "tiny-opset23")]
    [LongInlineData("short", "tiny-opset23")]
    [LongInlineData("one-frame-over", "tiny-opset23")]
    [LongInlineData("offset", "tiny-opset23")]
    [LongInlineData("zeros-after", "tiny-opset23")]
    public void Stems_are_as_exact_as_the_official_codes(string name, string model)
    {
        using TemporaryFolder temporary = new();
        ReferenceCase expected = ReferenceCase.LoadOfficial(name);
        string copy = Path.Combine(temporary.Path, model + ".onnx");
        File.Copy(OfficialFiles.Find("exports", model + ".onnx"), copy);
        using ModelBag bag = ModelBag.Load([ModelSource.Find(copy)], null, new OnnxSessionOptions(), prepare: true, warning => Assert.Fail(warning));
        List<string> worse = [];
        foreach (((string stem, double snr), double official) in expected.Compare(bag).Zip(expected.OfficialDb!))
        {
            output.WriteLine($"{name} {model} {stem}: {snr:F1} dB, official float32 {official:F1} dB");
            if (!(snr >= official - 1))
                worse.Add(stem);
        }
        Assert.Empty(worse);
    }
}
