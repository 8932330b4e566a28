using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Audio.FFmpeg;

/// <summary>Finds the ffmpeg program, which decodes everything but WAV, AIFF and FLAC.</summary>
internal static class FFmpegLocator
{
    /// <summary>The environment variable with the path of the executable; it takes precedence over PATH.</summary>
    public const string EnvironmentVariable = "DEMUCSPS_FFMPEG";

    /// <summary>Looks at $DEMUCSPS_FFMPEG, then along PATH.</summary>
    /// <returns>The full path of the executable; null when there is none.</returns>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.FFmpegNotFound"/>: the variable is set to something that is not the full path of an executable, or to a batch
    /// file.
    /// A wrong setting is not silently ignored, because another ffmpeg may behave differently.
    /// </exception>
    public static string? Find() =>
        Find(Environment.GetEnvironmentVariable(EnvironmentVariable), Environment.GetEnvironmentVariable("PATH"));

    /// <summary>The same for given values of both variables.</summary>
    internal static string? Find(string? configured, string? searchPath)
    {
        if (!string.IsNullOrWhiteSpace(configured))
        {
            // Windows starts them with its command interpreter, to which some characters in names of files are commands.
            if (Path.GetExtension(configured).ToUpperInvariant() is ".CMD" or ".BAT")
                throw Wrong(
                    configured,
                    "which is a batch file. File names cannot be passed to batch files safely. Set it to the full path of the ffmpeg.exe that the batch file starts."
                );
            if (Path.IsPathFullyQualified(configured) && IsExecutable(configured))
                return configured;
            throw Wrong(
                configured,
                "which is not the full path of an executable file. Correct it, or remove it to use the ffmpeg on PATH."
            );
        }

        string name = OperatingSystem.IsWindows() ? "ffmpeg.exe" : "ffmpeg";
        foreach (
            string entry in (searchPath ?? "").Split(
                Path.PathSeparator,
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
            )
        )
        {
            // Windows users quote entries; relative ones would depend on the current directory.
            string folder = entry.Trim('"');
            if (!Path.IsPathFullyQualified(folder))
                continue;
            string candidate = Path.Combine(folder, name);
            if (IsExecutable(candidate))
                return candidate;
        }

        return null;
    }

    private static DemucsException Wrong(string configured, string what) =>
        new(DemucsError.FFmpegNotFound, $"The environment variable {EnvironmentVariable} is '{configured}', {what}", configured);

    private static bool IsExecutable(string path)
    {
        if (!File.Exists(path))
            return false;
        if (OperatingSystem.IsWindows())
            return true;
        const UnixFileMode Anyone = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        try
        {
            return (File.GetUnixFileMode(path) & Anyone) != 0;
        }
        catch (Exception exception) when (exception.IsFileError())
        {
            return false;
        }
    }
}
