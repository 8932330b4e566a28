namespace DemucsPS.Engine.Stems.Selection;

/// <summary>Which signals a separation gives: weighted sums of the mix and of a model's stems.</summary>
public sealed class StemMatrix
{
    private StemMatrix(IReadOnlyList<StemRow> rows)
    {
        Rows = rows;
        Names = [.. rows.Select(r => r.Name)];
        ModelStems = [.. rows.SelectMany(r => r.Stems.Select(s => s.Stem)).Distinct().Order()];
    }

    /// <summary>The outputs' names, such as <c>vocals</c> and <c>no_vocals</c>.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>What each output is.</summary>
    internal IReadOnlyList<StemRow> Rows { get; }

    /// <summary>The model's stems that are needed, in ascending order.</summary>
    internal IReadOnlyList<int> ModelStems { get; }

    /// <summary>Whether an output takes something of the mix.</summary>
    internal bool UsesMix => Rows.Any(r => r.Mix != 0);

    /// <summary>
    /// Whether all outputs together are the mix: every stem of the model once, or with the mix itself nothing more of any stem.
    /// </summary>
    /// <param name="stems">Number of the model's stems.</param>
    internal bool SumsToMix(int stems)
    {
        float mix = Rows.Sum(r => r.Mix);
        return mix is 0 or 1
            && Enumerable.Range(0, stems).All(i => Rows.SelectMany(r => r.Stems).Where(s => s.Stem == i).Sum(s => s.Weight) == 1 - mix);
    }

    /// <summary>No outputs yet.</summary>
    internal static StemMatrix None { get; } = new([]);

    /// <summary>Selects stems.</summary>
    /// <param name="stems">The model's stems.</param>
    /// <param name="wanted">Names of the stems to give, in any case; null or empty for all.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the model has no such stem.</exception>
    public static StemMatrix Choose(IReadOnlyList<string> stems, IReadOnlyCollection<string>? wanted)
    {
        IEnumerable<int> numbers =
            wanted is null || wanted.Count == 0
                ? Enumerable.Range(0, stems.Count)
                : wanted.Select(name => Find(stems, name, EngineParameter.Stem)).Distinct();
        return new StemMatrix([.. numbers.Select(i => Single(stems, i))]);
    }

    /// <summary>Selects one stem and <c>no_STEM</c>, everything else.</summary>
    /// <param name="stems">The model's stems.</param>
    /// <param name="stem">The stem's name, in any case.</param>
    /// <param name="method">How everything else is made.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the model has no such stem, or no other.</exception>
    public static StemMatrix TwoStems(IReadOnlyList<string> stems, string stem, TwoStemsMethod method = TwoStemsMethod.Add)
    {
        int chosen = Find(stems, stem, EngineParameter.TwoStems);
        string rest = "no_" + stems[chosen];
        if (method == TwoStemsMethod.Minus)
            return new StemMatrix([Single(stems, chosen), new StemRow(rest, 1, [(chosen, -1)])]);
        if (stems.Count < 2)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The model has a single stem, '{stems[0]}', so there are no others to add. Use the method minus: the mix minus the stem."
            )
            {
                Parameter = EngineParameter.TwoStemsMethod,
            };
        return new StemMatrix([
            Single(stems, chosen),
            new StemRow(rest, 0, [.. Enumerable.Range(0, stems.Count).Where(i => i != chosen).Select(i => (i, 1f))]),
        ]);
    }

    /// <summary>The mix, and a model's four stems in the order that .stem.mp4 files have them.</summary>
    /// <param name="stems">The model's stems.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: they are not four.</exception>
    internal static StemMatrix StemMp4(IReadOnlyList<string> stems)
    {
        if (stems.Count != 4)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"A .stem.mp4 file needs four stems, but the model has {stems.Count} ({string.Join(", ", stems)}). Use a model with four stems, or another format."
            );
        string[] usual = ["drums", "bass", "other", "vocals"];
        int[] order = [.. usual.Select(name => stems.ToList().FindIndex(s => string.Equals(s, name, StringComparison.OrdinalIgnoreCase)))];
        if (order.Contains(-1))
            order = [0, 1, 2, 3];
        return new StemMatrix([new StemRow("mix", 1, []), .. order.Select(i => Single(stems, i))]);
    }

    /// <summary>The same and <c>residual</c>, the mix minus all these; the mix alone where there are none.</summary>
    internal StemMatrix WithResidual()
    {
        // Outputs may share stems or have the mix in them (two stems by minus), so weights are summed.
        float mix = 1 - Rows.Sum(r => r.Mix);
        (int, float)[] stems =
        [
            .. ModelStems
                .Select(i => (i, -Rows.SelectMany(r => r.Stems).Where(s => s.Stem == i).Sum(s => s.Weight)))
                .Where(s => s.Item2 != 0),
        ];
        return new StemMatrix([.. Rows, new StemRow("residual", mix, stems)]);
    }

    /// <summary>The same and <c>mixdown</c>, the sum of all stems, each with its gain.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the model has no such stem, or all are
    /// silenced.</exception>
    internal StemMatrix WithMixdown(IReadOnlyList<string> stems, StemGains gains)
    {
        float[] factors = [.. Enumerable.Repeat(1f, stems.Count)];
        foreach ((string name, double decibels) in gains.Decibels)
            factors[Find(stems, name, EngineParameter.Mixdown)] = StemGains.Factor(decibels);
        if (factors.All(f => f == 0))
            throw new DemucsException(DemucsError.ParameterInvalid, "The mixdown silences every stem. Keep at least one.")
            {
                Parameter = EngineParameter.Mixdown,
            };
        return new StemMatrix([.. Rows, new StemRow("mixdown", 0, [.. factors.Select((f, i) => (i, f)).Where(s => s.f != 0)])]);
    }

    private static StemRow Single(IReadOnlyList<string> stems, int stem) => new(stems[stem], 0, [(stem, 1)]);

    private static int Find(IReadOnlyList<string> stems, string name, EngineParameter parameter)
    {
        for (int i = 0; i < stems.Count; i++)
        {
            if (string.Equals(stems[i], name, StringComparison.OrdinalIgnoreCase))
                return i;
        }
        throw new DemucsException(DemucsError.ParameterInvalid, $"The model has no stem '{name}'. It has: {string.Join(", ", stems)}.")
        {
            Parameter = parameter,
        };
    }
}
