using System.Collections.ObjectModel;
using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Models;

namespace DemucsPS;

/// <summary>
/// Resolves what users pass as paths by the session's own location and drives, never by the process's working folder, which is another one. Only the file system
/// provider will do.
/// </summary>
internal static class FilePathResolution
{
    private const string FileSystem = "FileSystem";

    /// <summary>The files that a user named, one by one; what cannot be resolved becomes an error record each.</summary>
    /// <param name="cmdlet">The cmdlet; errors go to it.</param>
    /// <param name="given">What the user passed.</param>
    /// <param name="literal">Whether names are taken as they are.</param>
    /// <param name="failed">Told of each that cannot be resolved.</param>
    /// <returns>Full paths, each with what errors should name: what the user passed; of a pattern's files, the one concerned.</returns>
    public static IEnumerable<(string File, string Target)> ResolveFiles(this PSCmdlet cmdlet, string[] given, bool literal, Action? failed = null)
    {
        foreach (string name in given)
        {
            IEnumerable<string> files;
            try
            {
                files = literal ? [cmdlet.ResolveLiteral(name)] : cmdlet.ResolvePattern(name);
            }
            catch (DemucsException e)
            {
                failed?.Invoke();
                cmdlet.WriteError(e.ToRecord(name));
                continue;
            }
            bool several = !literal && (WildcardPattern.ContainsWildcardCharacters(name) || name.Contains('`', StringComparison.Ordinal));
            foreach (string file in files)
                yield return (file, several ? file : name);
        }
    }

    /// <summary>The models that a user named, or the default.</summary>
    /// <param name="cmdlet">The cmdlet, whose location counts.</param>
    /// <param name="given">Names of models or bags, or paths; null for the default.</param>
    /// <param name="weights">One row a model, or null.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>, <see cref="DemucsError.CatalogueInvalid"/> or <see cref="DemucsError.ParameterInvalid"/>.</exception>
    public static ModelSelection SelectModels(this PSCmdlet cmdlet, string[]? given, double[][]? weights) =>
        ModelLibrary.Open().Select(given ?? [], weights, path => cmdlet.ResolveLiteral(path, DemucsError.DemucsModelNotFound));

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
    /// <param name="cmdlet">The cmdlet, whose location counts.</param>
    /// <param name="path">What the user passed.</param>
    /// <param name="otherwise">The error where it is not in the file system.</param>
    /// <exception cref="DemucsException"><paramref name="otherwise"/>.</exception>
    public static string ResolveLiteral(this PSCmdlet cmdlet, string path, DemucsError otherwise = DemucsError.AudioTrackNotFound)
    {
        try
        {
            string full = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
            CheckProvider(provider, path, otherwise);
            return full;
        }
        catch (Exception e) when (e is System.Management.Automation.DriveNotFoundException or ProviderNotFoundException)
        {
            throw new DemucsException(otherwise, $"'{path}' is not in the file system: {e.Message}", path, e);
        }
    }

    private static void CheckProvider(ProviderInfo provider, string path, DemucsError otherwise = DemucsError.AudioTrackNotFound)
    {
        if (provider.Name != FileSystem)
            throw new DemucsException(otherwise, $"'{path}' is not a file: it belongs to the provider '{provider.Name}'. Give a path of the file system.", path);
    }

    private static DemucsException NotFound(string path, string what, Exception? cause) =>
        new(DemucsError.AudioTrackNotFound, $"{what} '{path}'. Check the path, or use -LiteralPath for names with brackets.", path, cause);
}
