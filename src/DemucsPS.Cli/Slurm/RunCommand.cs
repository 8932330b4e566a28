using System.CommandLine;
using System.Globalization;
using DemucsPS.Cli.Completion;
using DemucsPS.Engine;
using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cli.Slurm;

/// <summary>
/// <c>demucsps slurm run</c>: what a task of a job runs; with <c>--local</c> all tasks, one after the other, on this machine.
/// </summary>
internal static class RunCommand
{
    private const int MostTurns = 100;

    public static Command Create()
    {
        Argument<string> folder = new Argument<string>("job") { Description = "Folder of the job." }.Offering(Offer.Folders);
        Option<bool> local = new("--local")
        {
            Description = "Run all tasks of the last submission here, without Slurm. Finished tracks are not repeated.",
        };
        Option<int> submission = new("--submission")
        {
            Description = "Number of the submission; set for Slurm's tasks.",
            CustomParser = NumberArgument.Whole,
            HelpName = "N",
        };
        Option<int> first = new("--first")
        {
            Description = "Task of the submission that is task 0 of the array.",
            CustomParser = NumberArgument.Whole,
            HelpName = "N",
        };
        Command command = new("run", "Run a job's tasks: one as a Slurm task, or with --local all on this machine.")
        {
            folder,
            local,
            submission,
            first,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
                Task.Run(
                    () =>
                    {
                        try
                        {
                            ClusterJob job = ClusterJob.Open(Path.GetFullPath(parsed.GetRequiredValue(folder)));
                            return parsed.GetValue(local)
                                ? Local(job, cancellationToken)
                                : OneTask(job, parsed.GetValue(submission), parsed.GetValue(first), cancellationToken);
                        }
                        catch (DemucsException e)
                        {
                            return SlurmReport.Failure(e);
                        }
                    },
                    CancellationToken.None
                )
        );
        return command;
    }

    private static int Local(ClusterJob job, CancellationToken cancellationToken)
    {
        ClusterSubmission submission = job.Submissions()[^1];
        ClusterWorker worker = new(job, SlurmReport.Note);
        // No run may write into another's file.
        string run = string.Create(CultureInfo.InvariantCulture, $"local.{DateTime.UtcNow:yyyyMMddHHmmssfff}.{Environment.ProcessId}");
        int worst = ExitCodes.Succeeded;
        for (int task = 0; task < submission.Tasks && !cancellationToken.IsCancellationRequested; task++)
            worst = Math.Max(worst, worker.Run(submission, task, run, Environment.MachineName, isLimited: false, cancellationToken));
        return cancellationToken.IsCancellationRequested ? ExitCodes.MoreToDo : worst;
    }

    private static int OneTask(ClusterJob job, int number, int first, CancellationToken cancellationToken)
    {
        if (
            Number("SLURM_ARRAY_TASK_ID") is not { } task
            || Environment.GetEnvironmentVariable("SLURM_ARRAY_JOB_ID") is not { Length: > 0 } array
        )
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                "This is not a task of a Slurm array. Use --local to run the job here."
            );
        ClusterSubmission submission = job.Submissions().FirstOrDefault(s => s.Number == number)
            ?? throw new DemucsException(DemucsError.ClusterJobInvalid, $"'{job.Folder}' has no submission {number}.", job.Folder);
        int turn = Number("SLURM_RESTART_COUNT") ?? 0;
        ClusterWorker worker = new(job, SlurmReport.Note);
        int exitCode = worker.Run(
            submission,
            first + task,
            string.Create(CultureInfo.InvariantCulture, $"{array}.{turn}"),
            Environment.GetEnvironmentVariable("SLURMD_NODENAME") ?? Environment.MachineName,
            isLimited: true,
            cancellationToken
        );
        // Its time was too short. A task that was canceled must stay so.
        if (exitCode == ExitCodes.MoreToDo && !worker.IsCanceled && turn < MostTurns)
            SlurmReport.Note(
                SlurmCluster.TakeAnotherTurn($"{array}_{task.ToString(CultureInfo.InvariantCulture)}")
                    ? "this task waits to run again"
                    : "this task is not finished, and Slurm will not run it again"
            );
        return exitCode;
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : null;
}
