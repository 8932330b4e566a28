using System.Runtime.InteropServices;
using DemucsPS.Engine.Audio.Pcm;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>
/// The whole chain with prepared models whose every branch reaches the stems, on tracks with silence in them: where rounding shows most,
/// and nothing hides it.
/// </summary>
public sealed class SilenceTests(ITestOutputHelper output)
{
    private const double Overlap = 0.25;

    /// <summary>
    /// The official code in float32 reaches 112.5 to 116.8 dB in its cases without an offset, of music and of music and silence; that less
    /// 1 dB.
    /// </summary>
    private const double LeastDb = 111.5;

    /// <summary>What nobody hears, nor sees in 24 bits.</summary>
    private const double MostResidueDbfs = -140;

    /// <summary>Of what float64 gives, every so many frames are kept.</summary>
    private const int ProbeStep = 149;

    /// <summary>Set to 1, this writes what is kept of float64's stems anew, from the long set's test of it.</summary>
    private const string WriteVariable = "DEMUCSPS_WRITE_FIXTURES";

    private static readonly string[] s_tracks = ["fade", "one channel", "opposite channels", "between songs", "music and dither"];

    [Theory]
    [InlineData("tiny", 0f)]
    [LongInlineData("tiny", 0.1f)]
    [LongInlineData("tiny-opset23", 0f)]
    public void Digital_silence_gives_silent_stems_and_one_with_an_offset_nothing_but_that(string name, float value)
    {
        using TemporaryFolder folder = new();
        float[] silence = new float[100_000];
        Array.Fill(silence, value);
        foreach (float[] channel in Separate(Model(folder, name), new MemoryTrack(silence, silence)))
            Assert.InRange(Dbfs(channel.Max(x => Math.Abs((double)x - value))), double.NegativeInfinity, MostResidueDbfs);
    }

    [Theory]
    [InlineData("fade")]
    [LongInlineData("one channel")]
    [LongInlineData("opposite channels")]
    [LongInlineData("between songs")]
    [InlineData("music and dither")]
    public void With_silence_in_a_track_stems_are_as_exact_as_the_official_codes_and_the_residue_is_below_hearing(string name)
    {
        using TemporaryFolder folder = new();
        ModelSource model = Model(folder, "tiny");
        (MemoryTrack track, Range silent) = Track(name);
        float[][] stems = Separate(model, track);
        float[][] exact = Kept(name, stems.Length);
        for (int stem = 0; stem < exact.Length / 2; stem++)
        {
            (double level, double error) = Powers(stem, ..);
            (double silentLevel, double residue) = Powers(stem, silent);
            output.WriteLine(
                $"{name}, stem {stem}: {Dbfs(Math.Sqrt(level / error)):F1} dB; in the silence {Dbfs(Math.Sqrt(silentLevel)):F1} dBFS, {Dbfs(Math.Sqrt(residue)):F1} dBFS of it too much or too little"
            );
            Assert.True(Dbfs(Math.Sqrt(level / error)) >= LeastDb, name);
            Assert.True(silent.Equals(..0) || Dbfs(Math.Sqrt(residue)) <= MostResidueDbfs, name);
        }

        // Of float64's stem and of the difference, by the mean square.
        (double Signal, double Error) Powers(int stem, Range range)
        {
            double signal = 0,
                error = 0;
            (int first, int count) = range.GetOffsetAndLength(track.Frames);
            for (int channel = 2 * stem; channel < 2 * stem + 2; channel++)
            {
                for (int i = (first + ProbeStep - 1) / ProbeStep; i * ProbeStep < first + count; i++)
                {
                    double value = exact[channel][i],
                        difference = stems[channel][i * ProbeStep] - value;
                    signal += value * value * ProbeStep / (2 * count);
                    error += difference * difference * ProbeStep / (2 * count);
                }
            }
            return (signal, error);
        }
    }

    /// <summary>What float64 gives takes ten seconds of a processor for each chunk, so it is computed anew for one track.</summary>
    [Fact]
    public void What_is_kept_of_float64_is_what_it_computes()
    {
        if (!TestSet.IsLong)
            Assert.Skip(TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        ModelSource model = Model(folder, "tiny");
        bool write = Environment.GetEnvironmentVariable(WriteVariable) == "1";
        foreach (string name in write ? s_tracks : ["one channel"])
        {
            float[] exact =
            [
                .. ExactSeparation
                    .Separate(model, Track(name).Track, Overlap)
                    .SelectMany(channel => channel.Where((_, i) => i % ProbeStep == 0).Select(value => (float)value)),
            ];
            if (write)
                File.WriteAllBytes(FileOf(name), MemoryMarshal.AsBytes(exact.AsSpan()));
            Assert.InRange(TestSegment.Agreement([exact], [[.. Kept(name, 1)[0]]]), 135, double.PositiveInfinity);
        }
    }

    private static string FileOf(string name) =>
        Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "official", "expected", $"silence-{name.Replace(' ', '-')}.f32");

    /// <summary>What is kept of float64's stems, in so many parts of equal length.</summary>
    private static float[][] Kept(string name, int parts)
    {
        float[] all = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(FileOf(name))).ToArray();
        return [.. all.Chunk(all.Length / parts)];
    }

    private static double Dbfs(double amplitude) => 20 * Math.Log10(amplitude);

    /// <summary>A track, and the part of it that is silent in both channels.</summary>
    private static (MemoryTrack Track, Range Silent) Track(string name)
    {
        // Less than the stride, so that all but one are a single chunk: float64 takes its time.
        const int Length = 250_000;
        SplitMix64 random = new(1);
        float[] left,
            right;
        switch (name)
        {
            case "fade":
                MemoryTrack song = MemoryTrack.Song(200_000, Length);
                for (int i = 0; i < Length; i++)
                {
                    double gain = Math.Clamp((200_000 - i) / 100_000.0, 0, 1);
                    song.Left[i] = Sixteen(song.Left[i] * gain);
                    song.Right[i] = Sixteen(song.Right[i] * gain);
                }
                return (song, 200_000..);
            case "one channel":
                return (new MemoryTrack(MemoryTrack.Song(200_000, Length).Left, new float[Length]), ..0);
            case "opposite channels":
                // In the middle there is silence, by which the whole is normalized.
                left = MemoryTrack.Song(200_000, Length).Left;
                return (new MemoryTrack(left, [.. left.Select(x => -x)]), ..0);
            case "between songs":
                left = new float[400_000];
                right = new float[400_000];
                foreach ((int at, int from, int count) in new[] { (0, 200_000, 100_000), (320_000, 500_000, 80_000) })
                {
                    MemoryTrack part = MemoryTrack.Song(from, count);
                    part.Left.CopyTo(left, at);
                    part.Right.CopyTo(right, at);
                }
                return (new MemoryTrack(left, right), 100_000..320_000);
            case "music and dither":
                left = new float[Length];
                right = new float[Length];
                for (int i = 0; i < Length; i++)
                {
                    left[i] = Dither();
                    right[i] = Dither();
                }
                MemoryTrack beginning = MemoryTrack.Song(200_000, 20_000);
                beginning.Left.CopyTo(left, 0);
                beginning.Right.CopyTo(right, 0);
                return (new MemoryTrack(left, right), 20_000..);
            default:
                throw new ArgumentOutOfRangeException(nameof(name), name, null);
        }

        static float Sixteen(double sample) => (float)(Math.Round(sample * 32768) / 32768);

        // Triangular, of one step each way, as 16-bit files have it where their music is silent.
        float Dither() => Sixteen((random.Next(65536) + random.Next(65536) - 65535) / 65536.0 / 32768);
    }

    private static float[][] Separate(ModelSource model, MemoryTrack track)
    {
        using ModelBag bag = ModelBag.Load([model], null, new OnnxSessionOptions(), prepare: true, warning => Assert.Fail(warning));
        StemMatrix selection = StemMatrix.Choose(bag.Contract.Stems, null);
        MemorySink sink = new(selection.Names.Count);
        new Separator(bag, selection, new SeparationOptions { Overlap = Overlap }).Separate(
            track,
            "song",
            TrackStatistics.Measure(track.Restarted(), "song"),
            sink,
            null,
            CancellationToken.None
        );
        return
        [
            .. Enumerable
                .Range(0, 2 * selection.Names.Count)
                .Select(i => sink.Interleaved(i / 2).Where((_, at) => at % 2 == i % 2).ToArray()),
        ];
    }

    private static ModelSource Model(TemporaryFolder folder, string name)
    {
        string copy = folder[name + ".onnx"];
        File.Copy(OfficialFiles.Find("exports", name + ".onnx"), copy);
        return ModelSource.Find(copy);
    }
}
