using DemucsPS.Engine.Machine;
using Outcome = (DemucsPS.Engine.Quality.TrackQuality? Quality, DemucsPS.Engine.DemucsException? Error);

namespace DemucsPS.Engine.Quality;

/// <summary>Measures many tracks, several at once. Memory grows with how many those are, not with how many there are in all.</summary>
public static class QualitySet
{
    /// <summary>Measures tracks and returns the results in order, each as soon as it is known.</summary>
    /// <param name="tracks">The tracks.</param>
    /// <param name="options">What is wanted; <see cref="QualityOptions.Threads"/> of 0 shares the processors.</param>
    /// <param name="jobs">How many are measured at once; 0 for as many as there are processors.</param>
    /// <param name="results">Where results are kept; null for nowhere.</param>
    /// <param name="cancellationToken">Ends the work; results that were kept stay.</param>
    /// <returns>Of each track its figures, or what is wrong with it.</returns>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: an option is out of range.</exception>
    public static IEnumerable<(EstimatedTrack Track, TrackQuality? Quality, DemucsException? Error)> Measure(
        IReadOnlyList<EstimatedTrack> tracks,
        QualityOptions options,
        int jobs = 0,
        QualityResults? results = null,
        CancellationToken cancellationToken = default
    )
    {
        options.Check();
        if (jobs is < 0 or > 256)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The number of jobs is {jobs}; it must be 1 to 256, or 0 for one per processor."
            )
            {
                Parameter = EngineParameter.Jobs,
            };
        int workers = Math.Min(jobs == 0 ? MachineLimits.Processors : jobs, tracks.Count);
        QualityOptions shared =
            options.Threads > 0 ? options : options with { Threads = Math.Max(1, MachineLimits.Processors / Math.Max(workers, 1)) };
        return Run(tracks, shared, workers, results, cancellationToken);
    }

    private static IEnumerable<(EstimatedTrack Track, TrackQuality? Quality, DemucsException? Error)> Run(
        IReadOnlyList<EstimatedTrack> tracks,
        QualityOptions options,
        int workers,
        QualityResults? results,
        CancellationToken cancellationToken
    )
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        TaskCompletionSource<Outcome>[] done =
        [
            .. tracks.Select(_ => new TaskCompletionSource<Outcome>(TaskCreationOptions.RunContinuationsAsynchronously)),
        ];
        int next = -1;
        Task[] work =
        [
            .. Enumerable
                .Range(0, workers)
                .Select(_ =>
                    Task.Factory.StartNew(
                        () => MeasureEach(tracks, () => Interlocked.Increment(ref next), options, results, done, stop.Token),
                        CancellationToken.None,
                        TaskCreationOptions.LongRunning,
                        TaskScheduler.Default
                    )
                ),
        ];
        try
        {
            for (int i = 0; i < tracks.Count; i++)
            {
                (TrackQuality? quality, DemucsException? error) = done[i].Task.GetAwaiter().GetResult();
                // Whoever reads keeps what is to be kept: a set has some hundred thousand windows.
                done[i] = null!;
                yield return (tracks[i], quality, error);
            }
        }
        finally
        {
            stop.Cancel();
            Task.WaitAll(work, CancellationToken.None);
        }
    }

    /// <summary>Measures tracks, each of which is the next that nobody measures, until there are no more.</summary>
    private static void MeasureEach(
        IReadOnlyList<EstimatedTrack> tracks,
        Func<int> next,
        QualityOptions options,
        QualityResults? results,
        TaskCompletionSource<Outcome>[] done,
        CancellationToken cancellationToken
    )
    {
        EvaluationPool stock = new();
        for (int i; (i = next()) < tracks.Count;)
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                TrackQuality quality = results is null
                    ? StemMeasurement.Measure(tracks[i], options, stock, null, cancellationToken)
                    : results.Measure(tracks[i], options, stock, null, cancellationToken);
                done[i].SetResult((quality, null));
            }
            catch (DemucsException e)
            {
                done[i].SetResult((null, e));
            }
            catch (Exception e)
            {
                // Unforeseen errors as well: the reader must not wait forever.
                done[i].SetException(e);
            }
        }
    }
}
