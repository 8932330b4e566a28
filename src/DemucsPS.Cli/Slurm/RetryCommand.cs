using System.CommandLine;
using DemucsPS.Cli.Completion;
using DemucsPS.Engine;
using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cli.Slurm;

/// <summary><c>demucsps slurm retry</c>: what failed or is missing of a job, once more.</summary>
internal static class RetryCommand
{
    public static Command Create()
    {
        Argument<string> job = new Argument<string>("job") { Description = "Folder of the job." }.Offering(Offer.Folders);
        SubmissionOptions submission = new();
        Command command = new("retry", "Submit again only the failed and missing tracks of a job.") { job };
        submission.AddTo(command);
        command.SetAction(
            (parsed, _) =>
                Task.Run(
                    () =>
                    {
                        try
                        {
                            ClusterOrder order = ClusterOrder.Again(
                                Path.GetFullPath(parsed.GetRequiredValue(job)),
                                submission.Plan(parsed),
                                submission.Slurm(parsed),
                                submission.Cluster(parsed)
                            );
                            return Submission.Do(order, submission.IsWhatIf(parsed)) ?? ExitCodes.Succeeded;
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
}
