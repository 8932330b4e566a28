using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Cmdlets;

/// <summary><c>Get-DemucsDevice</c>: what there is to run models on, and why it can or cannot be used.</summary>
[Cmdlet(VerbsCommon.Get, "DemucsDevice")]
[OutputType(typeof(ExecutionDevice))]
public sealed class GetDemucsDeviceCommand : PSCmdlet
{
    /// <summary>A plug-in library to list in addition to those in the folder of plug-in libraries.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? ProviderLibrary { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            WriteObject(
                ExecutionDevices.List(
                    ProviderLibrary is null ? [] : [this.ResolveLiteral(ProviderLibrary, DemucsError.ProviderLibraryInvalid)],
                    EngineErrors.ToText
                ),
                enumerateCollection: true
            );
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Path));
        }
    }
}
