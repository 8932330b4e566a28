using DemucsPS.Engine;
using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cli.Slurm;

/// <summary>What commands about jobs show: answers on stdout, errors and notes on stderr.</summary>
internal sealed class SlurmReport(bool json)
{
    public static void Note(string sentence) => Console.Error.WriteLine($"note: {sentence}");

    /// <returns>The exit code.</returns>
    public static int Failure(DemucsException error)
    {
        Console.Error.WriteLine(Advice.LineOf(error));
        return error.Error == DemucsError.ParameterInvalid ? ExitCodes.Usage : ExitCodes.Failed;
    }

    public void Status(ClusterStatus status)
    {
        if (json)
        {
            Write(status);
            return;
        }
        Console.Out.WriteLine(status);
        if (status.Tasks is { States.Count: > 0 } tasks)
            Console.Out.WriteLine($"  tasks: {string.Join(", ", tasks.States.Select(state => $"{state.Value} {state.Key}"))}");
        foreach (FailureGroup group in status.Failures)
            Console.Out.WriteLine($"  {group.Count} {group.Error} on {string.Join(", ", group.Nodes)}: {group.Message}");
    }

    public void Track(ClusterTrack track)
    {
        if (json)
            Write(track);
        else
            Console.Out.WriteLine(
                $"{track.State.ToString().ToLowerInvariant()} {track.SourcePath}{(track.Error is null ? "" : $" [{track.Error}] {track.Message}")}"
            );
    }

    private static void Write<T>(T what) => Console.Out.WriteLine(ConsoleJson.Of(what));
}
