using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Clusters;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Models;

namespace DemucsPS.Cmdlets;

/// <summary>
/// <c>Submit-DemucsJob</c>: an archive in, a job on a cluster and how it stands out; or what is missing of a job, once more.
/// </summary>
[Cmdlet(VerbsLifecycle.Submit, "DemucsJob", SupportsShouldProcess = true, DefaultParameterSetName = TrackInput.PathSet)]
[OutputType(typeof(ClusterStatus))]
public sealed class SubmitDemucsJobCommand : PSCmdlet, IFileInput, IDisposable
{
    private const string RetrySet = "Retry";

    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _given = [];

    /// <inheritdoc/>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = TrackInput.PathSet)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [FileToPath]
    public string[] Path { get; set; } = [];

    /// <inheritdoc/>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = TrackInput.LiteralPathSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>Submit again what failed or is missing of the job.</summary>
    [Parameter(Mandatory = true, ParameterSetName = RetrySet)]
    public SwitchParameter Retry { get; set; }

    /// <summary>Folder of the job, on a file system that all nodes share.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string[] JobPath { get; set; } = [];

    /// <inheritdoc/>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <inheritdoc/>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[] Include { get; set; } = [];

    /// <inheritdoc/>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[] Exclude { get; set; } = [];

    /// <summary>A model's or bag's name, or the path of a model; several for a bag.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ModelCompleter))]
    public string[]? Model { get; set; }

    /// <summary>Folder for the stems.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string DestinationPath { get; set; } = "separated";

    /// <summary>Further options of the console program's <c>separate</c>, each word by itself.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] ArgumentList { get; set; } = [];

    /// <summary>The console program, where all nodes can start it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string Program { get; set; } = "demucsps";

    /// <summary>
    /// Seconds of work per second of audio on a node; 0 for those of the job's own results, or of <see cref="MeasuredIn"/>.
    /// </summary>
    [Parameter]
    public double RealTimeFactor { get; set; }

    /// <summary>Folder of a job whose results give the time per second of audio.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? MeasuredIn { get; set; }

    /// <summary>How long a task should take.</summary>
    [Parameter]
    public TimeSpan TaskLength { get; set; } = new ClusterPlanOptions().TaskLength;

    /// <summary>Time that each task may take; zero for half as much again as the longest needs, and ten minutes.</summary>
    [Parameter]
    public TimeSpan TimeLimit { get; set; }

    /// <summary>Maximum number of tasks; 0 for the cluster's limit.</summary>
    [Parameter]
    public int MaxTasks { get; set; }

    /// <summary>Partition of the cluster.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Partition { get; set; }

    /// <summary>Account that pays.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Account { get; set; }

    /// <summary>Processors for a task; 0 for the cluster's own choice.</summary>
    [Parameter]
    public int CpusPerTask { get; set; }

    /// <summary>Memory for a task, as Slurm writes it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Memory { get; set; }

    /// <summary>Other resources for a task.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Gres { get; set; }

    /// <summary>Maximum number of tasks running at once; 0 for no limit.</summary>
    [Parameter]
    public int Throttle { get; set; }

    /// <summary>Further options of <c>sbatch</c>, each as one word.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] SbatchOption { get; set; } = [];

    /// <summary>Create the job's folder, but do not submit it.</summary>
    [Parameter]
    public SwitchParameter NoSubmit { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        bool literal = ParameterSetName == TrackInput.LiteralPathSet;
        // An archive is planned as a whole.
        if (!Retry)
            _given.AddRange(this.ResolveFiles(literal ? LiteralPath : Path, literal).Select(file => file.File));
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (string path in JobPath)
        {
            try
            {
                Submit(this.ResolveLiteral(path, DemucsError.StemWriteFailed));
            }
            catch (DemucsException e)
            {
                ThrowTerminatingError(e.ToRecord(path));
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                throw new PipelineStoppedException();
            }
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private void Submit(string folder)
    {
        SlurmCluster? cluster = NoSubmit ? null : new SlurmCluster();
        ClusterOrder order = Retry ? ClusterOrder.Again(folder, Plan(), Slurm(), cluster) : New(folder, cluster);
        if (order.Plan.IsFactorAssumed && order.Plan.Tasks.Count > 0)
            WriteWarning(
                "The time per second of audio is only assumed. Submit a few tracks first and name that job with -MeasuredIn, or give -RealTimeFactor."
            );
        WriteVerbose($"{order.Plan}.");
        if (!ShouldProcess(folder, $"{(NoSubmit ? "Create a job" : "Submit a job")} ({order.Plan})"))
        {
            // Whether Slurm would take it is a part of the answer.
            if (order.Try() is { } said)
                WriteVerbose(said);
            return;
        }
        order.Submit();
        if (Directory.Exists(folder))
            WriteObject(ClusterWatch.Status(ClusterJob.Open(folder), new SlurmCluster()));
    }

    private ClusterOrder New(string folder, SlurmCluster? cluster)
    {
        string destination = this.ResolveLiteral(DestinationPath, DemucsError.StemWriteFailed);
        TrackListOptions options = new()
        {
            Recurse = Recurse,
            Include = Include,
            Exclude = Exclude,
            OutputFolder = destination,
        };
        // Nodes and retries must not come to other models than were meant here. What is in ArgumentList is the console program's.
        IReadOnlyList<string> models =
            Model is null && ArgumentList.Any(argument => argument.Split('=', ':')[0] is "--model" or "-m")
                ? []
                : ModelLibrary.Open().Pin(Model ?? [], path => this.ResolveLiteral(path, DemucsError.DemucsModelNotFound));
        if (models.Contains(ModelSource.BaselineName))
            WriteWarning(ModelSource.BaselineNotice);
        ClusterSettings settings = new()
        {
            Created = DateTimeOffset.UtcNow,
            Program = [ProgramPath()],
            Arguments = ["--output", destination, .. models.SelectMany(model => (string[])["--model", model]), .. ArgumentList],
        };
        // What it would say to its options in every task, it says here.
        if (ArgumentList.Length > 0)
            ClusterWorker.Try(settings);
        IReadOnlyList<string> files = ClusterInput.Files(_given, options, WriteVerbose, e => WriteError(e.ToRecord(e.Path)));
        return ClusterOrder.New(folder, settings, files, ClusterInput.Durations(files, options, _stop.Token), Plan(), Slurm(), cluster);
    }

    private ClusterPlanOptions Plan()
    {
        ClusterPlanOptions plan = new()
        {
            RealTimeFactor = MyInvocation.BoundParameters.ContainsKey(nameof(RealTimeFactor)) ? RealTimeFactor : null,
            TaskLength = TaskLength,
            TimeLimit = MyInvocation.BoundParameters.ContainsKey(nameof(TimeLimit)) ? TimeLimit : null,
            MaxTasks = MyInvocation.BoundParameters.ContainsKey(nameof(MaxTasks)) ? MaxTasks : int.MaxValue,
        };
        return MeasuredIn is null
            ? plan
            : ClusterOrder.Measured(
                plan,
                ClusterProgress.Read(ClusterJob.Open(this.ResolveLiteral(MeasuredIn, DemucsError.ClusterJobInvalid)))
            );
    }

    private SlurmOptions Slurm() =>
        new()
        {
            Partition = Partition,
            Account = Account,
            Cpus = MyInvocation.BoundParameters.ContainsKey(nameof(CpusPerTask)) ? CpusPerTask : null,
            Memory = Memory,
            Gres = Gres,
            Throttle = MyInvocation.BoundParameters.ContainsKey(nameof(Throttle)) ? Throttle : null,
            Extra = SbatchOption,
        };

    private string ProgramPath()
    {
        if (InvokeCommand.GetCommand(Program, CommandTypes.Application) is ApplicationInfo { Path: var found })
            return found;
        string path = this.ResolveLiteral(Program, DemucsError.ClusterJobInvalid);
        return File.Exists(path)
            ? path
            : throw new DemucsException(
                DemucsError.ClusterJobInvalid,
                $"The program '{Program}' was not found. The nodes run the console program demucsps. Put it on the path, or give its path with -Program, where all nodes have it.",
                Program
            );
    }
}
