using System.CommandLine;

namespace DemucsPS.Cli.Slurm;

/// <summary><c>demucsps slurm</c>: an archive over a cluster.</summary>
internal static class SlurmGroup
{
    private const string Name = "slurm";

    /// <param name="interruption">Ends what runs.</param>
    /// <param name="arguments">The program's: where they do not name the group, its commands, with all options of <c>separate</c> once
    /// more, would only cost time at each start.</param>
    public static Command Create(Interruption interruption, IReadOnlyList<string> arguments)
    {
        Command group = new(Name, "Separate an archive on a Slurm cluster. A job is a folder shared by all nodes; see docs/CLUSTER.md.");
        if (!arguments.Contains(Name))
            return group;
        foreach (
            Command command in new[]
            {
                SubmitCommand.Create(interruption),
                RetryCommand.Create(),
                FollowCommand.Status(),
                FollowCommand.Wait(),
                FollowCommand.Report(),
                FollowCommand.Cancel(),
                RunCommand.Create(),
                CheckCommand.Create(interruption),
            }
        )
            group.Subcommands.Add(command);
        return group;
    }
}
