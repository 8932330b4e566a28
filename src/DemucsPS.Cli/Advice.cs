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
            EngineParameter.FrameSize => "--frame-size",
            EngineParameter.HopSize => "--hop-size",
            EngineParameter.Width => "--width",
            EngineParameter.Height => "--height",
            EngineParameter.Dpi => "--dpi",
            EngineParameter.MinDb => "--min-db",
            EngineParameter.MaxDb => "--max-db",
            EngineParameter.MinFrequency => "--min-frequency",
            EngineParameter.MaxFrequency => "--max-frequency",
            EngineParameter.Start => "--start",
            EngineParameter.Duration => "--duration",
            EngineParameter.Window => "--window",
            EngineParameter.Hop => "--hop",
            EngineParameter.Metric => "--metric",
            EngineParameter.Stem => "--stem",
            EngineParameter.StemName => "--stem-name",
            EngineParameter.TwoStems => "--two-stems",
            EngineParameter.TwoStemsMethod => "--two-stems-method",
            EngineParameter.FileNameTemplate => "--file-name-template",
            EngineParameter.ChannelLayout => "--channel-layout",
            EngineParameter.ProviderLibrary => "--provider-library",
            EngineParameter.ProviderOption => "--provider-option",
            EngineParameter.CpusPerTask => "--cpus-per-task",
            EngineParameter.Throttle => "--throttle",
            EngineParameter.SbatchOption => "--sbatch",
            EngineParameter.RealTimeFactor => "--real-time-factor",
            EngineParameter.MaxTasks => "--max-tasks",
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
            Remedy.SkipFinished => "Use --skip-existing to skip finished tracks.",
            Remedy.Recurse => "Use --recurse to include subfolders.",
            Remedy.AcceptLicense => "Use --accept-license to accept it.",
            Remedy.Reinstall => "Use 'demucsps models install' with --force to install it again.",
            Remedy.SkipProviderCheck => "Use --skip-provider-check to use it anyway.",
            Remedy.NoPreparation => "Use --no-preparation to run the model without preparation.",
            Remedy.PassOverDamage => "Use --on-damage warn to read what can be read.",
            Remedy.PrepareOnly =>
                "Use --no-submit to create the job's folder anyway, and 'demucsps slurm run JOB --local' to run it without Slurm.",
            Remedy.InstallProvider => "Use 'demucsps providers install' with --source FILE to install it.",
            // Chunks are joined in PowerShell only.
            _ => null,
        };
}
