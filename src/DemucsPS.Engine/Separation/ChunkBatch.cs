using System.Runtime.ExceptionServices;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Chunks that the models compute at once, each in its own place and separated by its own worker. Whoever comes to a model waits for the
/// others; the last one runs it, for all. What a chunk becomes depends on its place and on nothing in the others, so it does not matter
/// which of them are there: places without a chunk are computed, too. Thread-safe.
/// </summary>
internal sealed class ChunkBatch
{
    private readonly object _gate = new();
    private readonly ModelBag _bag;
    private readonly ModelSlots _slots;
    private int _members;
    private int _arrived;
    private int _reading;
    private long _runs;
    private bool _isRunning;
    private ModelBag.Use? _model;
    private ModelSlots.Slot? _slot;
    private ExceptionDispatchInfo? _failure;

    /// <param name="bag">The models.</param>
    /// <param name="slots">Lets batches into the models.</param>
    /// <param name="tensors">Memory for all places; this batch's until all of its members are done.</param>
    /// <param name="members">How many chunks there will be, at least 1.</param>
    public ChunkBatch(ModelBag bag, ModelSlots slots, ModelTensors tensors, int members)
    {
        _bag = bag;
        _slots = slots;
        Tensors = tensors;
        IsAlone = members == 1;
        _members = members;
    }

    /// <summary>Inputs and outputs of all places.</summary>
    public ModelTensors Tensors { get; }

    /// <summary>Whether it was made for one chunk.</summary>
    public bool IsAlone { get; }

    /// <summary>
    /// Waits until all members have come to a model and it has been run on their inputs. To be disposed when this member has read its
    /// outputs.
    /// </summary>
    /// <param name="model">The model's number, the same for all members.</param>
    /// <param name="resources">Asked, when the model runs, what it may take of the machine.</param>
    /// <param name="running">Called by the one that runs it, just before.</param>
    /// <param name="cancellationToken">Ends the waiting and the run.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">The model failed, for all members.</exception>
    public Reading Run(int model, Func<RunResources> resources, Action running, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration wake = cancellationToken.UnsafeRegister(
            static gate =>
            {
                lock (gate!)
                    Monitor.PulseAll(gate);
            },
            _gate
        );
        lock (_gate)
        {
            long run = _runs;
            _arrived++;
            while (_runs == run && (_arrived < _members || _isRunning))
            {
                if (cancellationToken.IsCancellationRequested)
                    _arrived--;
                cancellationToken.ThrowIfCancellationRequested();
                Monitor.Wait(_gate);
            }
            if (_runs == run)
                _isRunning = true;
            else
                return Read();
        }
        ExceptionDispatchInfo? failure = null;
        try
        {
            RunHere(model, resources, running, cancellationToken);
        }
        catch (Exception e)
        {
            failure = ExceptionDispatchInfo.Capture(e);
        }
        lock (_gate)
        {
            _failure = failure;
            _reading = _arrived;
            _arrived = 0;
            _isRunning = false;
            _runs++;
            Monitor.PulseAll(_gate);
            return Read();
        }
    }

    /// <summary>A member goes and does not come back: the others do not wait for it.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _members--;
            Monitor.PulseAll(_gate);
        }
    }

    private void RunHere(int model, Func<RunResources> resources, Action running, CancellationToken cancellationToken)
    {
        // The model first: while a batch waits for one to be loaded, others need the slot.
        _model = _bag.Take(model, cancellationToken);
        _slot = _slots.Take(Tensors, cancellationToken);
        running();
        _model.Value.Run(Tensors, resources(), cancellationToken);
        // An accelerator need not wait for what the processor does with its results.
        if (_bag.ExecutionProvider != ExecutionProvider.Cpu)
            _slot.Leave();
    }

    private Reading Read()
    {
        if (_failure is null)
            return new Reading(this);
        ExceptionDispatchInfo failure = _failure;
        Done();
        failure.Throw();
        return default;
    }

    /// <summary>The last one to have read gives the model and the memory of its outputs back.</summary>
    private void Done()
    {
        lock (_gate)
        {
            if (--_reading > 0)
                return;
            _slot?.Dispose();
            _slot = null;
            _model?.Dispose();
            _model = null;
        }
    }

    /// <summary>The right to read what a run has given.</summary>
    public readonly struct Reading(ChunkBatch batch) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose() => batch.Done();
    }
}
