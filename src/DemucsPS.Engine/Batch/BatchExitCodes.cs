namespace DemucsPS.Engine.Batch;

/// <summary>Exit codes of programs that work on batches, for their callers and for schedulers.</summary>
public static class BatchExitCodes
{
    /// <summary>All tracks are done.</summary>
    public const int Succeeded = 0;

    /// <summary>Something failed; the rest is done.</summary>
    public const int Failed = 1;

    /// <summary>The arguments are invalid; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>There is more to do: the time was over, or the program was asked to end. The same command continues.</summary>
    public const int MoreToDo = 99;

    /// <summary>Ended by Ctrl+C: 128 + SIGINT.</summary>
    public const int Canceled = 130;
}
