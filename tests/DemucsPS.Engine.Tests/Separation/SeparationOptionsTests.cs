using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

public sealed class SeparationOptionsTests
{
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
