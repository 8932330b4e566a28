using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using DemucsPS.Engine.Models;

namespace DemucsPS;

/// <summary>Completes models: the built-in one, then folders and .onnx and .ort files.</summary>
public sealed class ModelCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        if (ModelSource.BaselineName.StartsWith(wordToComplete.Trim('\'', '"'), StringComparison.OrdinalIgnoreCase))
            yield return new CompletionResult(ModelSource.BaselineName, ModelSource.BaselineName, CompletionResultType.ParameterValue, "built in; classical signal processing, not Demucs");
        foreach (CompletionResult file in CompletionCompleters.CompleteFilename(wordToComplete))
        {
            if (file.ResultType == CompletionResultType.ProviderContainer || Path.GetExtension(file.ListItemText).ToUpperInvariant() is ".ONNX" or ".ORT")
                yield return file;
        }
    }
}
