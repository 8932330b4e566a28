namespace DemucsPS.Engine.Batch;

/// <summary>How programs that work on batches end: what a worker tells whoever started it, and what schedulers are told.</summary>
public static class BatchExitCodes
{
    /// <summary>All tracks are done.</summary>
    public const int Succeeded = 0;

    /// <summary>Something failed; the rest is done.</summary>
    public const int Failed = 1;

    /// <summary>The arguments cannot be meant so; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>There is more to do: time was over, or the program was told to end. The same again goes on.</summary>
    public const int MoreToDo = 99;

    /// <summary>Ended by Ctrl+C: 128 + SIGINT.</summary>
    public const int Canceled = 130;
}
