namespace DemucsPS.Engine.Tests.Separation;

/// <summary>The whole chain against the official PyTorch pipeline.</summary>
public sealed class ReferenceTests(ITestOutputHelper output)
{
    [Theory]
    // Those of the long set differ by what the prepared models are tested with in both sets, and more sharply.
    [InlineData("short")]
    [LongInlineData("song-overlap05")]
    [LongInlineData("one-frame-over")]
    [LongInlineData("quiet-offset")]
    [LongInlineData("two-shifts")]
    [LongInlineData("bag-of-two")]
    public void A_tiny_model_gives_the_official_stems(string name) => Check(ReferenceCase.Load(name), RepositoryFiles.Reference("models"));

    private void Check(ReferenceCase expected, string modelFolder)
    {
        foreach ((string stem, double snr) in expected.Compare(m => Path.Combine(modelFolder, m)))
        {
            output.WriteLine($"{expected.Name} {stem}: {snr:F1} dB");
            Assert.InRange(snr, 65, double.PositiveInfinity);
        }
    }
}
