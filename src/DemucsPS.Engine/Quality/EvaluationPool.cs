using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Quality;

/// <summary>
/// Large arrays and transforms that are used again, by the next window and by the next track of a set: memory then depends neither on the
/// number of windows nor on that of tracks. Left to the collector, they pile up until it looks, which doubles what the process has.
/// </summary>
internal sealed class EvaluationPool
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Type, int), Stack<object>> _free = [];
    private readonly Dictionary<object, (Type, int)> _out = new(ReferenceEqualityComparer.Instance);

    // Of the track that is measured, taken back or not.
    private readonly Dictionary<object, (Type, int)> _used = new(ReferenceEqualityComparer.Instance);

    /// <summary>An array of zeros.</summary>
    public double[] Take(int length)
    {
        double[] array = Take(length, count => new double[count], out bool isNew);
        if (!isNew)
            Array.Clear(array);
        return array;
    }

    /// <summary>A transform.</summary>
    /// <param name="size">Its samples.</param>
    public DoubleLaneFft TakeTransform(int size) => Take(size, samples => new DoubleLaneFft(samples), out _);

    /// <summary>Takes back what was taken.</summary>
    public void Give(object one)
    {
        lock (_lock)
        {
            if (!_out.Remove(one, out (Type, int) kind))
                throw new InvalidOperationException("This was not taken from here, or was given back before.");
            Free(one, kind);
        }
    }

    /// <summary>
    /// Ends a track. All that it has used is there for the next one; what it had no use for is let go, since tracks may have other numbers
    /// of stems.
    /// </summary>
    public void EndTrack()
    {
        lock (_lock)
        {
            _free.Clear();
            foreach ((object one, (Type, int) kind) in _used)
                Free(one, kind);
            _out.Clear();
            _used.Clear();
        }
    }

    private T Take<T>(int size, Func<int, T> make, out bool isNew)
        where T : class
    {
        (Type, int) kind = (typeof(T), size);
        lock (_lock)
        {
            object? one = null;
            isNew = !(_free.TryGetValue(kind, out Stack<object>? free) && free.TryPop(out one));
            T taken = one as T ?? make(size);
            _out.Add(taken, kind);
            _used[taken] = kind;
            return taken;
        }
    }

    private void Free(object one, (Type, int) kind)
    {
        if (!_free.TryGetValue(kind, out Stack<object>? free))
            _free.Add(kind, free = []);
        free.Push(one);
    }
}
