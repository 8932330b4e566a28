namespace DemucsPS.Engine.Separation;

/// <summary>Which signals a separation gives: some of a model's stems, or one stem and the sum of the others.</summary>
public sealed class StemSelection
{
    private StemSelection(IReadOnlyList<(string Name, int[] Stems)> outputs)
    {
        Names = [.. outputs.Select(o => o.Name)];
        Sums = [.. outputs.Select(o => o.Stems)];
        ModelStems = [.. Sums.SelectMany(s => s).Distinct().Order()];
    }

    /// <summary>The outputs' names, such as <c>vocals</c> and <c>no_vocals</c>.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>For each output the numbers of the model's stems that it sums.</summary>
    internal IReadOnlyList<int[]> Sums { get; }

    /// <summary>The model's stems that are needed, in ascending order.</summary>
    internal IReadOnlyList<int> ModelStems { get; }

    /// <summary>Selects stems.</summary>
    /// <param name="stems">The model's stems.</param>
    /// <param name="wanted">Names of the stems to give, in any case; null or empty for all.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the model has no such stem.</exception>
    public static StemSelection Choose(IReadOnlyList<string> stems, IReadOnlyCollection<string>? wanted)
    {
        IEnumerable<int> numbers = wanted is null || wanted.Count == 0
            ? Enumerable.Range(0, stems.Count)
            : wanted.Select(name => Find(stems, name)).Distinct();
        return new StemSelection([.. numbers.Select(i => (stems[i], new[] { i }))]);
    }

    /// <summary>Selects one stem and <c>no_STEM</c>, the sum of all others.</summary>
    /// <param name="stems">The model's stems.</param>
    /// <param name="stem">The stem's name, in any case.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the model has no such stem, or no other.</exception>
    public static StemSelection TwoStems(IReadOnlyList<string> stems, string stem)
    {
        int chosen = Find(stems, stem);
        if (stems.Count < 2)
            throw new DemucsException(DemucsError.ParameterInvalid, $"The model has a single stem, '{stems[0]}', so there is no rest.");
        int[] others = [.. Enumerable.Range(0, stems.Count).Where(i => i != chosen)];
        return new StemSelection([(stems[chosen], [chosen]), ("no_" + stems[chosen], others)]);
    }

    private static int Find(IReadOnlyList<string> stems, string name)
    {
        for (int i = 0; i < stems.Count; i++)
        {
            if (string.Equals(stems[i], name, StringComparison.OrdinalIgnoreCase))
                return i;
        }
        throw new DemucsException(DemucsError.ParameterInvalid, $"The model has no stem '{name}'. It has: {string.Join(", ", stems)}.");
    }
}
