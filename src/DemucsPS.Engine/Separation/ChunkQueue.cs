namespace DemucsPS.Engine.Separation;

/// <summary>
/// Separates chunks on a bounded number of workers and gives them back in the order in which they were started, so that nothing downstream depends on how many
/// run at once. Disposing ends what runs and waits for it. Not thread-safe.
/// </summary>
/// <typeparam name="T">What is known of a chunk.</typeparam>
internal sealed class ChunkQueue<T> : IDisposable
{
    private readonly ModelBag _bag;
    private readonly IReadOnlyList<int> _stems;
    private readonly int _jobs;
    private readonly bool _keepTimeBranch;
    private readonly CancellationTokenSource _stop;
    private readonly Stack<ChunkWorker> _idle = new();
    private readonly Queue<(T Item, ChunkWorker Worker, Task Done)> _running = new();

    /// <param name="bag">The models; owned by the caller and not disposed before this.</param>
    /// <param name="stems">Numbers of the stems that are wanted.</param>
    /// <param name="jobs">Chunks that run at once, at least 1.</param>
    /// <param name="keepTimeBranch">Whether workers keep the time branch by itself.</param>
    /// <param name="cancellationToken">Ends the runs.</param>
    public ChunkQueue(ModelBag bag, IReadOnlyList<int> stems, int jobs, bool keepTimeBranch, CancellationToken cancellationToken)
    {
        _bag = bag;
        _stems = stems;
        _jobs = bag.ChunksAtOnce(jobs);
        _keepTimeBranch = keepTimeBranch;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    /// <summary>Chunks that were started and not taken.</summary>
    public int Count => _running.Count;

    /// <summary>Whether a chunk must be taken before another can be started.</summary>
    public bool IsFull => _running.Count >= _jobs;

    /// <summary>Starts a chunk; the queue must not be full.</summary>
    /// <param name="item">What is known of it.</param>
    /// <param name="prepare">Puts its segment into the worker; called on this thread.</param>
    /// <param name="work">Separates it; called on another thread.</param>
    public void Start(T item, Action<ChunkWorker> prepare, Action<ChunkWorker, CancellationToken> work)
    {
        if (IsFull)
            throw new InvalidOperationException("Take a chunk before another is started.");
        // Workers are large, so there are never more than were needed at once.
        ChunkWorker worker = _idle.Count > 0 ? _idle.Pop() : new ChunkWorker(_bag, _stems, _keepTimeBranch);
        prepare(worker);
        _running.Enqueue((item, worker, Task.Run(() => work(worker, _stop.Token), CancellationToken.None)));
    }

    /// <summary>Waits for the oldest chunk and hands its worker, with the result, to <paramref name="use"/>. Throws what its work threw.</summary>
    public void TakeOldest(Action<T, ChunkWorker> use)
    {
        (T item, ChunkWorker worker, Task done) = _running.Peek();
        done.GetAwaiter().GetResult();
        _running.Dequeue();
        use(item, worker);
        _idle.Push(worker);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nobody may write into a buffer, or use the session, after this has returned.
        _stop.Cancel();
        Task.WhenAll(_running.Select(r => r.Done)).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Wait(CancellationToken.None);
        _running.Clear();
        _stop.Dispose();
    }
}
