using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Batch;

/// <summary>
/// Separates the tracks of one worker: records each result, starts no track that would exceed the time limit, skips those of other workers,
/// and takes those in which workers died last. Used once, on one thread.
/// </summary>
/// <param name="separator">Separates a track.</param>
/// <param name="results">Receives the results of the tracks; null for none.</param>
/// <param name="limit">How long it may take; null for no limit.</param>
/// <param name="shard">Which share of a batch the tracks are; null for all.</param>
public sealed class BatchRun(FileSeparator separator, ResultsFile? results, TimeLimit? limit, ShardNumber? shard)
{
    // The timers of the system count to fifty days.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(40);

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly List<(TrackSource Track, DemucsException Error)> _busy = [];
    private int _failed;
    private int _separated;

    /// <summary>Times come from here, so that tests can turn the clock.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Waits so long, or until it is canceled.</summary>
    internal Action<TimeSpan, CancellationToken> Wait { get; init; } = (time, token) => token.WaitHandle.WaitOne(time);

    /// <summary>Receives a track before it is separated; gives the receiver of its progress.</summary>
    public required Func<TrackSource, IProgress<SeparationProgress>?> Beginning { get; init; }

    /// <summary>Receives each track that was separated or skipped.</summary>
    public required Action<SeparationResult> Done { get; init; }

    /// <summary>Receives each track that had an error.</summary>
    public required Action<TrackSource, DemucsException> Failed { get; init; }

    /// <summary>Receives each track that another worker has.</summary>
    public required Action<TrackSource, DemucsException> Busy { get; init; }

    /// <summary>Receives messages about tracks left for lack of time.</summary>
    public required Action<string> Left { get; init; }

    /// <summary>Separates the tracks.</summary>
    /// <param name="tracks">The tracks.</param>
    /// <param name="refused">Tracks not to be separated, each with the reason.</param>
    /// <param name="cancellationToken">Ends the work, also in the middle of a chunk.</param>
    /// <exception cref="SeparationCanceledException">It was canceled in the middle of a track. The message says what is kept.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">A result cannot be written, or another worker writes to the same file.</exception>
    public BatchEnd Run(
        IEnumerable<TrackSource> tracks,
        IReadOnlyDictionary<TrackSource, DemucsException> refused,
        CancellationToken cancellationToken
    )
    {
        using IDisposable? held = Hold(cancellationToken);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (limit is not null && limit.Remaining < s_longest)
            end.CancelAfter(limit.Remaining > TimeSpan.Zero ? limit.Remaining : TimeSpan.Zero);
        foreach ((TrackSource track, DemucsException error) in refused)
            Fail(track, error, TimeSpan.Zero);
        List<TrackSource> waiting = InOrder(tracks.Where(track => !refused.ContainsKey(track)));
        try
        {
            while (waiting.Count > 0)
            {
                int before = _separated;
                waiting =
                [
                    .. waiting
                        .Where(track => !IsTimeFor(track, end.Token) || !Separate(track, end.Token))
                        .Except(_busy.Select(busy => busy.Track)),
                ];
                // What seemed not to fit may do so now that it is known how quick this machine is.
                if (_separated > before)
                    continue;
                // What takes nearly all of the limit would never be started. Its journal keeps what is done of it.
                int next = waiting.FindIndex(IsTooLongForAnyRun);
                if (next < 0 && (_separated > 0 || waiting.Count == 0))
                    break;
                TrackSource begun = waiting[Math.Max(0, next)];
                waiting.Remove(begun);
                Separate(begun, end.Token);
            }
            AwaitBusy(end.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            Left($"The time limit is reached. {(e is SeparationCanceledException ? e.Message : "")}".TrimEnd());
            return new BatchEnd(_failed, true);
        }
        if (waiting.Count > 0)
            Left(
                FormattableString.Invariant(
                    $"{(waiting.Count == 1 ? "1 track was" : $"{waiting.Count} tracks were")} not started: {limit!.Remaining:d\\.hh\\:mm\\:ss} of the time limit is left, and a second of music takes {limit.RealTimeFactor:F2} s."
                )
            );
        return new BatchEnd(_failed, waiting.Count > 0 || _busy.Count > 0);
    }

    /// <summary>
    /// Takes the file of results. Where a worker of another machine had it, which may be dead, it is waited for until that is known.
    /// </summary>
    private IDisposable? Hold(CancellationToken cancellationToken)
    {
        TimeSpan? patience = null;
        for (long since = Clock.GetTimestamp(); ; Wait(s_interval, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return results?.Hold();
            }
            catch (DemucsException e)
                when (e.Error == DemucsError.SeparationRunning
                    && e.MayPass is { } left
                    && Clock.GetElapsedTime(since) <= (patience ??= left * 1.5)
                )
            {
                // One that lives is heard of again before that.
            }
        }
    }

    /// <summary>Those in which workers died last; those in which too many did not at all.</summary>
    private List<TrackSource> InOrder(IEnumerable<TrackSource> tracks)
    {
        if (results is null)
            return [.. tracks];
        if (results.Unfinished() is { } died)
        {
            results.Append(
                died with
                {
                    Time = Clock.GetUtcNow(),
                    Status = TrackStatus.Failed,
                    Error = nameof(DemucsError.WorkerDied),
                    Message = $"A worker died while separating '{died.Source}'.",
                }
            );
            results.End();
        }
        Dictionary<(string, string), int> deaths = results.Deaths();
        List<TrackSource> order = [],
            last = [];
        foreach (TrackSource track in tracks)
        {
            int count = deaths.GetValueOrDefault((track.Path, track.Name));
            if (count >= ResultsFile.MaxDeaths)
            {
                Fail(
                    track,
                    new DemucsException(
                        DemucsError.WorkerDied,
                        FormattableString.Invariant(
                            $"'{track.Path}' was given up: {count} workers died while separating it. Separate it alone, or remove it from the list."
                        ),
                        track.Path
                    ),
                    TimeSpan.Zero
                );
            }
            else
            {
                (count > 0 ? last : order).Add(track);
            }
        }
        return [.. order, .. last];
    }

    private bool IsTimeFor(TrackSource track, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return limit is null || NeedOf(track) <= limit.Remaining;
    }

    private bool IsTooLongForAnyRun(TrackSource track) => limit is not null && NeedOf(track) > limit.Limit;

    private TimeSpan NeedOf(TrackSource track)
    {
        TrackOutlook outlook = separator.Foresee(track);
        // For a track of unknown length, only the limit itself is known.
        return outlook is { IsRecorded: false, Music: { } music } ? limit!.Need(music * (1 - outlook.Kept)) : TimeSpan.Zero;
    }

    /// <returns>Whether the track is dealt with: true, unless another worker has it.</returns>
    private bool Separate(TrackSource track, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        long started = Clock.GetTimestamp();
        double kept = limit is null && results is null ? 0 : separator.Foresee(track).Kept;
        results?.Begin(Outcome(track, TrackStatus.Left, TimeSpan.Zero) with { Kept = kept });
        try
        {
            SeparationResult result = separator.Separate(track, Beginning(track), cancellationToken);
            TimeSpan worked = Clock.GetElapsedTime(started);
            if (!result.Skipped)
            {
                _separated++;
                limit?.Add(result.Duration * (1 - kept), worked);
            }
            results?.Append(
                TrackOutcome.Create(track, result, worked, Clock.GetUtcNow()) with
                {
                    Shard = shard?.ToString(),
                    Machine = Environment.MachineName,
                }
            );
            Done(result);
        }
        catch (DemucsException e) when (e.Error == DemucsError.SeparationRunning)
        {
            results?.End();
            _busy.RemoveAll(busy => busy.Track == track);
            _busy.Add((track, e));
            return false;
        }
        catch (DemucsException e)
        {
            Fail(track, e, Clock.GetElapsedTime(started));
        }
        catch (SeparationCanceledException e)
        {
            results?.Append(
                Outcome(track, TrackStatus.Left, Clock.GetElapsedTime(started)) with
                {
                    Message = e.Message,
                    Kept = separator.Foresee(track).Kept,
                }
            );
            results?.End();
            throw;
        }
        _busy.RemoveAll(busy => busy.Track == track);
        results?.End();
        return true;
    }

    /// <summary>Looks once more after tracks that other workers had: they may be done by now, or their workers dead.</summary>
    private void AwaitBusy(CancellationToken cancellationToken)
    {
        foreach ((TrackSource track, DemucsException first) in _busy.ToArray())
        {
            DemucsException error = first;
            long since = Clock.GetTimestamp();
            // One that lives is heard of again before that.
            TimeSpan patience = (first.MayPass ?? TimeSpan.Zero) * 1.5;
            while (IsTimeFor(track, cancellationToken) && !Separate(track, cancellationToken))
            {
                error = _busy.Find(busy => busy.Track == track).Error;
                if (error.MayPass is null || Clock.GetElapsedTime(since) > patience)
                    break;
                Wait(s_interval, cancellationToken);
            }
            if (_busy.Exists(busy => busy.Track == track))
            {
                results?.Append(
                    Outcome(track, TrackStatus.Left, TimeSpan.Zero) with
                    {
                        Error = error.Error.ToString(),
                        Message = error.Message,
                    }
                );
                Busy(track, error);
            }
        }
    }

    private void Fail(TrackSource track, DemucsException error, TimeSpan worked)
    {
        _failed++;
        results?.Append(Outcome(track, TrackStatus.Failed, worked) with { Error = error.Error.ToString(), Message = error.Message });
        Failed(track, error);
    }

    private TrackOutcome Outcome(TrackSource track, TrackStatus status, TimeSpan worked) =>
        new()
        {
            Time = Clock.GetUtcNow(),
            Status = status,
            Source = track.Path,
            Track = track.Name,
            Shard = shard?.ToString(),
            Machine = Environment.MachineName,
            Seconds = Math.Round(worked.TotalSeconds, 3),
        };
}
