using System.CommandLine;
using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cli.Slurm;

/// <summary>The options of commands that hand tracks to Slurm: how they are dealt out, and what is asked for.</summary>
internal sealed class SubmissionOptions
{
    private readonly Option<double?> _realTimeFactor = new("--real-time-factor") { Description = "Seconds of work for a second of audio on a node; a job's status says it. Default: that of the job's own results, or of the job that --measured-in names, else 1.", CustomParser = NumberArgument.OptionalDecimal, HelpName = "FACTOR" };
    private readonly Option<string?> _measuredIn = new("--measured-in") { Description = "Another job, such as one of a few tracks, whose results say the real-time factor.", HelpName = "JOB" };
    private readonly Option<string?> _taskLength = new("--task-length") { Description = "How long a task should take. Default: 00:30:00.", HelpName = "00:30:00" };
    private readonly Option<string?> _timeLimit = new("--time-limit") { Description = "Time that each task may take; what it cannot finish, it leaves for another turn. Default: half as much again as the longest task needs, and ten minutes.", HelpName = "01:50:00" };
    private readonly Option<int?> _maxTasks = new("--max-tasks") { Description = "The most tasks. Default: as many as the cluster takes.", CustomParser = NumberArgument.OptionalWhole, HelpName = "N" };
    private readonly Option<string?> _name = new("--job-name") { Description = "What Slurm calls the tasks. Default: demucsps.", HelpName = "NAME" };
    private readonly Option<string?> _partition = new("--partition") { Description = "Partition of the cluster.", HelpName = "NAME" };
    private readonly Option<string?> _account = new("--account") { Description = "Account that pays.", HelpName = "NAME" };
    private readonly Option<int?> _cpus = new("--cpus-per-task") { Description = "Processors for a task.", CustomParser = NumberArgument.OptionalWhole, HelpName = "N" };
    private readonly Option<string?> _memory = new("--mem") { Description = "Memory for a task, as Slurm writes it: 8G.", HelpName = "SIZE" };
    private readonly Option<string?> _gres = new("--gres") { Description = "Other resources for a task: gpu:1.", HelpName = "LIST" };
    private readonly Option<int?> _throttle = new("--throttle") { Description = "The most tasks that run at once.", CustomParser = NumberArgument.OptionalWhole, HelpName = "N" };
    private readonly Option<string[]> _extra = new("--sbatch") { Description = "A further option of sbatch, as one word: --sbatch=--qos=low. Repeat it for several.", HelpName = "OPTION" };
    private readonly Option<bool> _noSubmit = new("--no-submit") { Description = "Make the job's folder, and hand it to nobody." };
    private readonly Option<bool> _whatIf = new("--what-if") { Description = "Say the plan, and whether Slurm would take it; make and submit nothing." };

    /// <summary>Puts the options into a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _realTimeFactor, _measuredIn, _taskLength, _timeLimit, _maxTasks, _name, _partition, _account, _cpus, _memory, _gres, _throttle, _extra, _noSubmit, _whatIf })
            command.Options.Add(option);
    }

    public bool IsWhatIf(ParseResult parsed) => parsed.GetValue(_whatIf);

    public SlurmCluster? Cluster(ParseResult parsed) => parsed.GetValue(_noSubmit) ? null : new SlurmCluster();

    public ClusterPlanOptions Plan(ParseResult parsed)
    {
        ClusterPlanOptions plan = new();
        plan = plan with
        {
            RealTimeFactor = parsed.GetValue(_realTimeFactor),
            TaskLength = parsed.GetValue(_taskLength) is { } length ? Engine.Batch.TimeLimit.Parse(length) : plan.TaskLength,
            TimeLimit = parsed.GetValue(_timeLimit) is { } limit ? Engine.Batch.TimeLimit.Parse(limit) : null,
            MaxTasks = parsed.GetValue(_maxTasks) ?? int.MaxValue,
        };
        plan.Check();
        return parsed.GetValue(_measuredIn) is { } job ? ClusterOrder.Measured(plan, ClusterProgress.Read(ClusterJob.Open(Path.GetFullPath(job)))) : plan;
    }

    public SlurmOptions Slurm(ParseResult parsed)
    {
        SlurmOptions options = new()
        {
            Name = parsed.GetValue(_name),
            Partition = parsed.GetValue(_partition),
            Account = parsed.GetValue(_account),
            Cpus = parsed.GetValue(_cpus),
            Memory = parsed.GetValue(_memory),
            Gres = parsed.GetValue(_gres),
            Throttle = parsed.GetValue(_throttle),
            Extra = parsed.GetValue(_extra) ?? [],
        };
        options.Check();
        return options;
    }
}
