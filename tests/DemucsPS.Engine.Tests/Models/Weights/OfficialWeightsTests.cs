using System.Diagnostics;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Models.Weights;

/// <summary>
/// The whole chain from files of weights, as Demucs itself loads them, against what the official code computes with them in float64; beside
/// it stands how far the official code in float32 is from
/// that. The models lie beside the repository; <see cref="WeightsModelTests"/> has a small one that is in it.
/// </summary>
public sealed class OfficialWeightsTests(ITestOutputHelper output)
{
    // What was reached, less 1 dB: the worst stem.
    [Theory]
    [LongInlineData("song-overlap25", 121.0)]
    [LongInlineData("song-overlap05", 120.9)]
    [LongInlineData("short", 121.0)]
    [LongInlineData("one-frame-over", 121.0)]
    [LongInlineData("offset", 147.3)]
    [LongInlineData("zeros-after", 121.9)]
    [LongInlineData("one-shift", 120.8)]
    [LongInlineData("segment-6", 121.5)]
    [LongInlineData("six-stems", 116.5)]
    [LongInlineData("other-architecture", 129.4)]
    [LongInlineData("cross-first", 114.8)]
    [LongInlineData("bag-of-two", 118.0)]
    [LongInlineData("full", 114.1)]
    public void Stems_are_as_exact_as_the_official_codes_and_as_they_once_were(string name, double least)
    {
        using TemporaryFolder folder = new();
        ReferenceCase expected = ReferenceCase.LoadOfficial(name);
        string file = Find(expected.Models.Single(), folder);
        using ModelBag bag = ModelBag.Load(
            ModelLibrary.Open(folder["models"]).Select([file], null, p => p),
            null,
            new OnnxSessionOptions(),
            prepare: true,
            warning => Assert.Fail(warning)
        );
        List<string> worse = [];
        foreach (((string stem, double snr), double official) in expected.Compare(bag).Zip(expected.OfficialDb!))
        {
            output.WriteLine($"{name} {stem}: {snr:F1} dB, official float32 {official:F1} dB");
            if (!(snr >= Math.Max(official - 1, least)))
                worse.Add($"{stem} {snr:F1}");
        }
        Assert.Empty(worse);
    }

    [Fact]
    public void Large_products_are_computed_in_8_bits_where_that_is_asked_for()
    {
        if (!TestSet.IsLong)
            Assert.Skip(TestSet.OnlyLong);
        string file = OfficialFiles.Find("models", "605b9892.safetensors");
        ReferenceCase expected = ReferenceCase.LoadOfficial("short");
        using ModelBag bag = ModelBag.Load(
            [ModelSource.Find(file)],
            null,
            new OnnxSessionOptions(),
            prepare: true,
            warning => Assert.Fail(warning),
            precision: ModelPrecision.Int8
        );
        double worst = expected.Compare(bag).Min(stem => stem.Snr);
        output.WriteLine($"{worst:F1} dB");
        Assert.InRange(worst, 25, 90);
    }

    /// <summary>The bag's file. That of the real size is packed, and is unpacked beside a copy.</summary>
    internal static string Find(string bag, TemporaryFolder folder)
    {
        string file = OfficialFiles.Find("models", bag);
        if (bag != "full.yaml")
            return file;
        const string Signature = "926a40b3";
        File.Copy(file, folder[bag]);
        using FileStream unpacked = File.Create(folder[$"{Signature}.safetensors"]);
        try
        {
            using Process xz = Process.Start(
                new ProcessStartInfo("xz", ["--decompress", "--stdout", OfficialFiles.Find("models", $"{Signature}.safetensors.xz")])
                {
                    RedirectStandardOutput = true,
                }
            )!;
            xz.StandardOutput.BaseStream.CopyTo(unpacked);
            xz.WaitForExit();
            Assert.Equal(0, xz.ExitCode);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("The real-size model is packed, and 'xz' is not installed.");
        }
        return folder[bag];
    }
}
