using DemucsPS.Engine.Batch;

namespace DemucsPS.Cli;

/// <summary>What the program tells the one who started it. Scripts and schedulers depend on these.</summary>
internal static class ExitCodes
{
    /// <summary>Everything is done.</summary>
    public const int Succeeded = BatchExitCodes.Succeeded;

    /// <summary>Something failed; the rest is done.</summary>
    public const int Failed = BatchExitCodes.Failed;

    /// <summary>The arguments are invalid; nothing was done.</summary>
    public const int Usage = BatchExitCodes.Usage;

    /// <summary>There is more to do: the time was over, or the program was asked to end. The same command continues.</summary>
    public const int MoreToDo = BatchExitCodes.MoreToDo;

    /// <summary>Ended by Ctrl+C: 128 + SIGINT.</summary>
    public const int Canceled = BatchExitCodes.Canceled;
}
