using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Records;

/// <summary>
/// A source file by what is in it. Where it lies and when it was written are for people: a file that was moved or touched is still the
/// same.
/// </summary>
/// <param name="Path">Full path.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Modified">When it was last written.</param>
/// <param name="Sha256">Hash of its bytes, in lower-case hexadecimal digits.</param>
internal sealed record SourceIdentity(string Path, long Bytes, DateTime Modified, string Sha256)
{
    /// <summary>Reads a file to its end.</summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/>: it cannot be read;
    /// <see cref="DemucsError.AudioTrackCorrupt"/>: it changes meanwhile.</exception>
    public static SourceIdentity Compute(TrackSource source, CancellationToken cancellationToken)
    {
        try
        {
            (long bytes, DateTime modified) = Stamp(source.Path);
            SourceIdentity identity = new(source.Path, bytes, modified, DurableFiles.Hash(source.Path, cancellationToken));
            identity.CheckUnchanged();
            return identity;
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.AudioTrackNotFound,
                $"'{source.Path}' cannot be read: {e.Message} Check the path and the file's permissions.",
                source.Path,
                e
            );
        }
    }

    /// <summary>Length and time of a file that is about to be read; null if there is none.</summary>
    public static (long Bytes, DateTime Modified)? Before(TrackSource source) => Seen(source.Path);

    /// <summary>Checks that the file has not changed since. A deleted file is not checked: an open file stays readable.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: it has changed.</exception>
    public void CheckUnchanged()
    {
        if (Seen(Path) is { } now)
            CheckUnchanged(now);
    }

    /// <summary>Checks that the file was like this at another moment, too.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: it was not.</exception>
    public void CheckUnchanged((long Bytes, DateTime Modified)? other)
    {
        if (other != (Bytes, Modified))
            throw new DemucsException(
                DemucsError.AudioTrackCorrupt,
                $"'{Path}' changed during the separation. Try again when no other program writes to it.",
                Path
            );
    }

    private static (long Bytes, DateTime Modified)? Seen(string path)
    {
        try
        {
            return File.Exists(path) ? Stamp(path) : null;
        }
        catch (Exception e) when (e.IsFileError())
        {
            // A link that leads nowhere exists. Opening it says what is wrong.
            return null;
        }
    }

    private static (long Bytes, DateTime Modified) Stamp(string path)
    {
        FileInfo file = RegularFile.Info(path);
        return (file.Length, file.LastWriteTimeUtc);
    }
}
