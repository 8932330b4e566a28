using System.Management.Automation;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Installation;

namespace DemucsPS.Cmdlets;

/// <summary><c>Remove-DemucsModel</c>: removes installed models, or empties the cache of prepared copies.</summary>
[Cmdlet(VerbsCommon.Remove, "DemucsModel", SupportsShouldProcess = true, DefaultParameterSetName = NameSet)]
[OutputType(typeof(void))]
public sealed class RemoveDemucsModelCommand : ModelCommand
{
    private const string NameSet = "Name",
        CacheSet = "Cache";

    /// <summary>Names of models or bags.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = NameSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Remove the prepared copies in the cache.</summary>
    [Parameter(Mandatory = true, ParameterSetName = CacheSet)]
    public SwitchParameter Cache { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Cache)
            WithCache(cache => ForEach(cache.List(), copy => RemoveCopy(cache, copy)));
        else
            ForEach(Name, RemoveModel);
    }

    private void RemoveModel(string name)
    {
        ModelInstaller installer = new(Library);
        foreach (string folder in installer.Removable(name))
        {
            if (ShouldProcess(folder, "Remove the model with all files in its folder and its prepared copies"))
                installer.Remove(Path.GetFileName(folder), Stop.Token);
        }
    }

    private void RemoveCopy(PreparationCache cache, CachedCopy copy)
    {
        if (ShouldProcess(copy.Path, "Remove the prepared copy"))
            cache.Remove(copy);
    }
}
