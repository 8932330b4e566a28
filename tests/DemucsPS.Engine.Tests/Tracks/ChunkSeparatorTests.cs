using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Tests.Tracks;

public sealed class ChunkSeparatorTests
{
    [Fact]
    public void A_failed_run_is_repeated_and_the_attempt_is_told()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder);
        AudioChunk[] chunks = [.. StageChain.Track(30_000, 31).Split(length: SmallModels.Segment)];
        using ChunkSeparator separator = new(bag, null, 2, 2, CancellationToken.None)
        {
            // Chunk 1 works at the third attempt, chunk 2 never.
            Attempting = (chunk, attempt) =>
            {
                if ((chunk.Index == 1 && attempt < 3) || chunk.Index == 2)
                    throw new DemucsException(DemucsError.DemucsModelInvalid, $"failure {attempt}");
            },
        };
        List<ChunkResult> results = [];
        foreach (AudioChunk chunk in chunks)
        {
            if (separator.IsFull)
                results.Add(separator.Take());
            separator.Start(chunk);
        }
        while (separator.Count > 0)
            results.Add(separator.Take());
        Assert.Equal(chunks, results.Select(r => r.Chunk));
        Assert.All(results[0].Stems, s => Assert.Equal(1, s.Attempt));
        Assert.All(results[1].Stems, s => Assert.Equal(3, s.Attempt));
        Assert.Equal(["failure 1", "failure 2"], results[1].Failures);
        Assert.Empty(results[2].Stems);
        Assert.Equal(DemucsError.DemucsModelInvalid, results[2].Error!.Error);
        Assert.Equal("Chunk 2 (of 0 to 3) of noise could not be separated in 3 attempts. failure 3", results[2].Error!.Message);
        Assert.Null(results[3].Error);
    }

    [Fact]
    public void A_chunk_whose_result_is_no_number_does_not_stop_the_others()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder, SmallModels.Split(normalization: "none", factor: 5e37f));
        float[] left = new float[20_000];
        left[9_000] = 10;
        AudioTrack track = AudioTrack.FromSamples("loud", left, left);
        using ChunkSeparator separator = new(bag, null, 3, 1, CancellationToken.None);
        foreach (AudioChunk chunk in track.Split(0, SmallModels.Segment))
            separator.Start(chunk);
        Assert.Null(separator.Take().Error);
        DemucsException error = separator.Take().Error!;
        Assert.Contains("in 2 attempts", error.Message, StringComparison.Ordinal);
        Assert.Contains("not finite", error.Message, StringComparison.Ordinal);
        Assert.Single(separator.Take().Stems, s => s.StemName == "vocals");
    }

    [Fact]
    public void A_chunk_of_another_length_is_refused()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder);
        using ChunkSeparator separator = new(bag, null, 1, 0, CancellationToken.None);
        DemucsException error = Assert.Throws<DemucsException>(() => separator.Start(StageChain.Track(9000, 32).Split().First()));
        Assert.Equal(DemucsError.ChunkLengthMismatch, error.Error);
        Assert.Contains("343980", error.Message, StringComparison.Ordinal);
        Assert.Contains("8192", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, separator.Count);
    }

    [Fact]
    public void Stems_come_in_the_order_they_were_asked_for()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder);
        AudioTrack track = StageChain.Track(8192, 33);
        StemChunk[] stems = [.. StageChain.Separate(bag, track.Split(0, SmallModels.Segment), stems: ["Vocals", "bass"])];
        Assert.Equal(["vocals", "bass"], stems.Select(s => s.StemName));
        Assert.True(stems[0].Rms > 1.9 * stems[1].Rms);
        Assert.Throws<DemucsException>(() => new ChunkSeparator(bag, ["kazoo"], 1, 0, CancellationToken.None));
        Assert.Throws<DemucsException>(() => new ChunkSeparator(bag, null, 0, 0, CancellationToken.None));
        Assert.Throws<DemucsException>(() => new ChunkSeparator(bag, null, 1, -1, CancellationToken.None));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Canceling_ends_a_run_and_taking_and_disposing_wait_for_it(bool take)
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder);
        using CancellationTokenSource stop = new();
        using ManualResetEventSlim started = new();
        bool ended = false;
        ChunkSeparator separator = new(bag, null, 1, 0, stop.Token)
        {
            Attempting = (_, _) =>
            {
                started.Set();
                // Long enough that who does not wait is found out; who waits may take as long as the machine likes.
                Thread.Sleep(100);
                ended = true;
            },
        };
        separator.Start(StageChain.Track(8192, 34).Split(length: SmallModels.Segment).First());
        started.Wait(TestContext.Current.CancellationToken);
        stop.Cancel();
        if (take)
        {
            Assert.ThrowsAny<OperationCanceledException>(separator.Take);
            Assert.True(ended);
        }
        separator.Dispose();
        Assert.True(ended);
    }
}
