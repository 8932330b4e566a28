using System.CommandLine;
using DemucsPS.Cli.Completion;
using DemucsPS.Engine;
using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cli.Slurm;

/// <summary>Commands for a job that is there: <c>status</c>, <c>wait</c>, <c>report</c> and <c>cancel</c>.</summary>
internal static class FollowCommand
{
    public static Command Status() =>
        Create(
            "status",
            "Show the progress of a job. The exit code is 0 when all tracks are done, 1 when some failed, 99 when some are left.",
            (job, report, _, _) => Show(ClusterWatch.Status(job, new SlurmCluster()), report)
        );

    public static Command Wait()
    {
        Option<int> interval = new("--interval")
        {
            Description = "Seconds between checks. Default: 30.",
            DefaultValueFactory = _ => 30,
            CustomParser = NumberArgument.Whole,
            HelpName = "SECONDS",
        };
        return Create(
            "wait",
            "Wait until no task of a job is waiting or running, then show its status, with the exit codes of 'status'.",
            (job, report, parsed, cancellationToken) =>
                Show(
                    ClusterWatch.Wait(
                        job,
                        new SlurmCluster(),
                        TimeSpan.FromSeconds(Math.Max(1, parsed.GetValue(interval))),
                        status => Console.Error.WriteLine(status),
                        cancellationToken
                    ),
                    report
                ),
            interval
        );
    }

    public static Command Report()
    {
        Option<bool> failed = new("--failed") { Description = "Only tracks that failed or are missing." };
        return Create(
            "report",
            "Show the result of each track of a job.",
            (job, report, parsed, _) =>
            {
                foreach (
                    ClusterTrack track in ClusterProgress
                        .Read(job)
                        .Tracks.Where(track => !parsed.GetValue(failed) || track.State != TrackState.Done)
                )
                    report.Track(track);
                return ExitCodes.Succeeded;
            },
            failed
        );
    }

    public static Command Cancel() =>
        Create("cancel", "Cancel a job's tasks in Slurm. Running tasks are notified first, so that they keep their work.", (job, _, _, _) =>
        {
            new SlurmCluster().Cancel([.. job.Submissions().SelectMany(submission => submission.Arrays)]);
            return ExitCodes.Succeeded;
        });

    private static int Show(ClusterStatus status, SlurmReport report)
    {
        report.Status(status);
        return status.Done == status.Tracks ? ExitCodes.Succeeded
            : status.Missing > 0 ? ExitCodes.MoreToDo
            : ExitCodes.Failed;
    }

    private static Command Create(
        string name,
        string description,
        Func<ClusterJob, SlurmReport, ParseResult, CancellationToken, int> run,
        params Option[] options
    )
    {
        Argument<string> folder = new Argument<string>("job") { Description = "Folder of the job." }.Offering(Offer.Folders);
        Option<bool> json = new("--json") { Description = "Write JSON objects, one per line." };
        Command command = new(name, description) { folder };
        foreach (Option option in options)
            command.Options.Add(option);
        if (name != "cancel")
            command.Options.Add(json);
        command.SetAction(
            (parsed, cancellationToken) =>
                Task.Run(
                    () =>
                    {
                        try
                        {
                            return run(
                                ClusterJob.Open(Path.GetFullPath(parsed.GetRequiredValue(folder))),
                                new SlurmReport(name != "cancel" && parsed.GetValue(json)),
                                parsed,
                                cancellationToken
                            );
                        }
                        catch (DemucsException e)
                        {
                            return SlurmReport.Failure(e);
                        }
                        catch (OperationCanceledException)
                        {
                            return ExitCodes.Canceled;
                        }
                    },
                    CancellationToken.None
                )
        );
        return command;
    }
}
