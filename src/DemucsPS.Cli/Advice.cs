using DemucsPS.Engine;

namespace DemucsPS.Cli;

/// <summary>Says what can be done against errors by the names of this program's options.</summary>
internal static class Advice
{
    /// <summary>An error's message with what can be done.</summary>
    public static string Of(DemucsException error) =>
        Of(
            error.Parameter is { } parameter && OptionOf(parameter) is { } option
                ? $"{error.Message} The option is {option}."
                : error.Message,
            error.Remedies
        );

    /// <summary>A message with what can be done.</summary>
    public static string Of(string message, IEnumerable<Remedy> remedies) =>
        string.Join(' ', remedies.Select(Sentence).OfType<string>().Prepend(message));

    /// <summary>An error as a line of stderr, which ends with the id that scripts look for.</summary>
    public static string LineOf(DemucsException error) => $"error: {Of(error)} [{error.Error}]";

    private static string? OptionOf(EngineParameter parameter) =>
        parameter switch
        {
            EngineParameter.Jobs => "--jobs",
            EngineParameter.BatchSize => "--batch-size",
            EngineParameter.Threads => "--threads",
            EngineParameter.Shifts => "--shifts",
            EngineParameter.RetryCount => "--retry",
            EngineParameter.Overlap => "--overlap",
            EngineParameter.TransitionPower => "--transition-power",
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
            EngineParameter.TaskLength => "--task-length",
            // Chunks are cut and joined one by one in PowerShell only.
            _ => null,
        };

    private static string? Sentence(Remedy remedy) =>
        remedy switch
        {
            Remedy.Replace => "Use --force to replace it.",
            Remedy.StartAnew => "Use --force to start over.",
            Remedy.Resume => "Use --resume to continue.",
            Remedy.SkipExisting => "Use --skip-existing to skip finished tracks, and --resume to continue interrupted ones.",
            Remedy.Recurse => "Use --recurse to include subfolders.",
            Remedy.AcceptLicense => "Use --accept-license to accept it.",
            Remedy.Reinstall => "Use 'demucsps models install' with --force to install it again.",
            Remedy.SkipProviderCheck => "Use --skip-provider-check to use it anyway.",
            Remedy.NoPreparation => "Use --no-preparation to run the model without preparation.",
            Remedy.PassOverDamage => "Use --on-damage warn to read what can be read.",
            Remedy.PrepareOnly =>
                "Use --no-submit to create the job's folder anyway, and 'demucsps slurm run JOB --local' to run it without Slurm.",
            // Chunks are joined in PowerShell only.
            _ => null,
        };
}
