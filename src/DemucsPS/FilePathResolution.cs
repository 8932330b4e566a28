using System.Collections.ObjectModel;
using System.Management.Automation;
using DemucsPS.Engine;

namespace DemucsPS;

/// <summary>
/// Resolves what users pass as paths by the session's own location and drives, never by the process's working folder, which is another one. Only the file system
/// provider will do.
/// </summary>
internal static class FilePathResolution
{
    private const string FileSystem = "FileSystem";

    /// <summary>The files that a pattern matches.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/>: none, or not in the file system.</exception>
    public static IReadOnlyCollection<string> ResolvePattern(this PSCmdlet cmdlet, string pattern)
    {
        try
        {
            // A name that exists as it stands is meant so, even if it has brackets.
            if (WildcardPattern.ContainsWildcardCharacters(pattern))
            {
                string literal = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(pattern, out ProviderInfo literalProvider, out _);
                if (literalProvider.Name == FileSystem && File.Exists(literal))
                    return [literal];
            }
            Collection<string> found = cmdlet.GetResolvedProviderPathFromPSPath(pattern, out ProviderInfo provider);
            CheckProvider(provider, pattern);
            return found.Count > 0 ? found : throw NotFound(pattern, "No file matches", null);
        }
        catch (Exception e) when (e is ItemNotFoundException or System.Management.Automation.DriveNotFoundException or ProviderNotFoundException)
        {
            throw NotFound(pattern, "There is no file", e);
        }
    }

    /// <summary>The full path of a literal path, which need not exist.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/>: it is not in the file system.</exception>
    public static string ResolveLiteral(this PSCmdlet cmdlet, string path)
    {
        try
        {
            string full = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
            CheckProvider(provider, path);
            return full;
        }
        catch (Exception e) when (e is System.Management.Automation.DriveNotFoundException or ProviderNotFoundException)
        {
            throw NotFound(path, "There is no file", e);
        }
    }

    private static void CheckProvider(ProviderInfo provider, string path)
    {
        if (provider.Name != FileSystem)
            throw new DemucsException(DemucsError.AudioTrackNotFound, $"'{path}' is not a file: it belongs to the provider '{provider.Name}'. Give a path of the file system.", path);
    }

    private static DemucsException NotFound(string path, string what, Exception? cause) =>
        new(DemucsError.AudioTrackNotFound, $"{what} '{path}'. Check the path, or use -LiteralPath for names with brackets.", path, cause);
}
