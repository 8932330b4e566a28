using DemucsPS.Engine.Models;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Models that do not fit into memory together, loaded one at a time. Chunks ask for a model and wait for its turn: the next model is
/// loaded when no chunk wants the loaded one any more. Thread-safe.
/// </summary>
internal sealed class ModelRotation : IDisposable
{
    private readonly object _gate = new();
    private readonly int[] _waiting;
    private readonly int _jobs;
    private readonly Func<int, CancellationToken, SeparationModel> _load;
    private SeparationModel? _loaded;
    private int _current;
    private int _running;

    /// <param name="first">A loaded model; owned by this from now on.</param>
    /// <param name="number">Its number.</param>
    /// <param name="count">The number of models.</param>
    /// <param name="jobs">Runs at once.</param>
    /// <param name="load">Loads a model by its number.</param>
    public ModelRotation(SeparationModel first, int number, int count, int jobs, Func<int, CancellationToken, SeparationModel> load)
    {
        _loaded = first;
        _current = number;
        _waiting = new int[count];
        _jobs = jobs;
        _load = load;
    }

    /// <summary>Gives a model back that <see cref="Take"/> gave.</summary>
    public void Return()
    {
        lock (_gate)
        {
            _running--;
            Monitor.PulseAll(_gate);
        }
    }

    public void Dispose() => _loaded?.Dispose();

    /// <summary>Waits for a model's turn, and loads it if it is not loaded. It must be given back.</summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">The model cannot be loaded.</exception>
    public SeparationModel Take(int model, CancellationToken cancellationToken)
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
            _waiting[model]++;
            try
            {
                while (true)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (_loaded is not null && _current == model)
                    {
                        if (_running < _jobs)
                        {
                            _running++;
                            return _loaded;
                        }
                    }
                    else if (_running == 0 && Next() == model)
                    {
                        Switch(model, cancellationToken);
                        continue;
                    }
                    Monitor.Wait(_gate);
                }
            }
            finally
            {
                _waiting[model]--;
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>The model whose turn it is: the loaded one while chunks wait for it, then the next in order that chunks wait for.</summary>
    private int Next()
    {
        int candidate = _loaded is null ? (_current + 1) % _waiting.Length : _current;
        while (_waiting[candidate] == 0)
            candidate = (candidate + 1) % _waiting.Length;
        return candidate;
    }

    private void Switch(int model, CancellationToken cancellationToken)
    {
        // The one goes before the other comes: there is no room for both.
        _loaded?.Dispose();
        _loaded = null;
        _loaded = _load(model, cancellationToken);
        _current = model;
    }
}
