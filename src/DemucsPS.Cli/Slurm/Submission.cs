using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cli.Slurm;

/// <summary>Does what was planned, or only says it.</summary>
internal static class Submission
{
    /// <returns>An exit code; null for what it was before.</returns>
    public static int? Do(ClusterOrder order, bool isWhatIf)
    {
        Console.Out.WriteLine(order.Plan);
        if (order.Plan.IsFactorAssumed && order.Plan.Tasks.Count > 0)
            SlurmReport.Note(
                "the time per second of audio is only assumed. Submit a few tracks first and name that job with --measured-in, or give --real-time-factor."
            );
        if (isWhatIf)
        {
            if (order.Try() is { } said)
                Console.Out.WriteLine(said);
            return null;
        }
        if (order.Submit() is { } submission)
            Console.Out.WriteLine(
                submission.Arrays.Count == 0
                    ? "created, not submitted"
                    : $"submitted: {string.Join(", ", submission.Arrays.Select(array => array.Id))}"
            );
        else
            Console.Out.WriteLine("nothing to do");
        return null;
    }
}
