using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace DemucsPS;

/// <summary>Completes models: names of the catalogue and of installed models, those that can be used first, then folders, .onnx and .ort files.</summary>
public sealed class ModelCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        foreach (CompletionResult name in ModelNameCompleter.Complete(wordToComplete, _ => true))
            yield return name;
        foreach (CompletionResult file in CompletionCompleters.CompleteFilename(wordToComplete))
        {
            if (file.ResultType == CompletionResultType.ProviderContainer || Path.GetExtension(file.ListItemText).ToUpperInvariant() is ".ONNX" or ".ORT")
                yield return file;
        }
    }
}
