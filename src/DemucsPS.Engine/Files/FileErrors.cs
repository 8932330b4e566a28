namespace DemucsPS.Engine.Files;

/// <summary>Tells errors of the file system, which are a user's matter and get a sentence, from faults of the program.</summary>
internal static class FileErrors
{
    /// <summary>
    /// Whether the file system refused something: no such file, no permission, no space, a path that is too long, a device that fails.
    /// </summary>
    public static bool IsFileError(this Exception e) => e is IOException or UnauthorizedAccessException;
}
