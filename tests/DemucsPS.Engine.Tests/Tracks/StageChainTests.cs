using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Tests.Tracks;

/// <summary>The stages one by one against the streaming route.</summary>
public sealed class StageChainTests
{
    [Theory]
    [InlineData(1, 0.05, 1, 1)]
    [InlineData(8192, 0.05, 1, 1)]
    [InlineData(8193, 0.05, 1, 1)]
    [InlineData(100_000, 0.05, 1, 3)]
    [InlineData(100_000, 0.05, 3, 2)]
    [InlineData(50_000, 0.75, 1, 2)]
    public void The_chain_gives_the_same_bits_in_any_order(int frames, double overlap, double power, int jobs)
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder);
        AudioTrack track = StageChain.Track(frames, 21);
        float[][] streamed = StageChain.Stream(bag, track, new SeparationOptions { Overlap = overlap, TransitionPower = power });
        List<StemChunk> chunks = [.. StageChain.Separate(bag, track.Split(overlap, SmallModels.Segment), jobs)];
        Check(StageChain.Join(chunks, power));
        StemChunk[] shuffled = [.. chunks];
        new Random(5).Shuffle(shuffled);
        Check(StageChain.Join(shuffled, power));

        void Check(List<Stem> stems)
        {
            Assert.Equal(bag.Contract.Stems.Order(), stems.Select(s => s.StemName).Order());
            Assert.All(stems, stem =>
                Assert.Equal(streamed[bag.Contract.Stems.ToList().IndexOf(stem.StemName)], StageChain.Interleaved(stem))
            );
        }
    }

    [Fact]
    public void The_chain_gives_the_same_bits_on_the_reference_model()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        MemoryTrack song = MemoryTrack.Song(frames: 400_000);
        AudioTrack track = AudioTrack.FromSamples("song", song.Left, song.Right);
        using ModelBag bag = ModelBag.Load([ModelSource.Find(RepositoryFiles.TinyModel)], null, new OnnxSessionOptions());
        List<StemChunk> chunks = [.. StageChain.Separate(bag, track.Split())];
        Assert.Equal(StageChain.Stream(bag, track, new SeparationOptions()), StageChain.Join(chunks).Select(StageChain.Interleaved));

        // Both branches do something, and together they are the stem.
        ReadOnlySpan<float> samples = chunks[0].Samples(0).Span,
            time = chunks[0].TimeBranch(0).Span,
            frequency = chunks[0].FrequencyBranch(0).Span;
        float[] sum = new float[samples.Length];
        for (int i = 0; i < sum.Length; i++)
            sum[i] = time[i] + frequency[i];
        Assert.InRange(Decibels.Snr(samples, sum), 120, double.PositiveInfinity);
        Assert.True(SamplePeak.Of(time) > 1e-3f && SamplePeak.Of(frequency) > 1e-3f);
    }

    [Fact]
    public void Tracks_stems_and_models_may_be_mixed()
    {
        using TemporaryFolder folder = new();
        using ModelBag one = StageChain.Bag(folder, name: "one"),
            two = StageChain.Bag(folder, SmallModels.Split(normalization: "none", factor: 3), "two");
        AudioTrack a = StageChain.Track(30_000, 22, "a"),
            b = StageChain.Track(20_000, 23, "b");
        StemChunk[] chunks =
        [
            .. StageChain.Separate(
                one,
                a.Split(length: SmallModels.Segment).Concat(b.Split(length: SmallModels.Segment)).OrderBy(c => c.Index),
                2
            ),
            .. StageChain.Separate(two, a.Split(length: SmallModels.Segment), stems: ["vocals", "drums"]),
        ];
        new Random(6).Shuffle(chunks);
        List<Stem> stems = StageChain.Join(chunks);
        Assert.Equal(10, stems.Count);
        Assert.All(stems.Where(s => s.Track == b), s =>
            Assert.Equal(
                StageChain.Stream(one, b, new SeparationOptions())[one.Contract.Stems.ToList().IndexOf(s.StemName)],
                StageChain.Interleaved(s)
            )
        );
        Stem vocals = Assert.Single(stems, s => s.ModelName == "two" && s.StemName == "vocals");
        Assert.Equal(StageChain.Stream(two, a, new SeparationOptions())[3], StageChain.Interleaved(vocals));
    }

    [Theory]
    [InlineData("track")]
    [InlineData("none")]
    public void An_edited_spectrogram_changes_both_inputs_of_the_model(string normalization)
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder, SmallModels.Split(normalization: normalization));
        // 1 kHz and 5 kHz; the small model's time branch passes the waveform.
        float[] left =
        [
            .. Enumerable
                .Range(0, 20_000)
                .Select(i => (float)(0.25 * Math.Sin(2 * Math.PI * 1000 * i / 44100) + 0.125 * Math.Sin(2 * Math.PI * 5000 * i / 44100))),
        ];
        AudioTrack track = AudioTrack.FromSamples("two tones", left, left);
        ChunkSpectrogram spectrogram = ChunkSpectrogram.Compute(track.Split(length: SmallModels.Segment).ElementAt(1));
        using ChunkSeparator separator = new(bag, ["drums"], 3, 0, CancellationToken.None);
        separator.Start(spectrogram.Chunk);
        separator.Start(spectrogram);
        separator.Start(spectrogram.WithGain(4000, 6000, double.NegativeInfinity));
        StemChunk plain = separator.Take().Stems[0],
            unedited = separator.Take().Stems[0],
            edited = separator.Take().Stems[0];
        Assert.Equal(plain.Samples(0).ToArray(), unedited.Samples(0).ToArray());
        for (int i = SegmentEdge; i < SmallModels.Segment - SegmentEdge; i++)
            Assert.Equal(0.25 * Math.Sin(2 * Math.PI * 1000 * (spectrogram.Chunk.Start + i) / 44100), edited.GetSample(0, i), 1e-3);
    }

    private const int SegmentEdge = 2048;
}
