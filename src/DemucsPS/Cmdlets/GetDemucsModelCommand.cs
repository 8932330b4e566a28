using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Models;

namespace DemucsPS.Cmdlets;

/// <summary><c>Get-DemucsModel</c>: the models that are installed, built in or in the catalogue.</summary>
[Cmdlet(VerbsCommon.Get, "DemucsModel")]
[OutputType(typeof(ModelInfo))]
public sealed class GetDemucsModelCommand : ModelCommand
{
    /// <summary>Names; wildcards are allowed. All models without it.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEach(Name, name =>
    {
        if (!WildcardPattern.ContainsWildcardCharacters(name))
        {
            WriteObject(Library.Describe(name) ?? throw new DemucsException(DemucsError.DemucsModelNotFound, $"There is no model named '{name}', neither installed nor in the catalogue. Get-DemucsModel lists all.", name));
            return;
        }
        WildcardPattern pattern = new(name, WildcardOptions.IgnoreCase);
        WriteObject(Library.List().Where(m => pattern.IsMatch(m.Name)), enumerateCollection: true);
    });
}
