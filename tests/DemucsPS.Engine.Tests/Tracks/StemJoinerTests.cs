using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Tests.Tracks;

public sealed class StemJoinerTests
{
    private const double Overlap = 0.25;

    [Fact]
    public void A_stem_comes_with_its_last_chunk()
    {
        using TemporaryFolder folder = new();
        StemJoiner joiner = new();
        StemChunk[] chunks = Chunks(folder, StageChain.Track(30_000, 41), "bass");
        for (int i = 1; i < chunks.Length; i++)
            Assert.Null(joiner.Add(chunks[i]));
        Assert.Equal("bass", joiner.Add(chunks[0])!.StemName);
        Assert.Empty(joiner.Complete());
    }

    [Fact]
    public void Missing_chunks_are_named_for_each_stem()
    {
        using TemporaryFolder folder = new();
        StemJoiner joiner = new();
        AudioTrack track = StageChain.Track(60_000, 42, "/music/song.wav");
        foreach (
            StemChunk chunk in Chunks(folder, track, "bass", "drums")
                .Where(c => c.StemName != "bass" || c.Chunk.Index is not (0 or 3 or 4 or 5))
        )
            joiner.Add(chunk);
        StemJoinResult joined = Assert.Single(joiner.Complete());
        Assert.Null(joined.Stem);
        Assert.Same(track, joined.Track);
        Assert.Equal(DemucsError.StemChunkMissing, joined.Error!.Error);
        Assert.Equal([Remedy.JoinIncomplete], joined.Error.Remedies);
        Assert.Equal(
            "The stem 'bass' of '/music/song.wav' (model model) lacks chunks 0, 3-5 (of 0 to 9). Separate the missing chunks, and join all of them.",
            joined.Error.Message
        );
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 2)]
    [InlineData(2, 5)]
    [InlineData(9, 9)]
    public void Force_leaves_missing_chunks_silent(int first, int last)
    {
        using TemporaryFolder folder = new();
        AudioTrack track = StageChain.Track(60_000, 43);
        StemChunk[] chunks = Chunks(folder, track, "drums");
        float[] whole = StageChain.Interleaved(Assert.Single(StageChain.Join(chunks)));
        StemJoiner joiner = new(force: true);
        foreach (StemChunk chunk in chunks.Where(c => c.Chunk.Index < first || c.Chunk.Index > last))
            Assert.Null(joiner.Add(chunk));
        StemJoinResult joined = Assert.Single(joiner.Complete());
        Assert.Null(joined.Error);
        Assert.Contains(first == last ? $"chunk {first} (of" : $"chunks {first}-{last} (of", joined.Warning, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(first, last - first + 1), joined.Stem!.MissingChunks);
        float[] forced = StageChain.Interleaved(joined.Stem);
        // The small model passes the mix, so what a neighbor reaches into is as in the whole stem.
        int silentFrom = first == 0 ? 0 : chunks[first - 1].Chunk.Start + chunks[first - 1].Chunk.Length,
            silentTo = last == 9 ? track.Frames : chunks[last + 1].Chunk.Start;
        for (int i = 0; i < track.Frames; i++)
            Assert.Equal(i >= silentFrom && i < silentTo ? 0 : whole[2 * i], forced[2 * i], 1e-5f);
    }

    [Fact]
    public void Doubled_chunks_are_named_whenever_they_come()
    {
        using TemporaryFolder folder = new();
        AudioTrack track = StageChain.Track(30_000, 44, "song");
        StemChunk[] chunks = Chunks(folder, track, "bass");
        StemJoiner early = new();
        Assert.All(chunks[..3].Concat(chunks[1..]), c => Assert.Null(early.Add(c)));
        DemucsException error = Assert.Single(early.Complete()).Error!;
        Assert.Equal(DemucsError.StemChunkDoubled, error.Error);
        Assert.Equal([Remedy.JoinFirst], error.Remedies);
        Assert.Equal(
            "chunks 1, 2 of the stem 'bass' of 'song' (model model) occurred more than once, so the stem was not joined. Pass every chunk once.",
            error.Message
        );

        StemJoiner late = new();
        Assert.Single(chunks.Concat(chunks[3..4]).Select(late.Add).OfType<Stem>());
        error = Assert.Single(late.Complete()).Error!;
        Assert.StartsWith("chunk 3 of the stem 'bass'", error.Message, StringComparison.Ordinal);
        Assert.Empty(error.Remedies);

        StemJoiner forced = new(force: true);
        Stem stem = Assert.Single(
            chunks[..2]
                .Append(chunks[1].WithSamples(new float[8192], new float[8192]))
                .Concat(chunks[2..])
                .Select(forced.Add)
                .OfType<Stem>()
        );
        Assert.Equal(StageChain.Interleaved(StageChain.Join(chunks)[0]), StageChain.Interleaved(stem));
        Assert.Contains("chunk 1 ", Assert.Single(forced.Complete()).Warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "other+model")]
    [InlineData(2, "model+other")]
    public void A_chunk_can_be_redone_with_another_model(int redone, string name)
    {
        using TemporaryFolder folder = new();
        using ModelBag other = StageChain.Bag(folder, SmallModels.Split(normalization: "none", factor: 3), "other");
        AudioTrack track = StageChain.Track(30_000, 45);
        StemChunk[] chunks = Chunks(folder, track, "drums");
        StemChunk again = Assert.Single(StageChain.Separate(other, [chunks[redone].Chunk], stems: ["drums"]));
        StemJoiner joiner = new();
        Assert.All(chunks.Where(c => c != chunks[redone]).Append(again), c => Assert.Null(joiner.Add(c)));
        Stem stem = Assert.Single(joiner.Complete()).Stem!;
        Assert.Equal(name, stem.ModelName);
        int middle = chunks[redone].Chunk.Start + 4096,
            elsewhere = chunks[3].Chunk.Start + 4096;
        Assert.Equal(3 * track.GetSample(0, middle), stem.GetSample(0, middle), 1e-5f);
        Assert.Equal(track.GetSample(0, elsewhere), stem.GetSample(0, elsewhere), 1e-5f);
    }

    [Fact]
    public void Models_that_both_lack_chunks_are_not_mixed_where_they_overlap()
    {
        using TemporaryFolder folder = new();
        using ModelBag other = StageChain.Bag(folder, name: "other");
        AudioTrack track = StageChain.Track(30_000, 46);
        StemJoiner joiner = new();
        foreach (
            StemChunk chunk in Chunks(folder, track, "drums")[..3]
                .Concat(StageChain.Separate(other, track.Split(Overlap, SmallModels.Segment).Skip(2), stems: ["drums"]))
        )
            joiner.Add(chunk);
        Assert.Equal([DemucsError.StemChunkMissing, DemucsError.StemChunkMissing], joiner.Complete().Select(j => j.Error!.Error));
    }

    [Fact]
    public void Joined_tracks_are_let_go()
    {
        using TemporaryFolder folder = new();
        StemJoiner joiner = new();
        WeakReference track = JoinOne(joiner, folder);
        // The thread that ran a chunk may hold it a moment longer than its result is waited for.
        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    GC.Collect();
                    return !track.IsAlive;
                },
                TimeSpan.FromMinutes(1)
            )
        );
        Assert.Empty(joiner.Complete());
    }

    // In a method of its own, so that nothing on the stack keeps the track.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference JoinOne(StemJoiner joiner, TemporaryFolder folder)
    {
        AudioTrack track = StageChain.Track(20_000, 47);
        Assert.Single(Chunks(folder, track, "drums").Select(joiner.Add).OfType<Stem>());
        return new WeakReference(track);
    }

    private static StemChunk[] Chunks(TemporaryFolder folder, AudioTrack track, params string[] stems)
    {
        using ModelBag bag = StageChain.Bag(folder);
        return [.. StageChain.Separate(bag, track.Split(Overlap, SmallModels.Segment), stems: stems)];
    }
}
