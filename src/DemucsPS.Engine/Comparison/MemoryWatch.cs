namespace DemucsPS.Engine.Comparison;

/// <summary>Looks every 20 ms how much memory the process has. Memory that comes and goes in between is not seen.</summary>
internal sealed class MemoryWatch : IDisposable
{
    private const int Milliseconds = 20;

    private readonly Timer _timer;
    private long _peak = Environment.WorkingSet;

    public MemoryWatch() => _timer = new Timer(_ => Look(), null, Milliseconds, Milliseconds);

    /// <summary>The most that was seen, in bytes.</summary>
    public long Peak
    {
        get
        {
            Look();
            return Volatile.Read(ref _peak);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        long now = Environment.WorkingSet;
        for (long seen; now > (seen = Volatile.Read(ref _peak));)
            Interlocked.CompareExchange(ref _peak, now, seen);
    }
}
