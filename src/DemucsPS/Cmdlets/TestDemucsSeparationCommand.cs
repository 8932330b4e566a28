using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Records;

namespace DemucsPS.Cmdlets;

/// <summary><c>Test-DemucsSeparation</c>: folders of stems in, and for each whether its stems are as they were written out.</summary>
[Cmdlet(VerbsDiagnostic.Test, "DemucsSeparation", DefaultParameterSetName = PathSet)]
[OutputType(typeof(SeparationVerification))]
public sealed class TestDemucsSeparationCommand : AudioFileCommand, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private protected override void ProcessFile(string file, string target)
    {
        try
        {
            foreach (string provenance in SeparationVerification.Find(file))
                Verify(provenance, target);
        }
        catch (DemucsException e)
        {
            WriteError(e.ToRecord(target));
        }
    }

    private void Verify(string provenance, string target)
    {
        SeparationVerification verification;
        try
        {
            verification = SeparationVerification.Verify(provenance, _stop.Token);
        }
        catch (DemucsException e)
        {
            WriteError(e.ToRecord(target));
            return;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        WriteObject(verification);
    }
}
