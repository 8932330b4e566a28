using System.Globalization;
using System.Text.RegularExpressions;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>What the built-in model achieves on the sample song, whose true stems are known.</summary>
public sealed class BaselineSeparationTests(ITestOutputHelper output)
{
    private static readonly (string Stem, double Floor)[] s_floors = [("drums", 2.5), ("bass", 1), ("other", 3), ("vocals", 7)];

    [Fact]
    public void Every_stem_is_nearer_to_the_true_one_than_required_and_as_near_as_the_readme_says()
    {
        MemoryTrack song = MemoryTrack.Song();
        using ModelBag bag = ModelBag.Load([ModelSource.Find(ModelSource.BaselineName)], null, new OnnxSessionOptions());
        StemMatrix selection = StemMatrix.Choose(bag.Contract.Stems, null);
        MemorySink sink = new(4);
        new Separator(bag, selection, new SeparationOptions()).Separate(
            song,
            "song",
            TrackStatistics.Measure(song.Restarted(), "song"),
            sink,
            null,
            CancellationToken.None
        );

        string readme = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "MODELS.md"));
        for (int stem = 0; stem < 4; stem++)
        {
            double sdr = Sdr(TrueStem(s_floors[stem].Stem, song.Frames), sink.Interleaved(stem));
            output.WriteLine($"{s_floors[stem].Stem}: {sdr:F2} dB");
            Assert.InRange(sdr, s_floors[stem].Floor, double.PositiveInfinity);
            Match said = Regex.Match(readme, $@"^\| {s_floors[stem].Stem} \| (?<sdr>[\d.]+) \|", RegexOptions.Multiline);
            Assert.True(said.Success, $"docs/MODELS.md does not say the SDR of {s_floors[stem].Stem}.");
            Assert.Equal(double.Parse(said.Groups["sdr"].Value, CultureInfo.InvariantCulture), sdr, 0.06);
        }
    }

    [Fact]
    public void Silence_gives_silence()
    {
        MemoryTrack silence = new(new float[400_000], new float[400_000]);
        using ModelBag bag = ModelBag.Load([ModelSource.Find(ModelSource.BaselineName)], null, new OnnxSessionOptions());
        MemorySink sink = new(4);
        new Separator(bag, StemMatrix.Choose(bag.Contract.Stems, null), new SeparationOptions()).Separate(
            silence,
            "silence",
            TrackStatistics.Measure(silence.Restarted(), "silence"),
            sink,
            null,
            CancellationToken.None
        );
        Assert.All(Enumerable.Range(0, 4).SelectMany(sink.Interleaved), x => Assert.Equal(0, x));
    }

    private static float[] TrueStem(string name, int frames)
    {
        using AudioReader reader = AudioFile.Open(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "song", name + ".flac"));
        float[] samples = new float[2 * frames];
        int read = 0;
        for (int count; read < samples.Length && (count = reader.Read(samples.AsSpan(read))) > 0;)
            read += 2 * count;
        Assert.Equal(samples.Length, read);
        return samples;
    }

    /// <summary>nsdr of the Music Demixing Challenge: 10·log10((Σ ref² + 1e-7)/(Σ (ref − est)² + 1e-7)).</summary>
    private static double Sdr(float[] reference, float[] estimate)
    {
        double signal = 1e-7,
            error = 1e-7;
        for (int i = 0; i < reference.Length; i++)
        {
            signal += (double)reference[i] * reference[i];
            error += ((double)reference[i] - estimate[i]) * ((double)reference[i] - estimate[i]);
        }
        return 10 * Math.Log10(signal / error);
    }
}
