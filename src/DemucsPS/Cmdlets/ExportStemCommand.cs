using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Cmdlets;

/// <summary>
/// <c>Export-Stem</c>: stems in, files DESTINATION/MODEL/TRACK/STEM.wav out. The stems of one track and model are written together, all or none, when the last of
/// those that <c>Invoke-DemucsChunk</c> gave is there, or at the end.
/// </summary>
[Cmdlet(VerbsData.Export, "Stem", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportStemCommand : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private StemExporter? _exporter;

    /// <summary>The stems, from <c>Join-StemChunk</c>.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public Stem[] Stem { get; set; } = [];

    /// <summary>Folder for the stems: DESTINATION/MODEL/TRACK/STEM.wav.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string DestinationPath { get; set; } = "separated";

    /// <summary>16 or 24 (integers), or 32 (float).</summary>
    [Parameter]
    [ValidateSet("16", "24", "32")]
    public int BitDepth { get; set; } = 24;

    /// <summary>Frames a second of the files, or <c>Source</c> for those of each track's source.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string SampleRate { get; set; } = "44100";

    /// <summary>Write stems of one channel for sources of one.</summary>
    [Parameter]
    public SwitchParameter KeepMono { get; set; }

    /// <summary>What happens beyond full scale.</summary>
    [Parameter]
    public ClipMode Clip { get; set; }

    /// <summary>Add triangular dither before rounding to 16 or 24 bits.</summary>
    [Parameter]
    public SwitchParameter Dither { get; set; }

    /// <summary>Overwrite existing stems.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Give the written files.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        try
        {
            StemFormat format = new()
            {
                Sample = StemFormat.FromBits(BitDepth),
                SampleRate = StemFormat.ParseSampleRate(SampleRate),
                KeepMono = KeepMono,
                Clip = MyInvocation.BoundParameters.ContainsKey(nameof(Clip)) ? Clip : null,
                Dither = Dither,
            };
            _exporter = new StemExporter(new StemOutput(new StemFolders(this.ResolveLiteral(DestinationPath, DemucsError.StemWriteFailed)), format) { Overwrite = Force });
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(DestinationPath));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (Stem stem in Stem)
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
        string folder = System.IO.Path.GetDirectoryName(_exporter!.PathsOf(set)[0])!;
        string work = FormattableString.Invariant($"{string.Join(", ", set.Select(s => s.StemName))}; {_exporter.BytesOf(set) / 1e6:F1} MB");
        if (!ShouldProcess(folder, $"Write stems ({work})"))
            return;
        ExportedStems written;
        try
        {
            written = _exporter.Write(set, _stop.Token);
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
        WriteVerbose($"Wrote {work} to '{folder}'.");
        foreach (string warning in written.Warnings)
            WriteWarning(warning);
        if (!PassThru)
            return;
        // From the provider, as Get-Item gives them: with owner, mode and PSPath.
        WriteObject(InvokeProvider.Item.Get([.. written.Stems.Select(s => s.FilePath)], force: true, literalPath: true), enumerateCollection: true);
    }
}
