using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>What preparation is for: stems that agree with the official PyTorch pipeline to 100 dB.</summary>
public sealed class PreparedReferenceTests(ITestOutputHelper output)
{
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
    public void A_prepared_tiny_model_is_exact(string name) => Check(name, RepositoryFiles.Reference("models"));

    [Fact]
    public void The_prepared_real_size_model_is_exact() => Check("full-song", ReferenceCase.RealModelFolder());

    private void Check(string name, string modelFolder)
    {
        using TemporaryFolder temporary = new();
        ReferenceCase expected = ReferenceCase.Load(name);
        // Copies lie beside their model and leave the original's folder alone; the data file is linked, since it is large.
        foreach ((string stem, double snr) in expected.Compare(model =>
        {
            string source = Path.Combine(modelFolder, model), copy = Path.Combine(temporary.Path, model);
            File.Copy(source, copy);
            if (File.Exists(source + ".data"))
                File.CreateSymbolicLink(copy + ".data", source + ".data");
            string prepared = PreparedModel.Prepare(copy, null, warning => Assert.Fail(warning), CancellationToken.None);
            Assert.NotEqual(copy, prepared);
            return prepared;
        }))
        {
            output.WriteLine($"{expected.Name} {stem}: {snr:F1} dB");
            Assert.InRange(snr, 100, double.PositiveInfinity);
        }
    }
}
