using System.Collections.Concurrent;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Lets as many batches into the models at once as there are jobs. The memory for the models' outputs, by far the most of what a run needs,
/// comes with the slot, so a batch that waits has none. Thread-safe.
/// </summary>
/// <param name="jobs">Slots, at least 1.</param>
/// <param name="contract">The contract of the models.</param>
/// <param name="batch">Chunks of a batch.</param>
internal sealed class ModelSlots(int jobs, ModelContract contract, int batch) : IDisposable
{
    private readonly SemaphoreSlim _free = new(jobs);
    private readonly SemaphoreSlim _alone = new(1);
    private ModelTensors? _aloneTensors;
    private readonly ConcurrentBag<ModelTensors> _outputs = [];

    /// <summary>Waits for a slot, and puts memory for outputs into the tensors. It lasts until it is disposed.</summary>
    /// <exception cref="OperationCanceledException">It was canceled while waiting.</exception>
    public Slot Take(ModelTensors tensors, CancellationToken cancellationToken)
    {
        _free.Wait(cancellationToken);
        return new Slot(this, tensors, _outputs.TryTake(out ModelTensors? outputs) ? outputs : new ModelTensors(contract, batch));
    }

    /// <summary>
    /// Runs a chunk that left its batch. It takes the memory of a whole batch, so one after another does: else all chunks of a batch that
    /// failed would take that many times as much at once.
    /// </summary>
    /// <param name="allocate">Gives the memory, if there is none yet.</param>
    /// <param name="run">Runs the chunk in it.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="OperationCanceledException">It was canceled while waiting.</exception>
    public void RunAlone(Func<ModelTensors> allocate, Action<ModelTensors> run, CancellationToken cancellationToken)
    {
        _alone.Wait(cancellationToken);
        try
        {
            run(_aloneTensors ??= allocate());
        }
        finally
        {
            _alone.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _free.Dispose();
        _alone.Dispose();
    }

    /// <summary>The right to run the models.</summary>
    public sealed class Slot : IDisposable
    {
        private readonly ModelSlots _slots;
        private readonly ModelTensors _tensors;
        private readonly ModelTensors _outputs;
        private bool _left;

        internal Slot(ModelSlots slots, ModelTensors tensors, ModelTensors outputs)
        {
            _slots = slots;
            _tensors = tensors;
            _outputs = outputs;
            tensors.ExchangeOutputs(outputs);
        }

        /// <summary>Gives the slot to the next batch, and keeps the memory with what the models gave. At most once.</summary>
        public void Leave()
        {
            _left = true;
            _slots._free.Release();
        }

        /// <summary>Gives the slot, and the memory, to the next batch.</summary>
        public void Dispose()
        {
            _tensors.ExchangeOutputs(_outputs);
            _slots._outputs.Add(_outputs);
            if (!_left)
                _slots._free.Release();
        }
    }
}
