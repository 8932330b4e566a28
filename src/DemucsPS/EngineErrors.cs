using System.Management.Automation;
using DemucsPS.Engine;

namespace DemucsPS;

/// <summary>
/// Makes error records of the engine's errors. The record's id is the error's stable name; what it says has the names of this module's
/// parameters, which the engine does not know.
/// </summary>
internal static class EngineErrors
{
    /// <summary>The record of an error.</summary>
    /// <param name="error">The engine's error.</param>
    /// <param name="target">What the user passed.</param>
    public static ErrorRecord ToRecord(this DemucsException error, object? target)
    {
        ErrorRecord record = new(error, error.Error.ToString(), Category(error.Error), target);
        string text = error.ToText();
        if (text != error.Message)
        {
            // PowerShell shows what is recommended once more, by itself: only what can be done, not what it is about.
            record.ErrorDetails = new ErrorDetails(text) { RecommendedAction = string.Join(' ', error.Remedies.Select(Advice)) };
        }
        return record;
    }

    /// <summary>An error's message with what can be done.</summary>
    public static string ToText(this DemucsException error) => $"{error.Message} {AdviceOf(error)}".TrimEnd();

    private static string AdviceOf(DemucsException error) =>
        string.Join(
            ' ',
            error
                .Remedies.Select(Advice)
                .Prepend(error.Parameter is { } parameter && NameOf(parameter) is { } name ? $"The parameter is -{name}." : null)
                .OfType<string>()
        );

    private static string? NameOf(EngineParameter parameter) =>
        parameter switch
        {
            EngineParameter.Jobs => "ThrottleLimit",
            EngineParameter.ChunkLength => "Length",
            // These are the console's only.
            EngineParameter.Threads or EngineParameter.Shard => null,
            _ => parameter.ToString(),
        };

    private static string Advice(Remedy remedy) =>
        remedy switch
        {
            Remedy.Replace => "Use -Force to replace it.",
            Remedy.StartAnew => "Use -Force to start over.",
            Remedy.Resume => "Use -Resume to continue.",
            Remedy.SkipExisting => "Use -SkipExisting to skip finished tracks, and -Resume to continue interrupted ones.",
            Remedy.SkipFinished => "Use -SkipExisting to skip finished tracks.",
            Remedy.Recurse => "Use -Recurse to include subfolders.",
            Remedy.JoinIncomplete => "Use -Force to join anyway, with silence for what is missing.",
            Remedy.JoinFirst => "Use -Force to join the first ones.",
            Remedy.AcceptLicense => "Use -AcceptLicense to accept it.",
            Remedy.Reinstall => "Use Install-DemucsModel with -Force to install it again.",
            Remedy.SkipProviderCheck => "Use -SkipProviderCheck to use it anyway.",
            Remedy.NoPreparation => "Use -NoPreparation to run the model without preparation.",
            Remedy.ShowUnasked => "Use -Force to write it anyway.",
            Remedy.PassOverDamage => "Use -OnDamage Warn to read what can be read.",
            Remedy.PrepareOnly =>
                "Use Submit-DemucsJob with -NoSubmit to create the job's folder anyway, and 'demucsps slurm run' to run it without Slurm.",
            Remedy.InstallProvider => "Use Install-DemucsProvider with -Source FILE to install it.",
            _ => throw new ArgumentOutOfRangeException(nameof(remedy), remedy, null),
        };

    private static ErrorCategory Category(DemucsError error) =>
        error switch
        {
            DemucsError.AudioTrackNotFound or DemucsError.DemucsModelNotFound or DemucsError.StemChunkMissing =>
                ErrorCategory.ObjectNotFound,
            DemucsError.AudioFormatUnsupported
            or DemucsError.AudioTrackCorrupt
            or DemucsError.TrackListInvalid
            or DemucsError.DemucsModelInvalid
            or DemucsError.PreparationRefused
            or DemucsError.ProviderRefused
            or DemucsError.ModelHashMismatch
            or DemucsError.CatalogInvalid
            or DemucsError.ProvenanceInvalid
            or DemucsError.StemsNotComparable
            or DemucsError.ClusterJobInvalid
            or DemucsError.ProviderPackageInvalid => ErrorCategory.InvalidData,
            DemucsError.FFmpegNotFound
            or DemucsError.OnnxRuntimeUnavailable
            or DemucsError.ExecutionProviderUnavailable
            or DemucsError.ProviderLibraryInvalid
            or DemucsError.PictureUnavailable
            or DemucsError.SchedulerNotFound => ErrorCategory.NotInstalled,
            DemucsError.ParameterInvalid or DemucsError.ChunkLengthMismatch or DemucsError.StemChunkDoubled =>
                ErrorCategory.InvalidArgument,
            DemucsError.StemExists or DemucsError.SeparationUnfinished or DemucsError.PictureExists or DemucsError.ClusterJobExists =>
                ErrorCategory.ResourceExists,
            DemucsError.StemWriteFailed
            or DemucsError.ModelWriteFailed
            or DemucsError.PictureWriteFailed
            or DemucsError.ProviderWriteFailed => ErrorCategory.WriteError,
            DemucsError.ModelDownloadFailed => ErrorCategory.ConnectionError,
            DemucsError.ModelInUse or DemucsError.SeparationRunning or DemucsError.ClusterJobRunning => ErrorCategory.ResourceBusy,
            DemucsError.SchedulerRefused => ErrorCategory.LimitsExceeded,
            DemucsError.LicenseNotAccepted => ErrorCategory.PermissionDenied,
            DemucsError.ResumeMismatch or DemucsError.WorkerDied => ErrorCategory.InvalidOperation,
            DemucsError.SixelUnsupported or DemucsError.ExecutionProviderFailed => ErrorCategory.DeviceError,
            DemucsError.OutOfMemory => ErrorCategory.ResourceUnavailable,
            _ => ErrorCategory.NotSpecified,
        };
}
