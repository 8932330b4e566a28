using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using DemucsPS.Engine.Models;

namespace DemucsPS;

/// <summary>
/// Completes models: names of the catalog and of installed models, those that can be used first, then model files, files of bags, and
/// folders with model files in them or below.
/// </summary>
public sealed class ModelCompleter : IArgumentCompleter
{
    /// <summary>How far below a folder its models are looked for.</summary>
    private const int MostLevels = 3;

    /// <summary>Entries that are looked at for one completion, so that it stays quick on large disks and far shares.</summary>
    private const int MostEntries = 20_000;

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters
    )
    {
        foreach (CompletionResult name in ModelNameCompleter.Complete(wordToComplete, _ => true))
            yield return name;
        int left = MostEntries;
        foreach (CompletionResult file in CompletionCompleters.CompleteFilename(wordToComplete))
        {
            // The tip is the full path.
            if (
                file.ResultType == CompletionResultType.ProviderContainer
                    ? HoldsModels(new DirectoryInfo(file.ToolTip), ref left)
                    : ModelSource.IsModelFile(file.ListItemText) || ModelSource.IsBagFile(file.ListItemText)
            )
                yield return file;
        }
    }

    private static bool HoldsModels(DirectoryInfo folder, ref int left)
    {
        EnumerationOptions options = new()
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = MostLevels - 1,
            IgnoreInaccessible = true,
        };
        try
        {
            foreach (FileSystemInfo entry in folder.EnumerateFileSystemInfos("*", options))
            {
                if (--left < 0)
                    return false;
                if (entry is FileInfo && ModelSource.IsModelFile(entry.Name))
                    return true;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be read is not help.
        }
        return false;
    }
}
