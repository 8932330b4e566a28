using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Separates chunks on a bounded number of workers and gives them back in the order in which they were started, so that nothing downstream
/// depends on how many run at once. One worker more than jobs: its chunk has its spectrogram ready when a model becomes free, and a chunk
/// that is done can be blended and written while the models run on; where models take several chunks at once, that many workers more.
/// Disposing ends what runs and waits for it. Not thread-safe.
/// </summary>
/// <typeparam name="T">What is known of a chunk.</typeparam>
internal sealed class ChunkQueue<T> : IDisposable
{
    private readonly ModelBag _bag;
    private readonly IReadOnlyList<int> _stems;
    private readonly int _most;
    private readonly int _inModel;
    private readonly bool _keepTimeBranch;
    private readonly CancellationTokenSource _stop;
    private readonly ChannelTransforms _transforms;
    private readonly ModelSlots _slots;
    private readonly Stack<ChunkWorker> _idle = new();
    private readonly Stack<ModelTensors> _idleTensors = new();
    private readonly Queue<(T Item, ChunkWorker Worker, OpenBatch Batch, Task Done)> _running = new();
    private OpenBatch? _batch;
    private int _unfinished;

    /// <param name="bag">The models; owned by the caller and not disposed before this.</param>
    /// <param name="stems">Numbers of the stems that are wanted.</param>
    /// <param name="jobs">Chunks, or batches of them, that are in the model at once, at least 1.</param>
    /// <param name="keepTimeBranch">Whether workers keep the time branch by itself.</param>
    /// <param name="cancellationToken">Ends the runs.</param>
    public ChunkQueue(ModelBag bag, IReadOnlyList<int> stems, int jobs, bool keepTimeBranch, CancellationToken cancellationToken)
    {
        _bag = bag;
        _stems = stems;
        _most = (bag.BatchesAtOnce(jobs) + 1) * bag.BatchSize;
        _inModel = jobs;
        _keepTimeBranch = keepTimeBranch;
        _transforms = new ChannelTransforms(bag.Contract.SegmentFrames);
        _slots = new ModelSlots(jobs, bag.Contract, bag.BatchSize);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    /// <summary>Receives what workers come to, on their threads.</summary>
    public Action<ChunkStep>? Observe { get; init; }

    /// <summary>Chunks that were started and not taken.</summary>
    public int Count => _running.Count;

    /// <summary>Whether a chunk must be taken before another can be started.</summary>
    public bool IsFull => _running.Count >= _most;

    /// <summary>Starts a chunk; the queue must not be full.</summary>
    /// <param name="item">What is known of it.</param>
    /// <param name="place">Where it is in its track.</param>
    /// <param name="prepare">Puts its segment into the worker; called on this thread.</param>
    /// <param name="work">Separates it; called on another thread.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.OutOfMemory"/>: there is no memory for it.</exception>
    public void Start(T item, ChunkPlace place, Action<ChunkWorker> prepare, Action<ChunkWorker, CancellationToken> work)
    {
        if (IsFull)
            throw new InvalidOperationException("Take a chunk before another is started.");
        (ChunkWorker worker, OpenBatch batch) = Allocate(place);
        worker.Enter(batch.Chunks, place.Number % _bag.BatchSize);
        prepare(worker);
        RunResources share = place.Share(_inModel, _bag.BatchSize);
        worker.RunResources = () =>
            share with
            {
                OwnThreadOnly = share.OwnThreadOnly && (place.AllCome || Volatile.Read(ref _unfinished) >= _inModel),
            };
        Interlocked.Increment(ref _unfinished);
        // A thread of its own: it waits, for its turn and for the runtime, and would only keep a thread of the pool from the transforms.
        Task done = Task.Factory.StartNew(
            () => Work(worker, work),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        _running.Enqueue((item, worker, batch, done));
    }

    /// <summary>
    /// Waits for the oldest chunk and hands its worker, with the result, to <paramref name="use"/>. Throws what its work threw; once
    /// canceled, nothing is passed on.
    /// </summary>
    public void TakeOldest(Action<T, ChunkWorker> use)
    {
        (T item, ChunkWorker worker, OpenBatch batch, Task done) = _running.Peek();
        done.GetAwaiter().GetResult();
        _stop.Token.ThrowIfCancellationRequested();
        _running.Dequeue();
        use(item, worker);
        _idle.Push(worker);
        if (--batch.NotTaken == 0)
            _idleTensors.Push(batch.Chunks.Tensors);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nobody may write into a buffer, or use the session, after this has returned.
        _stop.Cancel();
        Task.WhenAll(_running.Select(r => r.Done)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        _running.Clear();
        _slots.Dispose();
        _stop.Dispose();
    }

    private (ChunkWorker Worker, OpenBatch Batch) Allocate(ChunkPlace place)
    {
        try
        {
            // Workers are large, so there are never more than were needed at once.
            return (
                _idle.Count > 0 ? _idle.Pop() : new ChunkWorker(_bag, _stems, _transforms, _slots, _keepTimeBranch) { Observe = Observe },
                BatchFor(place)
            );
        }
        catch (OutOfMemoryException e)
        {
            throw ModelMemory.Lacking(_bag.BatchSize, e);
        }
    }

    /// <summary>The batch that a chunk belongs to: the last one, or a new one.</summary>
    private OpenBatch BatchFor(ChunkPlace place)
    {
        int number = place.Number / _bag.BatchSize;
        if (_batch is not { } batch || !place.AllCome || batch.Number != number)
        {
            int members = place.MembersOf(number, _bag.BatchSize);
            ModelTensors tensors = _idleTensors.Count > 0 ? _idleTensors.Pop() : ChunkWorker.Allocate(_bag);
            batch = _batch = new OpenBatch(number, new ChunkBatch(_bag, _slots, tensors, members)) { NotTaken = members };
        }
        return batch;
    }

    private void Work(ChunkWorker worker, Action<ChunkWorker, CancellationToken> work)
    {
        try
        {
            work(worker, _stop.Token);
        }
        catch
        {
            // It may have failed before it came to a model, where others of its batch wait for it.
            worker.Leave();
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _unfinished);
        }
    }

    private sealed class OpenBatch(int number, ChunkBatch chunks)
    {
        public int Number => number;

        public ChunkBatch Chunks => chunks;

        /// <summary>Chunks of it that were not taken yet, those that are still to be started included.</summary>
        public int NotTaken { get; set; }
    }
}
