namespace DemucsPS.Engine.Separation;

/// <summary>
/// Runs chunks, again where they fail. After memory has run out, fewer run at once from then on, and the attempt does not count as long as
/// there is someone else to make room. Chunks of a batch wait for each other and cannot make room, and another attempt would take as much
/// memory again: there it is the last. Thread-safe.
/// </summary>
/// <param name="retries">How often a failed attempt is repeated.</param>
/// <param name="jobs">Chunks that may run at once.</param>
/// <param name="batchSize">Chunks that wait for each other.</param>
internal sealed class ChunkAttempts(int retries, int jobs, int batchSize = 1) : IDisposable
{
    private const int MaxFailureText = 300;

    private readonly SemaphoreSlim _room = new(jobs);
    private readonly Lock _gate = new();
    private int _jobs = jobs;
    private int _surplus;

    /// <summary>Chunks that may run at once, now.</summary>
    public int Jobs
    {
        get
        {
            lock (_gate)
                return _jobs;
        }
    }

    /// <summary>Runs one chunk.</summary>
    /// <param name="chunk">What messages call it: <c>chunk 3 (of 0 to 9) of song.wav</c>.</param>
    /// <param name="failures">Receives the messages of the attempts that failed.</param>
    /// <param name="attempt">Does it; gets the attempt's number, from 1.</param>
    /// <param name="cancellationToken">Ends the waiting; the attempt sees to itself.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">The last attempt's error, with the chunk's number.</exception>
    public void Run(string chunk, ICollection<string> failures, Action<int> attempt, CancellationToken cancellationToken)
    {
        for (int left = retries; ;)
        {
            DemucsException error;
            _room.Wait(cancellationToken);
            bool retreated = false;
            int atOnce = Jobs;
            try
            {
                attempt(failures.Count + 1);
                return;
            }
            catch (DemucsException e)
            {
                error = e;
                retreated = e.Error == DemucsError.OutOfMemory && Retreat(atOnce);
            }
            catch (OutOfMemoryException e)
            {
                error = ModelMemory.Lacking(batchSize, e);
                retreated = Retreat(atOnce);
            }
            finally
            {
                Leave();
            }
            failures.Add(error.Message.Length <= MaxFailureText ? error.Message : error.Message[..MaxFailureText] + "…");
            if (!retreated && (left-- == 0 || (error.Error == DemucsError.OutOfMemory && batchSize > 1)))
                throw new DemucsException(
                    error.Error,
                    $"{char.ToUpperInvariant(chunk[0])}{chunk[1..]} could not be separated in {failures.Count} attempt{(failures.Count == 1 ? "" : "s")}. {error.Message}",
                    error.Path,
                    error
                );
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _room.Dispose();

    /// <summary>Halves what may run at once, unless another has done so since.</summary>
    /// <param name="atOnce">What it was when the attempt began.</param>
    /// <returns>Whether others may have taken the memory.</returns>
    private bool Retreat(int atOnce)
    {
        if (batchSize > 1)
            return false;
        lock (_gate)
        {
            if (_jobs == atOnce)
            {
                int fewer = Math.Max(1, _jobs / 2);
                // Free places are taken at once, the others when they become free.
                for (; _jobs > fewer; _jobs--)
                    _surplus += _room.Wait(0) ? 0 : 1;
            }
            return atOnce > 1;
        }
    }

    private void Leave()
    {
        lock (_gate)
        {
            if (_surplus > 0)
                _surplus--;
            else
                _room.Release();
        }
    }
}
