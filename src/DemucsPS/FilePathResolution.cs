using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Text;
using DemucsPS.Engine;
using DemucsPS.Engine.Models;

namespace DemucsPS;

/// <summary>
/// Resolves what users pass as paths by the session's own location and drives, never by the process's working folder, which is another one.
/// Only the file system provider will do.
/// </summary>
internal static class FilePathResolution
{
    private const string FileSystem = "FileSystem";

    /// <summary>The files that a user named, one by one; what cannot be resolved becomes an error record each.</summary>
    /// <param name="cmdlet">The cmdlet; errors go to it.</param>
    /// <param name="given">What the user passed.</param>
    /// <param name="literal">Whether names are literal.</param>
    /// <param name="failed">Receives each that cannot be resolved.</param>
    /// <param name="kind">What is looked for, for messages.</param>
    /// <returns>Full paths, each with what errors should name: what the user passed; of a pattern's files, the one concerned.</returns>
    public static IEnumerable<(string File, string Target)> ResolveFiles(
        this PSCmdlet cmdlet,
        string[] given,
        bool literal,
        Action? failed = null,
        string kind = "file"
    )
    {
        foreach (string name in given)
        {
            Collection<string> files;
            bool isPattern = false;
            try
            {
                files = literal ? [cmdlet.ResolveLiteral(name)] : cmdlet.ResolvePattern(name, out isPattern, kind);
            }
            catch (DemucsException e)
            {
                failed?.Invoke();
                cmdlet.WriteError(e.ToRecord(name));
                continue;
            }
            foreach (string file in files)
                yield return (file, isPattern ? file : name);
        }
    }

    /// <summary>The models that a user named, or the default.</summary>
    /// <param name="cmdlet">The cmdlet, whose location counts.</param>
    /// <param name="given">Names of models or bags, or paths; null for the default.</param>
    /// <param name="weights">One row a model, or null.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>, <see cref="DemucsError.CatalogInvalid"/> or
    /// <see cref="DemucsError.ParameterInvalid"/>.</exception>
    public static ModelSelection SelectModels(this PSCmdlet cmdlet, string[]? given, double[][]? weights) =>
        ModelLibrary.Open().Select(given ?? [], weights, path => cmdlet.ResolveLiteral(path, DemucsError.DemucsModelNotFound));

    /// <summary>The full path of a literal path, which need not exist.</summary>
    /// <param name="cmdlet">The cmdlet, whose location counts.</param>
    /// <param name="path">What the user passed.</param>
    /// <param name="otherwise">The error if it is not in the file system.</param>
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

    /// <summary>
    /// The files and folders that a name or a pattern stands for. What exists as it stands is meant so, even if it has brackets: the whole
    /// name, or folders that it begins with.
    /// </summary>
    /// <param name="cmdlet">The cmdlet, whose location counts.</param>
    /// <param name="pattern">What the user passed.</param>
    /// <param name="isPattern">Whether wildcards were put to use.</param>
    /// <param name="kind">What is looked for, for messages.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/>: none, or not in the file system.</exception>
    private static Collection<string> ResolvePattern(this PSCmdlet cmdlet, string pattern, out bool isPattern, string kind)
    {
        isPattern = WildcardPattern.ContainsWildcardCharacters(pattern) || pattern.Contains('`', StringComparison.Ordinal);
        try
        {
            string literal = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(pattern, out ProviderInfo provider, out _);
            CheckProvider(provider, pattern);
            if (isPattern && Path.Exists(literal))
            {
                isPattern = false;
                return [literal];
            }
            // By the provider's name, since a share's path would be looked for in the current location's provider.
            Collection<string> found = cmdlet.GetResolvedProviderPathFromPSPath(
                isPattern ? $"{FileSystem}::{EscapeFolders(literal)}" : pattern,
                out _
            );
            return found.Count > 0 ? found : throw NotFound(pattern, $"No {kind} matches", null);
        }
        catch (Exception e)
            when (e
                    is ItemNotFoundException
                        or System.Management.Automation.DriveNotFoundException
                        or ProviderNotFoundException
                        or WildcardPatternException
            )
        {
            throw NotFound(pattern, $"There is no {kind}", e);
        }
    }

    /// <summary>Takes the wildcards from the names of those folders at the beginning of a full path that exist as they stand.</summary>
    private static string EscapeFolders(string path)
    {
        string folder = Path.GetPathRoot(path) ?? "";
        StringBuilder escaped = new(folder);
        ReadOnlySpan<char> rest = path.AsSpan(folder.Length);
        while (rest.IndexOf(Path.DirectorySeparatorChar) is >= 0 and int end)
        {
            string name = rest[..end].ToString();
            if (Directory.Exists(Path.Join(folder, name)))
            {
                escaped.Append(WildcardPattern.Escape(name));
            }
            else
            {
                if (WildcardPattern.ContainsWildcardCharacters(name))
                    break;
                escaped.Append(name);
                name = WildcardPattern.Unescape(name);
            }
            escaped.Append(Path.DirectorySeparatorChar);
            folder = Path.Join(folder, name);
            rest = rest[(end + 1)..];
        }
        return escaped.Append(rest).ToString();
    }

    private static void CheckProvider(ProviderInfo provider, string path, DemucsError otherwise = DemucsError.AudioTrackNotFound)
    {
        if (provider.Name != FileSystem)
            throw new DemucsException(
                otherwise,
                $"'{path}' is not a file: it belongs to the provider '{provider.Name}'. Give a path of the file system.",
                path
            );
    }

    private static DemucsException NotFound(string path, string what, Exception? cause) =>
        new(
            DemucsError.AudioTrackNotFound,
            $"{what} '{path}'. Check the path{(WildcardPattern.ContainsWildcardCharacters(path) ? ", or use -LiteralPath for names with brackets" : "")}.",
            path,
            cause
        );
}
