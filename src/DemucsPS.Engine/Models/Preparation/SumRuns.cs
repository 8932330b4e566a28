namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// How a long sum is divided into sums of sums, so that none adds many numbers one after the other. ONNX Runtime adds in float32, and where
/// the numbers are equal, as the activations of
/// digital silence are, every addition rounds the same way: the mean of 343,980 equal numbers is off by a ten-thousandth.
/// </summary>
/// <param name="Count">How many numbers there are with the zeros that are put after them; equal to their own number where that has factors
/// that suit.</param>
/// <param name="Lengths">The lengths of the sums, the outermost first; their product is <paramref name="Count"/>.</param>
internal sealed record SumRuns(long Count, long[] Lengths)
{
    /// <summary>The longest run of numbers that lie side by side, which the runtime adds eight or more at once.</summary>
    public const int Longest = 128;

    /// <summary>
    /// The longest run of sums, and of numbers that lie apart, which the runtime adds one by one. Where music ends soon, a few sums are
    /// large and all that follow are small and equal: each of these is then rounded the same way against the large one, and a hundred of
    /// them cost more than the whole rest of a layer. Runs of sums are of small tensors, so that shorter ones cost no time.
    /// </summary>
    public const int LongestApart = 16;

    /// <summary>Divides the sums along an axis of a tensor; null if they are short enough as they are.</summary>
    /// <param name="lengths">The tensor's dimensions, less than 1 for those that are not known.</param>
    /// <param name="axis">The axis, of a length that is known.</param>
    public static SumRuns? Along(IReadOnlyList<long> lengths, int axis)
    {
        int longest = lengths.Skip(axis + 1).All(other => other == 1) ? Longest : LongestApart;
        return lengths[axis] <= longest ? null : Create(lengths[axis], longest);
    }

    /// <summary>Divides a sum of so many numbers.</summary>
    /// <param name="count">How many, at least 1.</param>
    /// <param name="longest">The longest run of the numbers themselves; of sums <see cref="LongestApart"/> is.</param>
    public static SumRuns Create(long count, int longest)
    {
        int outer = Math.Min(longest, LongestApart);
        if (Exact(count, longest, outer) is { } lengths)
            return new SumRuns(count, lengths);
        SumRuns? best = null;
        // The fewest zeros; with as many, the longer runs.
        for (long inner = longest; inner >= (longest + 1) / 2; inner--)
        {
            long sums = (count + inner - 1) / inner;
            if ((best is null || sums * inner < best.Count) && Exact(sums, outer, outer) is { } outside)
                best = new SumRuns(sums * inner, [.. outside, inner]);
        }
        if (best is not null)
            return best;
        SumRuns above = Create((count + longest - 1) / longest, outer);
        return new SumRuns(above.Count * longest, [.. above.Lengths, longest]);
    }

    /// <summary>Runs whose product is the number itself; null if it has a prime factor that is too long for one.</summary>
    private static long[]? Exact(long count, int longest, int outer)
    {
        if (count <= longest)
            return [count];
        for (long inner = longest; inner > 1; inner--)
        {
            if (count % inner == 0 && Exact(count / inner, outer, outer) is { } outside)
                return [.. outside, inner];
        }
        return null;
    }
}
