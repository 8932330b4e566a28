using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Cmdlets;

/// <summary><c>Remove-DemucsProvider</c>: removes the plug-in library of an execution provider that was installed.</summary>
[Cmdlet(VerbsCommon.Remove, "DemucsProvider", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class RemoveDemucsProviderCommand : PSCmdlet
{
    /// <summary>What is to be removed.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    public ExecutionProvider ExecutionProvider { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            if (ShouldProcess(ProviderInstaller.FolderOf(ExecutionProvider), "Remove the execution provider with all files in its folder"))
                ProviderInstaller.Remove(ExecutionProvider);
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Path));
        }
    }
}
