using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Tests.Tracks;

public sealed class StemExporterTests
{
    [Theory]
    [InlineData(16, null)]
    [InlineData(24, null)]
    [InlineData(24, ClipMode.Clamp)]
    [InlineData(32, null)]
    [InlineData(32, ClipMode.Rescale)]
    public void Files_are_those_of_the_streaming_route(int bits, ClipMode? clip)
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder);
        // The small model multiplies by up to 4, so everything clips.
        string source = Song(folder, "song.wav", 20_000);
        StemFormat format = new() { Sample = StemFormat.FromBits(bits), Clip = clip };
        SeparationResult streamed = new FileSeparator(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, null),
            new SeparationOptions(),
            new StemOutput(new StemNames(folder["a"]), format)
        ).Separate(new TrackSource(source), cancellationToken: CancellationToken.None);

        StemExporter exporter = new(new StemOutput(new StemNames(folder["b"]), format));
        StemExportResult? written = null;
        foreach (
            Stem stem in StageChain.Join(
                StageChain.Separate(bag, AudioTrack.Import(new TrackSource(source)).Split(length: SmallModels.Segment))
            )
        )
        {
            Assert.Null(written);
            IReadOnlyList<Stem> set = exporter.Add(stem);
            if (set.Count > 0)
                written = exporter.Write(set, CancellationToken.None);
        }
        Assert.Empty(exporter.TakeRest());
        Assert.Equal(streamed.Gain, written!.Gain);
        Assert.Equal(streamed.Warnings.Select(w => w.Replace(folder["a"], folder["b"], StringComparison.Ordinal)), written.Warnings);
        Assert.Equal(streamed.Stems.Select(s => s.Peak), written.Stems.Select(s => s.Peak));
        foreach (StemFile stem in streamed.Stems)
            Assert.Equal(
                File.ReadAllBytes(stem.FilePath),
                File.ReadAllBytes(stem.FilePath.Replace(folder["a"], folder["b"], StringComparison.Ordinal))
            );
    }

    [Fact]
    public void A_filtered_set_is_written_at_the_end_and_a_failed_one_not_at_all()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder);
        AudioTrack track = StageChain.Track(9000, 51, "song");
        List<Stem> stems = StageChain.Join(StageChain.Separate(bag, track.Split(length: SmallModels.Segment)));
        StemExporter exporter = new(new StemOutput(new StemNames(folder["out"]), new StemFormat()));
        Assert.Empty(exporter.Add(stems[0]));
        Assert.Empty(exporter.Add(stems[2]));
        Assert.Equal(DemucsError.StemExists, Assert.Throws<DemucsException>(() => exporter.Add(stems[2])).Error);
        IReadOnlyList<Stem> rest = Assert.Single(exporter.TakeRest());
        File.Delete(folder["model.onnx"]);
        Directory.CreateDirectory(folder["out", "model", "song"]);
        File.WriteAllText(folder["out", "model", "song", "other.wav"], "mine");
        Assert.Equal(DemucsError.StemExists, Assert.Throws<DemucsException>(() => exporter.Write(rest, CancellationToken.None)).Error);
        Assert.Equal([Path.Combine("out", "model", "song", "other.wav")], folder.Files());
        File.Delete(folder["out", "model", "song", "other.wav"]);
        Assert.ThrowsAny<OperationCanceledException>(() => exporter.Write(rest, new CancellationToken(canceled: true)));
        Assert.Empty(folder.Files());
        Assert.Equal(2, exporter.Write(rest, CancellationToken.None).Stems.Count);
    }

    [Fact]
    public void Nothing_that_was_just_written_is_overwritten_even_by_force()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder);
        AudioTrack track = StageChain.Track(9000, 52, "song");
        StemExporter exporter = new(new StemOutput(new StemNames(folder["out"]), new StemFormat()) { Overwrite = true });
        Assert.NotNull(exporter.Write(Stems(0.05), CancellationToken.None));
        DemucsException error = Assert.Throws<DemucsException>(() => exporter.Write(Stems(0.5), CancellationToken.None));
        Assert.Equal(DemucsError.StemExists, error.Error);
        Assert.Contains("occurs twice", error.Message, StringComparison.Ordinal);

        List<Stem> Stems(double overlap) => StageChain.Join(StageChain.Separate(bag, track.Split(overlap, SmallModels.Segment)));
    }

    private static string Song(TemporaryFolder folder, string name, int frames)
    {
        MemoryTrack noise = MemoryTrack.Noise(frames, 50);
        using WavWriter writer = WavWriter.Create(folder[name], 44100, 2, WavSampleFormat.Float32);
        writer.Write([.. noise.Left.Zip(noise.Right, (l, r) => new[] { l, r }).SelectMany(f => f)]);
        writer.Complete();
        return folder[name];
    }
}
