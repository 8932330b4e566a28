using System.Management.Automation;
using DemucsPS.Engine.Models;

namespace DemucsPS.Cmdlets;

/// <summary><c>Remove-DemucsModel</c>: takes installed models out of the models folder.</summary>
[Cmdlet(VerbsCommon.Remove, "DemucsModel", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class RemoveDemucsModelCommand : ModelCommand
{
    /// <summary>Names of models or bags.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEach(Name, name =>
    {
        ModelInstaller installer = new(Library);
        foreach (string folder in installer.Removable(name))
        {
            if (ShouldProcess(folder, "Remove the model with all files in its folder"))
                installer.Remove(Path.GetFileName(folder));
        }
    });
}
