using System.Numerics;
using DemucsPS.Engine.Audio.Pcm;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>
/// What a seed means is for good: these numbers were worked out apart from the code, and must never be made to follow it.
/// </summary>
public sealed class SplitMix64Tests
{
    [Fact]
    public void The_bits_are_those_of_the_published_generator()
    {
        // The values that its other implementations are checked with.
        ulong[] expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
        Assert.Equal(
            expected,
            expected.Select(
                (_, n) => SplitMix64.Mix(new Vector<ulong>(unchecked(SplitMix64.StateOf(1234567) + (ulong)(n + 1) * SplitMix64.Step)))[0]
            )
        );
    }

    [Theory]
    [InlineData(0, new[] { 19477, 9515, 582, 21408, 2345, 7217, 3833, 17013 })]
    [InlineData(7, new[] { 8596, 370, 19862, 12854, 9976, 5500, 10318, 7234 })]
    [InlineData(-1, new[] { 19712, 20123, 4839, 9398, 15558, 18184, 20785, 5544 })]
    [InlineData(int.MinValue, new[] { 20507, 6409, 6572, 20699, 350, 15251, 3886, 7056 })]
    public void Numbers_below_a_bound_are_these_for_ever(int seed, int[] expected)
    {
        SplitMix64 random = new(seed);
        int[] drawn = new int[expected.Length];
        foreach (ref int number in drawn.AsSpan())
            number = random.Next(22051);
        Assert.Equal(expected, drawn);
    }

    [Fact]
    public void The_dither_is_this_for_ever()
    {
        double[] draws = new double[6];
        new TriangularDither(-3).Fill(draws);
        Assert.Equal(
            [0.6757911837194115, 0.5017109643667936, 0.5714084100909531, -0.5281446375884116, -0.473453916143626, -0.565799597883597],
            draws
        );
    }
}
