using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

public sealed class SeparationOptionsTests
{
    public static TheoryData<SeparationOptions, string> OutOfRange =>
        new()
        {
            {
                new() { Overlap = -0.01 },
                "overlap is -0.01; it must be from 0 to 0.99"
            },
            {
                new() { Overlap = 0.9999999 },
                "overlap is 0.9999999; it must be from 0 to 0.99"
            },
            {
                new() { TransitionPower = 5 },
                "transition power is 5; it must be from 1 to 4"
            },
            {
                new() { Shifts = -1 },
                "shifts is -1; it must be from 0 to 1000"
            },
            {
                new() { Shifts = 1001 },
                "shifts is 1001; it must be from 0 to 1000"
            },
            {
                new() { Jobs = 0 },
                "jobs is 0; it must be from 1 to 256"
            },
            {
                new() { Jobs = 257 },
                "jobs is 257; it must be from 1 to 256"
            },
            {
                new() { RetryCount = -1 },
                "retries is -1; it must be from 0 to 100"
            },
            {
                new() { RetryCount = 101 },
                "retries is 101; it must be from 0 to 100"
            },
        };

    [Theory]
    [MemberData(nameof(OutOfRange), DisableDiscoveryEnumeration = true)]
    public void Values_out_of_range_are_refused_with_the_range(SeparationOptions options, string says)
    {
        DemucsException error = Assert.Throws<DemucsException>(options.Check);
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_ends_of_the_ranges_are_allowed()
    {
        new SeparationOptions
        {
            Overlap = 0,
            Shifts = 0,
            Jobs = 1,
            RetryCount = 0,
            TransitionPower = 1,
            Seed = int.MinValue,
        }.Check();
        new SeparationOptions
        {
            Overlap = 0.99,
            Shifts = 1000,
            Jobs = 256,
            RetryCount = 100,
            TransitionPower = 4,
            Seed = int.MaxValue,
        }.Check();
    }

    [Fact]
    public void A_seed_gives_the_same_shifts_for_ever()
    {
        // Worked out apart from the code: a stem that was made with a seed must be made again by it.
        Assert.Equal([12493, 16445, 21411, 9798, 9796, 16822, 19346, 11534], new SeparationOptions { Shifts = 8, Seed = 1 }.DrawShifts());
        Assert.Equal([8439, 816, 8718], new SeparationOptions { Shifts = 3, Seed = int.MaxValue }.DrawShifts());
        Assert.Empty(new SeparationOptions { Seed = 1 }.DrawShifts());
    }

    [Fact]
    public void Shifts_are_from_0_to_half_a_second_and_of_every_size()
    {
        IReadOnlyList<int> shifts = new SeparationOptions { Shifts = 1000, Seed = 3 }.DrawShifts();
        Assert.All(shifts, shift => Assert.InRange(shift, 0, SeparationOptions.MaxShift));
        int[] tenths = new int[10];
        foreach (int shift in shifts)
            tenths[shift * 10 / (SeparationOptions.MaxShift + 1)]++;
        Assert.All(tenths, count => Assert.InRange(count, 60, 140));
    }
}
