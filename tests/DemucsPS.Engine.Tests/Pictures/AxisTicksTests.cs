using DemucsPS.Engine.Pictures;
using DemucsPS.Pictures;

namespace DemucsPS.Engine.Tests.Pictures;

public sealed class AxisTicksTests
{
    [Theory]
    [InlineData(0, 20, 1000, "Time (s)", "0 2 4 6 8 10 12 14 16 18 20")]
    [InlineData(0.5, 0.5, 400, "Time (s)", "0.5 0.6 0.7 0.8 0.9 1.0")]
    [InlineData(59, 2, 300, "Time (min:s)", "0:59.0 0:59.5 1:00.0 1:00.5 1:01.0")]
    [InlineData(0, 240, 500, "Time (min:s)", "0:00 1:00 2:00 3:00 4:00")]
    [InlineData(0, 10800, 500, "Time (h:min:s)", "0:00:00 0:30:00 1:00:00 1:30:00 2:00:00 2:30:00 3:00:00")]
    public void Times_are_round_and_do_not_touch(double start, double seconds, double points, string says, string expected)
    {
        (IReadOnlyList<PictureTick> ticks, string label) = AxisTicks.OfTime(start, seconds, points);
        Assert.Equal((says, expected), (label, string.Join(' ', ticks.Select(t => t.Label))));
        Assert.All(ticks, t => Assert.InRange(t.Position, -1e-6, 1 + 1e-6));
    }

    [Theory]
    [InlineData(FrequencyScale.Log, 20, 22050, 200, "20 50 100 200 500 1k 2k 5k 10k 20k")]
    [InlineData(FrequencyScale.Log, 20, 22050, 60, "100 1k 10k")]
    [InlineData(FrequencyScale.Log, 210, 290, 100, "210 290")]
    [InlineData(FrequencyScale.Mel, 0, 22050, 200, "100 500 1k 2k 3k 6k 8k 12k 16k")]
    [InlineData(FrequencyScale.Linear, 0, 22050, 300, "0 2k 4k 6k 8k 10k 12k 14k 16k 18k 20k 22k")]
    public void Frequencies_are_round_and_do_not_touch(FrequencyScale scale, double low, double high, double points, string expected)
    {
        IReadOnlyList<PictureTick> ticks = AxisTicks.OfFrequency(scale, new FrequencyRows(scale, low, high, 100), points);
        Assert.Equal(expected, string.Join(' ', ticks.Select(t => t.Label).OfType<string>()));
    }

    [Fact]
    public void Levels_have_a_minus_sign() =>
        Assert.Equal("−80 −60 −40 −20 0", string.Join(' ', AxisTicks.OfLevels(-80, 0, 180).Select(t => t.Label)));
}
