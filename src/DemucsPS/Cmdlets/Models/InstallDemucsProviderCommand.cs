using System.Globalization;
using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Cmdlets;

/// <summary><c>Install-DemucsProvider</c>: installs the plug-in library of an execution provider from its vendor's package.</summary>
[Cmdlet(VerbsLifecycle.Install, "DemucsProvider", SupportsShouldProcess = true)]
[OutputType(typeof(ExecutionDevice))]
public sealed class InstallDemucsProviderCommand : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    /// <summary>What is to be installed.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    public ExecutionProvider ExecutionProvider { get; set; }

    /// <summary>The vendor's package.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Source { get; set; }

    /// <summary>Replace an installed one.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            string source = this.ResolveLiteral(Source!, DemucsError.ProviderPackageInvalid);
            (int files, long bytes) = ProviderInstaller.Plan(ExecutionProvider, source);
            if (
                !ShouldProcess(
                    ProviderInstaller.FolderOf(ExecutionProvider),
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Install {ExecutionProvider} from '{source}' ({files} files, {bytes / 1e6:F0} MB)"
                    )
                )
            )
                return;
            string library = ProviderInstaller.Install(ExecutionProvider, source, Force, WriteWarning, _stop.Token);
            WriteObject(ExecutionDevices.InLibrary(library, EngineErrors.ToText), enumerateCollection: true);
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Path));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();
}
