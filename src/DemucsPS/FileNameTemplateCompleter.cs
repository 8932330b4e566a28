using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using DemucsPS.Engine.Naming;

namespace DemucsPS;

/// <summary>Completes the fields of a file name template, the one being typed or a new one after the existing text.</summary>
public sealed class FileNameTemplateCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters
    )
    {
        string text = wordToComplete.Trim('\'', '"');
        int open = text.LastIndexOf('{') is >= 0 and int brace && !text.AsSpan(brace).Contains('}') ? brace : text.Length;
        string begun = open < text.Length ? text[(open + 1)..] : "";
        return FileNameTemplate
            .Fields.Where(field => field.StartsWith(begun, StringComparison.OrdinalIgnoreCase))
            .Select(field =>
            {
                string completed = text[..open] + '{' + field + '}';
                // Without quotes, PowerShell takes braces for a script block.
                return new CompletionResult(
                    $"'{completed.Replace("'", "''", StringComparison.Ordinal)}'",
                    field,
                    CompletionResultType.ParameterValue,
                    completed
                );
            });
    }
}
