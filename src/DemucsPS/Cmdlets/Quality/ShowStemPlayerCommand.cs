using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Player;

namespace DemucsPS.Cmdlets;

/// <summary><c>Show-StemPlayer</c>: folders of stems or results of separations in, and pages that play them out.</summary>
[Cmdlet(VerbsCommon.Show, "StemPlayer", DefaultParameterSetName = PathSet, SupportsShouldProcess = true)]
[OutputType(typeof(PlayerPageFile), typeof(Uri))]
public sealed class ShowStemPlayerCommand : AudioFileCommand, IDisposable
{
    private const string ResultSet = "Result";

    private readonly CancellationTokenSource _stop = new();
    private readonly List<StemFolder> _compared = [];
    private StemFolder? _served;
    private string? _destination;
    private readonly PlayerPageProgress _progress;
    private bool _failed,
        _written;

    /// <summary>As for any cmdlet.</summary>
    public ShowStemPlayerCommand() => _progress = new PlayerPageProgress(this, "Creating player pages");

    /// <summary>Results of <c>Invoke-DemucsSeparation</c>.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ResultSet)]
    [ValidateNotNullOrEmpty]
    public SeparationResult[] Result { get; set; } = [];

    /// <summary>The page's file, where it is one page.</summary>
    [Parameter]
    [Alias("OutputPath")]
    [ValidateNotNullOrEmpty]
    public string? DestinationPath { get; set; }

    /// <summary>What the page calls the track, where it is one page.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Title { get; set; }

    /// <summary>Where the sound is.</summary>
    [Parameter]
    public PlayerAudio Sound { get; set; }

    /// <summary>Make one page of all, which are separations of the same track.</summary>
    [Parameter]
    public SwitchParameter Compare { get; set; }

    /// <summary>Write nothing, and give the page to browsers of this machine until the command is stopped.</summary>
    [Parameter]
    public SwitchParameter Serve { get; set; }

    /// <summary>Open the page in the browser.</summary>
    [Parameter]
    public SwitchParameter Open { get; set; }

    /// <summary>Replace existing pages.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Give what was written; of what is served, the address.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string Kind => "folder";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (Serve && DestinationPath is not null)
            ThrowTerminatingError(
                new DemucsException(
                    DemucsError.ParameterInvalid,
                    $"-Serve writes no file, so '{DestinationPath}' would not be created. Leave out -Serve or -DestinationPath."
                ).ToRecord(DestinationPath)
            );
        try
        {
            _destination = DestinationPath is null ? null : this.ResolveLiteral(DestinationPath, DemucsError.StemWriteFailed);
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(DestinationPath));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        // None of the compared separations may be missing.
        if (_compared.Count > 0 && !_failed)
            Make(PlayerPage.Comparing(_compared), _compared[0].PagePath, _compared[0].Title);
        else if (_served is not null)
            Make(PlayerPage.Create(_served), _served.PagePath, _served.Title);
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private protected override void ProcessFile(string file, string target) =>
        Take(target, () => StemFolder.Find(file, e => Fail(e, e.Path ?? target)));

    private protected override void ProcessOther()
    {
        foreach (SeparationResult result in Result)
            Take(result, () => [StemFolder.Create(result)]);
    }

    private protected override void Missed() => _failed = true;

    private void Take(object target, Func<IReadOnlyList<StemFolder>> find)
    {
        IReadOnlyList<StemFolder> found;
        try
        {
            found = find();
        }
        catch (DemucsException e)
        {
            Fail(e, target);
            return;
        }
        foreach (StemFolder folder in found)
        {
            if (Compare)
            {
                _compared.Add(folder);
                continue;
            }
            // The page of the first is written by then, or there would be none: a pipeline may bring tracks for hours.
            if ((_written || _served is not null) && (Serve || _destination is not null || Title is not null))
            {
                ThrowTerminatingError(
                    new DemucsException(
                        DemucsError.ParameterInvalid,
                        $"'{folder.Title}' is a second track, but {(Serve ? "only one can be served" : "only one page is named")}. Give one track, or use -Compare for separations of the same track."
                    ).ToRecord(target)
                );
            }
            if (Serve)
                _served = folder;
            else
                Make(PlayerPage.Create(folder), folder.PagePath, target);
        }
    }

    private void Fail(DemucsException e, object target)
    {
        _failed = true;
        WriteError(e.ToRecord(target));
    }

    private void Make(PlayerPage page, string path, object target)
    {
        page = page with { Title = Title ?? page.Title, Audio = Sound, Overwrite = Force };
        path = _destination ?? path;
        _progress.Begin(page.Title);
        _written = true;
        try
        {
            if (Serve)
            {
                ServePage(page);
                return;
            }
            page.Check(path);
            if (
                !ShouldProcess(
                    path,
                    $"Write player page ({string.Join(", ", page.Variants.SelectMany(v => v.Stems.Select(s => s.Name)).Distinct())})"
                )
            )
                return;
            PlayerPageFile written = page.Write(path, _progress, _stop.Token);
            Tell(written);
            if (PassThru)
                WriteObject(written);
            else
                Say($"The page is '{written.FilePath}'.");
            OpenInBrowser(written.FilePath);
        }
        catch (DemucsException e)
        {
            WriteError(e.ToRecord(target));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        finally
        {
            _progress.Complete();
        }
    }

    private void ServePage(PlayerPage page)
    {
        if (!ShouldProcess(page.Title, "Serve player page on this machine"))
            return;
        using PlayerServer server = page.Serve(_progress, _stop.Token);
        Tell(server.Page);
        if (PassThru)
            WriteObject(server.Address);
        else
            Say($"The page is at {server.Address} on this machine. Press Ctrl+C to stop.");
        OpenInBrowser(server.Address.AbsoluteUri);
        _stop.Token.WaitHandle.WaitOne();
    }

    private void Tell(PlayerPageFile page)
    {
        foreach (string warning in page.Warnings)
            WriteWarning(warning);
    }

    private void OpenInBrowser(string address)
    {
        if (Open && DesktopBrowser.Open(address) is { } refusal)
            WriteWarning(refusal);
    }

    private void Say(string sentence) => WriteInformation(sentence, ["PSHOST"]);
}
