using System.Globalization;
using System.Text.RegularExpressions;

namespace DemucsPS.Engine.Clusters;

/// <summary>A cluster that Slurm runs, by its commands (tried with 22.05).</summary>
public sealed partial class SlurmCluster
{
    // Of a list of jobs that an argument can hold.
    private const int MostIds = 1000;

    private readonly SlurmCommand _slurm;

    /// <summary>The cluster that this machine belongs to.</summary>
    public SlurmCluster()
        : this(new SlurmCommand()) { }

    internal SlurmCluster(SlurmCommand slurm) => _slurm = slurm;

    /// <summary>Asks how much can be submitted now.</summary>
    /// <param name="account">The account that is requested; null for any.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.SchedulerNotFound"/>;
    /// <see cref="DemucsError.SchedulerRefused"/>.</exception>
    public SlurmLimits Limits(string? account)
    {
        Dictionary<string, string> config = [];
        foreach (string line in _slurm.Demand("scontrol", ["show", "config"]).Split('\n'))
        {
            if (line.Split('=', 2, StringSplitOptions.TrimEntries) is [var name, var value])
                config.TryAdd(name, value);
        }
        int arraySize = Number(config.GetValueOrDefault("MaxArraySize")) ?? 1001,
            jobs = Number(config.GetValueOrDefault("MaxJobCount")) ?? 10_000;
        int queued = Lines(_slurm.Demand("squeue", ["-h", "-r", "-t", "all", "-o", "%u"])).Length;
        // The controller needs some for others.
        int most = jobs - queued - jobs / 10;
        if (
            config.GetValueOrDefault("AccountingStorageType") is { } storage
            && !storage.EndsWith("/none", StringComparison.Ordinal)
            && SubmitLimit(account) is { } limit
        )
        {
            int own = Lines(_slurm.Demand("squeue", ["-h", "-r", "--me", "-o", "%i"])).Length;
            most = Math.Min(most, limit - own);
        }
        return new SlurmLimits(
            Math.Max(1, arraySize),
            most > 0
                ? most
                : throw new DemucsException(
                    DemucsError.SchedulerRefused,
                    "Slurm accepts no more jobs now: its queue or your quota is full. Wait until some jobs have ended."
                )
        );
    }

    /// <summary>Whether Slurm would accept tasks like a plan's; nothing is submitted.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="options">What is requested.</param>
    /// <param name="limits">What the cluster takes.</param>
    /// <returns>What Slurm says to it.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.SchedulerNotFound"/>; <see cref="DemucsError.SchedulerRefused"/>: it would
    /// not.</exception>
    public string Try(ClusterPlan plan, SlurmOptions options, SlurmLimits limits)
    {
        int count = Math.Min(plan.Tasks.Count, limits.MaxArraySize);
        (int exitCode, _, string error) = _slurm.Run(
            "sbatch",
            ["--test-only", .. Common(plan.TimeLimit, count, options)],
            ClusterJob.Script
        );
        return exitCode == 0 ? string.Join(' ', Lines(error)) : throw SlurmCommand.Refused("sbatch", error);
    }

    /// <summary>Hands a submission over: all of it, or nothing.</summary>
    /// <param name="job">The job.</param>
    /// <param name="submission">The submission.</param>
    /// <param name="options">What is requested.</param>
    /// <param name="limits">What the cluster takes.</param>
    /// <returns>The submission with what Slurm calls it, which is written down.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.SchedulerNotFound"/>;
    /// <see cref="DemucsError.SchedulerRefused"/>.</exception>
    public ClusterSubmission Submit(ClusterJob job, ClusterSubmission submission, SlurmOptions options, SlurmLimits limits)
    {
        List<ClusterArray> arrays = [];
        try
        {
            for (int first = 0; first < submission.Tasks; first += limits.MaxArraySize)
            {
                int count = Math.Min(limits.MaxArraySize, submission.Tasks - first);
                string id = _slurm
                    .Demand(
                        "sbatch",
                        [
                            "--parsable",
                            .. Common(TimeSpan.FromSeconds(submission.TimeLimitSeconds), count, options),
                            $"--chdir={job.Folder}",
                            // Slurm joins it to the folder of --chdir and reads % and backslashes in all of it, so a job's folder has none.
                            string.Create(CultureInfo.InvariantCulture, $"--output=logs/{submission.Number:0000}/%A_%a.log"),
                            "--open-mode=append",
                            job.ScriptPath,
                            .. job.Settings.Program,
                            "slurm",
                            "run",
                            job.Folder,
                            "--submission",
                            Text(submission.Number),
                            "--first",
                            Text(first),
                        ]
                    )
                    .Trim();
                if (!JobId().IsMatch(id))
                    throw SlurmCommand.Refused("sbatch", $"it printed '{(id.Length > 200 ? id[..200] + "…" : id)}'");
                arrays.Add(new ClusterArray(id.Split(';')[0], first, count));
                // Written at once: submitted tasks must be found again, whatever happens next.
                submission = submission with { Arrays = [.. arrays] };
                job.Record(submission);
            }
            return submission;
        }
        catch (DemucsException)
        {
            if (arrays.Count > 0)
                Cancel(arrays);
            job.TakeBack(submission);
            throw;
        }
    }

    /// <summary>What Slurm knows of arrays.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.SchedulerNotFound"/>;
    /// <see cref="DemucsError.SchedulerRefused"/>.</exception>
    public SlurmTasks Tasks(IReadOnlyList<ClusterArray> arrays)
    {
        // The accounting remembers for good; the controller for some minutes.
        Dictionary<string, string> states = [];
        TimeSpan? cpu = null;
        foreach (string[] ids in Ids(arrays).Chunk(MostIds))
        {
            // With -D also the turns of tasks that were put back into the queue, one after the other: without it, their time is forgotten.
            (int exitCode, string output, _) = RunIfThere(
                "sacct",
                ["-n", "-P", "-X", "-D", "-j", string.Join(',', ids), "-o", "JobID,State,CPUTimeRAW"]
            );
            foreach (
                string[] fields in exitCode == 0 ? Lines(output).Select(line => line.Split('|')).Where(fields => fields.Length == 3) : []
            )
            {
                states[fields[0]] = fields[1].Split(' ')[0];
                cpu =
                    (cpu ?? TimeSpan.Zero)
                    + TimeSpan.FromSeconds(double.TryParse(fields[2], CultureInfo.InvariantCulture, out double seconds) ? seconds : 0);
            }
            (exitCode, output, string error) = _slurm.Run("squeue", ["-h", "-r", "-t", "all", "-j", string.Join(',', ids), "-o", "%i|%T"]);
            // Jobs that it has forgotten are none to it.
            if (exitCode != 0 && !error.Contains("Invalid job id", StringComparison.OrdinalIgnoreCase))
                throw SlurmCommand.Refused("squeue", error);
            foreach (string[] fields in Lines(output).Select(line => line.Split('|')).Where(fields => fields.Length == 2))
                states[fields[0]] = fields[1];
        }
        // Accounting writes those that were never started as one: 7_[3-9%2].
        foreach (string pending in states.Keys.Where(id => id.Contains('[', StringComparison.Ordinal)).ToArray())
            states.Remove(pending);
        return new SlurmTasks(
            states
                .Values.GroupBy(state => state)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.Count()),
            cpu
        );
    }

    /// <summary>Cancels waiting and running tasks of arrays. Running tasks are notified first, so that they can keep their work.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.SchedulerNotFound"/>;
    /// <see cref="DemucsError.SchedulerRefused"/>.</exception>
    public void Cancel(IReadOnlyList<ClusterArray> arrays)
    {
        foreach (string[] ids in Ids(arrays).Chunk(MostIds))
        {
            (int exitCode, _, string error) = _slurm.Run("scancel", ids);
            if (
                exitCode != 0
                && !error.Contains("Invalid job id", StringComparison.OrdinalIgnoreCase)
                && !error.Contains("already", StringComparison.OrdinalIgnoreCase)
            )
                throw SlurmCommand.Refused("scancel", error);
        }
    }

    /// <summary>Requeues a task that was stopped by its time limit. If that is impossible, the task ends.</summary>
    /// <param name="id">The task as Slurm calls it: <c>7_3</c>.</param>
    public static bool TakeAnotherTurn(string id) => new SlurmCluster().RunIfThere("scontrol", ["requeue", id]).ExitCode == 0;

    private int? SubmitLimit(string? account)
    {
        (int exitCode, string output, _) = RunIfThere(
            "sacctmgr",
            ["-n", "-P", "show", "assoc", "where", $"user={Environment.UserName}", "format=Account,MaxSubmitJobs,GrpSubmitJobs"]
        );
        int[] limits =
        [
            .. (exitCode == 0 ? Lines(output) : [])
                .Select(line => line.Split('|'))
                .Where(fields => fields.Length == 3 && (account is null || fields[0] == account))
                .SelectMany(fields => fields[1..])
                .Select(Number)
                .OfType<int>(),
        ];
        return limits.Length == 0 ? null : limits.Min();
    }

    private (int ExitCode, string Output, string Error) RunIfThere(string program, IEnumerable<string> arguments)
    {
        try
        {
            return _slurm.Run(program, arguments);
        }
        catch (DemucsException e) when (e.Error == DemucsError.SchedulerNotFound)
        {
            return (-1, "", e.Message);
        }
    }

    private static IEnumerable<string> Common(TimeSpan limit, int count, SlurmOptions options) =>
        [
            .. options.Arguments(),
            string.Create(CultureInfo.InvariantCulture, $"--array=0-{count - 1}{(options.Throttle is { } throttle ? $"%{throttle}" : "")}"),
            "--requeue",
            "--export=ALL",
            string.Create(CultureInfo.InvariantCulture, $"--signal=B:USR1@{(int)ClusterWorker.Notice(limit).TotalSeconds}"),
            string.Create(CultureInfo.InvariantCulture, $"--time={(long)Math.Ceiling(limit.TotalMinutes)}"),
        ];

    private static IEnumerable<string> Ids(IEnumerable<ClusterArray> arrays) => arrays.Select(array => array.Id);

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    // With --parsable; where there are several clusters, one's name is after it.
    [GeneratedRegex(@"\A[0-9]+(;.*)?\z")]
    private static partial Regex JobId();

    private static int? Number(string? text) => int.TryParse(text, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
