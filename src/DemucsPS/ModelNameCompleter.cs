using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using DemucsPS.Engine;
using DemucsPS.Engine.Models;

namespace DemucsPS;

/// <summary>Completes names of models: those of the catalog and those that are installed.</summary>
public sealed class ModelNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters
    ) => Complete(wordToComplete, model => commandName switch
            {
                "Install-DemucsModel" => !model.Installed,
                "Remove-DemucsModel" => model.Installed && model.Name != ModelSource.BaselineName,
                "Test-DemucsModel" => model.Installed,
                _ => true,
            });

    /// <summary>The names that begin like a word, those of usable models first.</summary>
    internal static IEnumerable<CompletionResult> Complete(string word, Func<ModelInfo, bool> wanted)
    {
        IReadOnlyList<ModelInfo> models;
        try
        {
            models = ModelLibrary.Open().List(_ => { });
        }
        catch (DemucsException)
        {
            // What is wrong with a catalog, or with a folder, the command says; a completion has no place for it.
            return [];
        }
        return models
            .Where(m => wanted(m) && m.Name.StartsWith(word.Trim('\'', '"'), StringComparison.OrdinalIgnoreCase))
            .OrderBy(m => !m.Installed)
            .Select(m => new CompletionResult(
                m.Name,
                m.Name,
                CompletionResultType.ParameterValue,
                $"{(m.Installed ? "" : "not installed; ")}{(m.Description.Length > 0 ? m.Description : "your own model")}"
            ));
    }
}
