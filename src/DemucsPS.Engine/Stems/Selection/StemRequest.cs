namespace DemucsPS.Engine.Stems.Selection;

/// <summary>What a user wants written, in names; a model's stems make a <see cref="StemMatrix"/> of it.</summary>
public sealed record StemRequest
{
    /// <summary>Names of the stems, in any case; null or empty for all.</summary>
    public IReadOnlyCollection<string>? Stems { get; init; }

    /// <summary>One stem, to be written with <c>no_STEM</c>; null for none.</summary>
    public string? TwoStems { get; init; }

    /// <summary>How <c>no_STEM</c> is made.</summary>
    public TwoStemsMethod TwoStemsMethod { get; init; }

    /// <summary>
    /// Whether <c>residual</c> is written: the mix minus the stems that are written, so that all together sum to the mix.
    /// </summary>
    public bool Residual { get; init; }

    /// <summary>
    /// Gains for <c>mixdown</c>, the sum of all stems with each at its gain; null for none. Stems are not written then, unless they are
    /// named or their residual is wanted.
    /// </summary>
    public StemGains? Mixdown { get; init; }

    /// <summary>Whether the mix and four stems are wanted as a .stem.mp4 file has them; nothing else can be chosen then.</summary>
    public bool StemMp4 { get; init; }

    /// <summary>
    /// Names of the model's stems that this takes, in any case; null for all. Models without weight in them need not be loaded.
    /// </summary>
    public IReadOnlyCollection<string>? Needed =>
        StemMp4 || Mixdown is not null ? null
        : TwoStems is null ? Stems
        : TwoStemsMethod == TwoStemsMethod.Minus ? [TwoStems]
        : null;

    /// <summary>Refuses what cannot go together, whatever the model.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    public void Check()
    {
        bool some = Stems is { Count: > 0 };
        if (some && TwoStems is not null)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                "A choice of stems and two stems cannot be combined. Choose one of them."
            );
        if (StemMp4 && (some || TwoStems is not null || Residual || Mixdown is not null))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                "A .stem.mp4 file contains the mix and all four stems. Leave out the choice of stems, two stems, the residual and the mixdown, or choose another format."
            );
        if (Residual && TwoStems is not null && TwoStemsMethod == TwoStemsMethod.Minus)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                "The residual cannot be combined with the method minus: the two stems sum to the mix. Leave the residual out, or use the method add."
            );
        if (TwoStems is null && TwoStemsMethod != TwoStemsMethod.Add)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                "The method for two stems needs two stems. Name the stem, or leave the method out."
            )
            {
                Parameter = EngineParameter.TwoStemsMethod,
            };
    }

    /// <summary>The outputs for a model.</summary>
    /// <param name="stems">The model's stems.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the model has no such stem, or the choice contradicts
    /// itself.</exception>
    public StemMatrix Select(IReadOnlyList<string> stems)
    {
        Check();
        if (StemMp4)
            return StemMatrix.StemMp4(stems);
        StemMatrix selection =
            TwoStems is not null ? StemMatrix.TwoStems(stems, TwoStems, TwoStemsMethod)
            : Stems is { Count: > 0 } || Mixdown is null || Residual ? StemMatrix.Choose(stems, Stems)
            : StemMatrix.None;
        if (Residual)
            selection = selection.WithResidual();
        return Mixdown is null ? selection : selection.WithMixdown(stems, Mixdown);
    }
}
