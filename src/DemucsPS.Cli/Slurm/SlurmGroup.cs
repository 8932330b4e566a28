using System.CommandLine;

namespace DemucsPS.Cli.Slurm;

/// <summary><c>demucsps slurm</c>: an archive over a cluster.</summary>
internal static class SlurmGroup
{
    public static Command Create(Interruption interruption) => new("slurm", "Separate an archive on a cluster that Slurm runs. A job is a folder that all nodes see; see docs/CLUSTER.md.")
    {
        SubmitCommand.Create(interruption),
        RetryCommand.Create(),
        FollowCommand.Status(),
        FollowCommand.Wait(),
        FollowCommand.Report(),
        FollowCommand.Cancel(),
        RunCommand.Create(),
    };
}
