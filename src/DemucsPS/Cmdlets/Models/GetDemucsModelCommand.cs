using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Models;

namespace DemucsPS.Cmdlets;

/// <summary>
/// <c>Get-DemucsModel</c>: the models that are installed, built in or in the catalog; or the prepared copies of models in the cache.
/// </summary>
[Cmdlet(VerbsCommon.Get, "DemucsModel", DefaultParameterSetName = NameSet)]
[OutputType(typeof(ModelInfo), ParameterSetName = [NameSet])]
[OutputType(typeof(CachedCopy), ParameterSetName = [CacheSet])]
public sealed class GetDemucsModelCommand : ModelCommand
{
    private const string NameSet = "Name",
        CacheSet = "Cache";

    /// <summary>Names; wildcards are allowed. All models without it.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ParameterSetName = NameSet)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <summary>List the prepared copies in the cache.</summary>
    [Parameter(Mandatory = true, ParameterSetName = CacheSet)]
    public SwitchParameter Cache { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Cache)
            WithCache(cache => WriteObject(cache.List(), enumerateCollection: true));
        else
            ForEach(Name, Describe);
    }

    private void Describe(string name)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(name))
        {
            WriteObject(
                Library.Describe(name)
                    ?? throw new DemucsException(
                        DemucsError.DemucsModelNotFound,
                        $"There is no model named '{name}', either installed or in the catalog. Get-DemucsModel lists all models.",
                        name
                    )
            );
            return;
        }
        WildcardPattern pattern = new(name, WildcardOptions.IgnoreCase);
        WriteObject(Library.List(e => WriteError(e.ToRecord(e.Path))).Where(m => pattern.IsMatch(m.Name)), enumerateCollection: true);
    }
}
