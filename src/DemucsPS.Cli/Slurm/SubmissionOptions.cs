using System.CommandLine;
using DemucsPS.Engine;
using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cli.Slurm;

/// <summary>The options of commands that hand tracks to Slurm: how they are distributed, and what is requested.</summary>
internal sealed class SubmissionOptions
{
    private readonly Option<double?> _realTimeFactor = new("--real-time-factor")
    {
        Description =
            "Seconds of work per second of audio on a node, as in a job's status. Default: measured in the job's own results or in the job named by --measured-in, else 1.",
        CustomParser = NumberArgument.OptionalDecimal,
        HelpName = "FACTOR",
    };
    private readonly Option<string?> _measuredIn = new("--measured-in")
    {
        Description = "Another job, such as one of a few tracks, whose results give the real-time factor.",
        HelpName = "JOB",
    };
    private readonly Option<string?> _taskLength = new("--task-length")
    {
        Description = "How long a task should take. Default: 00:30:00.",
        HelpName = "00:30:00",
    };
    private readonly Option<string?> _timeLimit = new("--time-limit")
    {
        Description =
            "Time limit of each task; unfinished tracks wait for the next run. Default: 1.5 times the longest task, plus ten minutes.",
        HelpName = "01:50:00",
    };
    private readonly Option<int?> _maxTasks = new("--max-tasks")
    {
        Description = "Maximum number of tasks. Default: the cluster's limit.",
        CustomParser = NumberArgument.OptionalWhole,
        HelpName = "N",
    };
    private readonly Option<string?> _name = new("--job-name")
    {
        Description = "Name of the tasks in Slurm. Default: demucsps.",
        HelpName = "NAME",
    };
    private readonly Option<string?> _partition = new("--partition") { Description = "Partition of the cluster.", HelpName = "NAME" };
    private readonly Option<string?> _account = new("--account") { Description = "Account to charge.", HelpName = "NAME" };
    private readonly Option<int?> _cpus = new("--cpus-per-task")
    {
        Description = "Processors per task.",
        CustomParser = NumberArgument.OptionalWhole,
        HelpName = "N",
    };
    private readonly Option<string?> _memory = new("--mem")
    {
        Description = "Memory per task, in Slurm's notation: 8G.",
        HelpName = "SIZE",
    };
    private readonly Option<string?> _gres = new("--gres") { Description = "Other resources per task: gpu:1.", HelpName = "LIST" };
    private readonly Option<int?> _throttle = new("--throttle")
    {
        Description = "Maximum number of tasks running at once.",
        CustomParser = NumberArgument.OptionalWhole,
        HelpName = "N",
    };
    private readonly Option<string[]> _extra = new("--sbatch")
    {
        Description = "Another option for sbatch, as one word: --sbatch=--qos=low. Repeat for several.",
        HelpName = "OPTION",
    };
    private readonly Option<bool> _noSubmit = new("--no-submit") { Description = "Create the job's folder, but do not submit it." };
    private readonly Option<bool> _whatIf = new("--what-if")
    {
        Description = "Show the plan, and whether Slurm would accept it; create and submit nothing.",
    };

    /// <summary>Puts the options into a command.</summary>
    public void AddTo(Command command)
    {
        foreach (
            Option option in new Option[]
            {
                _realTimeFactor,
                _measuredIn,
                _taskLength,
                _timeLimit,
                _maxTasks,
                _name,
                _partition,
                _account,
                _cpus,
                _memory,
                _gres,
                _throttle,
                _extra,
                _noSubmit,
                _whatIf,
            }
        )
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
            TaskLength = parsed.GetValue(_taskLength) is { } length
                ? Engine.Batch.TimeLimit.Parse(length, EngineParameter.TaskLength)
                : plan.TaskLength,
            TimeLimit = parsed.GetValue(_timeLimit) is { } limit ? Engine.Batch.TimeLimit.Parse(limit) : null,
            MaxTasks = parsed.GetValue(_maxTasks) ?? int.MaxValue,
        };
        plan.Check();
        return parsed.GetValue(_measuredIn) is { } job
            ? ClusterOrder.Measured(plan, ClusterProgress.Read(ClusterJob.Open(Path.GetFullPath(job))))
            : plan;
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
