using DemucsPS.Engine.Chunking;

namespace DemucsPS.Engine.Tests.Chunking;

public sealed class ChunkPlanTests
{
    private const int Segment = 343980;

    [Theory]
    [InlineData(0.05, 326781)]
    [InlineData(0.25, 257985)]
    [InlineData(0.0, 343980)]
    [InlineData(0.5, 171990)]
    public void The_stride_is_the_official_one(double overlap, int stride) =>
        Assert.Equal(stride, ChunkPlan.Create(1_000_000, Segment, overlap).Stride);

    [Fact]
    public void Chunks_start_every_stride_below_the_tracks_length_and_end_with_the_track()
    {
        ChunkPlan plan = ChunkPlan.Create(882000, Segment, 0.25);
        Assert.Equal(4, plan.Count);
        Assert.Equal(new ChunkSpan(0, 0, Segment, 0), plan[0]);
        Assert.Equal(new ChunkSpan(2, 515970, Segment, 515970), plan[2]);
        // 108,045 frames are left, so 235,935 are missing; half of them, rounded down, come before the chunk.
        Assert.Equal(new ChunkSpan(3, 773955, 108045, 773955 - 117967), plan[3]);
        Assert.Equal(117967, plan[3].Trim);
    }

    [Fact]
    public void One_frame_beyond_the_stride_is_a_chunk_of_one_frame()
    {
        ChunkPlan plan = ChunkPlan.Create(257986, Segment, 0.25);
        Assert.Equal(2, plan.Count);
        Assert.Equal(1, plan[1].Length);
        Assert.Equal(1, ChunkPlan.Create(257985, Segment, 0.25).Count);
    }

    [Fact]
    public void A_short_track_is_one_chunk_centered_in_the_segment()
    {
        ChunkPlan plan = ChunkPlan.Create(100, Segment, 0.05);
        Assert.Equal(1, plan.Count);
        Assert.Equal(-(Segment - 100) / 2, plan[0].InputStart);
    }

    [Theory]
    [InlineData(-0.01)]
    [InlineData(0.9901)]
    [InlineData(0.9999999)]
    [InlineData(1.0)]
    [InlineData(25)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Overlaps_beyond_their_range_are_refused(double overlap) =>
        Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(() => ChunkPlan.Create(10, Segment, overlap)).Error);

    [Fact]
    public void The_greatest_overlap_takes_a_hundred_times_the_chunks_of_none() =>
        Assert.InRange(
            (double)ChunkPlan.Create(100_000_000, Segment, ChunkPlan.MaxOverlap).Count / ChunkPlan.Create(100_000_000, Segment, 0).Count,
            99,
            101
        );

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_weights_are_a_triangle_to_the_transition_power(int power)
    {
        float[] weights = TransitionWeights.Create(8, power);
        float[] triangle = [0.25f, 0.5f, 0.75f, 1, 1, 0.75f, 0.5f, 0.25f];
        Assert.Equal(triangle.Select(t => MathF.Pow(t, power)), weights, (a, b) => Math.Abs(a - b) < 1e-7);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(4.5)]
    [InlineData(double.NaN)]
    public void Transition_powers_beyond_their_range_are_refused(double power) =>
        Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(() => TransitionWeights.Create(8, power)).Error);

    [Fact]
    public void The_greatest_transition_power_leaves_no_frame_without_weight() =>
        // Of the longest chunk that can be cut: its first frame belongs to no other chunk, and is divided by this.
        Assert.True(float.IsNormal((float)Math.Pow(1 / 50_000_000f, TransitionWeights.MaxPower)));
}
