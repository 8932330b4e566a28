using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace DemucsPS;

/// <summary>Completes names of stems: those of the four- and six-stem models.</summary>
public sealed class StemCompleter : IArgumentCompleter
{
    private static readonly string[] s_names = ["drums", "bass", "other", "vocals", "guitar", "piano"];

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters
    ) =>
        s_names
            .Where(name => name.StartsWith(wordToComplete.Trim('\'', '"'), StringComparison.OrdinalIgnoreCase))
            .Select(name => new CompletionResult(name));
}
