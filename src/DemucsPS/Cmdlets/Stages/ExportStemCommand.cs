using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Cmdlets;

/// <summary>
/// <c>Export-Stem</c>: stems in, files out. The stems of one track and model are written together, all or none, when the last of
/// those that <c>Invoke-DemucsChunk</c> gave is there, or at the end.
/// </summary>
[Cmdlet(VerbsData.Export, "Stem", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportStemCommand : StemOutputCommand, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private StemExporter? _exporter;

    /// <summary>The stems, from <c>Join-StemChunk</c>.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public Stem[] InputObject { get; set; } = [];

    /// <summary>Give the written files.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        try
        {
            StemRequest choice = Choice();
            _exporter = new StemExporter(Output(), choice);
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(DestinationPath));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (Stem stem in InputObject)
        {
            IReadOnlyList<Stem> set;
            try
            {
                set = _exporter!.Add(stem);
            }
            catch (DemucsException e)
            {
                WriteError(e.ToRecord(stem));
                continue;
            }
            if (set.Count > 0)
                Write(set);
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (IReadOnlyList<Stem> set in _exporter!.TakeRest())
            Write(set);
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private void Write(IReadOnlyList<Stem> set)
    {
        StemExportResult written;
        string work;
        try
        {
            SeparationPlan plan = IsWhatIf ? _exporter!.Rehearse(set) : _exporter!.Plan(set);
            work = plan.Files;
            if (!ShouldProcess(plan.SourcePath, $"Write stems ({work})"))
                return;
            written = _exporter!.Write(set, _stop.Token);
        }
        catch (DemucsException e)
        {
            WriteError(e.ToRecord(set.Count == 1 ? set[0] : set));
            return;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        WriteVerbose($"Wrote {work}.");
        foreach (string warning in written.Warnings)
            WriteWarning(warning);
        if (!PassThru)
            return;
        // From the provider, as Get-Item gives them: with owner, mode and PSPath.
        WriteObject(
            InvokeProvider.Item.Get([.. written.Stems.Select(s => s.FilePath)], force: true, literalPath: true),
            enumerateCollection: true
        );
    }
}
