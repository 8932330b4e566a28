using DemucsPS.Engine;

namespace DemucsPS.Cli;

/// <summary>Says what can be done against errors by the names of this program's options.</summary>
internal static class Advice
{
    /// <summary>An error's message with what can be done.</summary>
    public static string Of(DemucsException error) => Of(error.Parameter is { } parameter && OptionOf(parameter) is { } option ? $"{error.Message} The option is {option}." : error.Message, error.Remedies);

    /// <summary>A message with what can be done.</summary>
    public static string Of(string message, IEnumerable<Remedy> remedies) => string.Join(' ', remedies.Select(Sentence).OfType<string>().Prepend(message));

    /// <summary>An error as a line of stderr, which ends with the id that scripts look for.</summary>
    public static string LineOf(DemucsException error) => $"error: {Of(error)} [{error.Error}]";

    private static string? OptionOf(EngineParameter parameter) => parameter switch
    {
        EngineParameter.Jobs => "--jobs",
        EngineParameter.Threads => "--threads",
        EngineParameter.Shifts => "--shifts",
        EngineParameter.RetryCount => "--retry",
        EngineParameter.Overlap => "--overlap",
        EngineParameter.Segment => "--segment",
        EngineParameter.StreamIndex => "--stream-index",
        EngineParameter.SampleRate => "--sample-rate",
        EngineParameter.BitDepth => "--bit-depth",
        EngineParameter.BitRate => "--bit-rate",
        EngineParameter.Quality => "--quality",
        EngineParameter.Mixdown => "--mixdown",
        EngineParameter.ValueSeparator => "--value-separator",
        EngineParameter.Shard => "--shard",
        EngineParameter.TimeLimit => "--time-limit",
        // Chunks are cut and joined one by one in PowerShell only.
        _ => null,
    };

    private static string? Sentence(Remedy remedy) => remedy switch
    {
        Remedy.Replace => "With --force it is replaced.",
        Remedy.StartAnew => "With --force it is begun anew.",
        Remedy.Resume => "With --resume it is continued.",
        Remedy.SkipExisting => "With --skip-existing tracks that are done are skipped, and with --resume interrupted ones are continued.",
        Remedy.Recurse => "With --recurse folders in it are taken, too.",
        Remedy.AcceptLicense => "With --accept-license it is accepted.",
        Remedy.Reinstall => "'demucsps models install' with --force fetches it again.",
        Remedy.SkipProviderCheck => "With --skip-provider-check it is used all the same.",
        Remedy.NoPreparation => "With --no-preparation the model runs as it is.",
        Remedy.PassOverDamage => "With --on-damage warn it is read all the same, with silence for what is lost.",
        Remedy.PrepareOnly => "With --no-submit the job's folder is made all the same, and 'demucsps slurm run --local' works on it without Slurm.",
        // Chunks are joined in PowerShell only.
        _ => null,
    };
}
