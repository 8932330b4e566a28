using System.Management.Automation;
using DemucsPS.Engine;

namespace DemucsPS;

/// <summary>Makes error records of the engine's errors. The record's id is the error's stable name.</summary>
internal static class EngineErrors
{
    /// <summary>The record of an error.</summary>
    /// <param name="error">The engine's error.</param>
    /// <param name="target">What the user passed.</param>
    public static ErrorRecord ToRecord(this DemucsException error, object? target) => new(error, error.Error.ToString(), Category(error.Error), target);

    private static ErrorCategory Category(DemucsError error) => error switch
    {
        DemucsError.AudioTrackNotFound or DemucsError.DemucsModelNotFound or DemucsError.StemChunkMissing => ErrorCategory.ObjectNotFound,
        DemucsError.AudioFormatUnsupported or DemucsError.AudioTrackCorrupt or DemucsError.TrackListInvalid or DemucsError.DemucsModelInvalid or DemucsError.ModelHashMismatch or DemucsError.CatalogueInvalid or DemucsError.ProvenanceInvalid
            => ErrorCategory.InvalidData,
        DemucsError.FFmpegNotFound or DemucsError.OnnxRuntimeUnavailable or DemucsError.ExecutionProviderUnavailable => ErrorCategory.NotInstalled,
        DemucsError.ParameterInvalid or DemucsError.ChunkLengthMismatch or DemucsError.StemChunkDoubled => ErrorCategory.InvalidArgument,
        DemucsError.StemExists or DemucsError.SeparationUnfinished => ErrorCategory.ResourceExists,
        DemucsError.StemWriteFailed or DemucsError.ModelWriteFailed => ErrorCategory.WriteError,
        DemucsError.ModelDownloadFailed => ErrorCategory.ConnectionError,
        DemucsError.ModelInUse or DemucsError.SeparationRunning => ErrorCategory.ResourceBusy,
        DemucsError.LicenseNotAccepted => ErrorCategory.PermissionDenied,
        DemucsError.ResumeMismatch => ErrorCategory.InvalidOperation,
        DemucsError.OutOfMemory => ErrorCategory.ResourceUnavailable,
        _ => ErrorCategory.NotSpecified,
    };
}
