using System.Globalization;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Models;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Separates audio files into stem files with one set of models and options. What is done of a track is kept when it is interrupted, and can be continued. Not thread-safe; use it
/// for one track at a time.
/// </summary>
public sealed class FileSeparator
{
    // Of the time at most a twentieth is spent on waiting for the disk: after each chunk where chunks take seconds, more rarely where they are quick or the disk is slow.
    private const int CheckpointShare = 20;

    // Enough to see what is wrong, and no more than a record file may hold.
    private const int MaxRetriesNoted = 1000;

    private readonly ModelBag _bag;
    private readonly StemSelection _selection;
    private readonly SeparationOptions _options;
    private readonly StemOutput _output;
    private readonly Separator _separator;

    /// <summary>Prepares separations.</summary>
    /// <param name="bag">The models; owned by the caller.</param>
    /// <param name="selection">The outputs wanted.</param>
    /// <param name="options">How to cut, shift and blend.</param>
    /// <param name="output">Where and how stems are written.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: an option is out of range.</exception>
    public FileSeparator(ModelBag bag, StemSelection selection, SeparationOptions options, StemOutput output)
    {
        _bag = bag;
        _selection = selection;
        _options = options;
        _output = output;
        _separator = new Separator(bag, selection, options);
    }

    /// <summary>Dates and durations come from here, so that tests can turn the clock.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Takes the folders of a batch that is known before it begins, so that two tracks that would go to the same one are found before any work is done.</summary>
    /// <param name="sources">The tracks; one that is named twice is one.</param>
    /// <returns>An error for each track whose folder another has.</returns>
    public IReadOnlyList<DemucsException> ClaimAll(IEnumerable<TrackSource> sources)
    {
        List<DemucsException> collisions = [];
        foreach (TrackSource source in sources)
        {
            try
            {
                _output.Folders.Claim(_bag.Name, source);
            }
            catch (DemucsException e)
            {
                collisions.Add(e);
            }
        }
        return collisions;
    }

    /// <summary>Says what <see cref="Separate"/> would do, without reading more than the source's header and without writing.</summary>
    /// <param name="source">The track.</param>
    /// <exception cref="DemucsException">The source cannot be opened, or stems of it exist and may not be overwritten.</exception>
    public SeparationPlan Plan(TrackSource source)
    {
        using StereoTrackReader reader = StereoTrackReader.Open(source);
        string folder = _output.Folders.For(_bag.Name, source);
        // Whether existing stems are those of this track, reading them must say.
        if (!_output.SkipExisting && !(_output.Resume && File.Exists(JournalIn(folder))))
            StemFileSet.CheckFree(folder, _selection.Names, _output.Overwrite, source.Path);
        long? frames = reader.FrameCount is > 0 ? reader.FrameCount : null;
        return new SeparationPlan(source.Path, [.. _selection.Names.Select(name => StemFileSet.PathOf(folder, name))], frames,
            frames is { } n ? _separator.CountChunks(n) : null, frames * _output.Format.BytesPerFrame * _selection.Names.Count);
    }

    /// <summary>Separates one track.</summary>
    /// <param name="source">The track.</param>
    /// <param name="progress">Told how far it is; called on this thread.</param>
    /// <param name="cancellationToken">Ends the work, also in the middle of a chunk.</param>
    /// <exception cref="OperationCanceledException">It was cancelled. The message says what is kept.</exception>
    /// <exception cref="DemucsException">The source, a model or the destination cannot be used. What could be continued is kept, and the message says so; else nothing is left behind.</exception>
    public SeparationResult Separate(TrackSource source, IProgress<SeparationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        string folder = _output.Folders.Claim(_bag.Name, source);
        try
        {
            long started = Clock.GetTimestamp();
            return (_output.SkipExisting ? FindExisting(folder, source, started, cancellationToken) : null)
                ?? (_output.Resume && File.Exists(JournalIn(folder)) ? Continue(folder, source, started, progress, cancellationToken) : null)
                ?? Begin(folder, source, started, progress, cancellationToken);
        }
        catch (OperationCanceledException e) when (e.InnerException is null)
        {
            _output.Folders.Release(folder);
            throw new OperationCanceledException($"'{source.Path}' was not finished.", e, cancellationToken);
        }
        catch
        {
            _output.Folders.Release(folder);
            throw;
        }
    }

    /// <summary>The first pass over a file.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="DemucsException">The file cannot be read.</exception>
    internal static TrackStatistics Measure(TrackSource source, IProgress<SeparationProgress>? progress, CancellationToken cancellationToken)
    {
        using StereoTrackReader reader = StereoTrackReader.Open(source);
        long total = reader.FrameCount ?? 0;
        return TrackStatistics.Measure(reader, source.Path, read => progress?.Report(new SeparationProgress(SeparationStage.Measuring, read, Math.Max(total, read), null)), cancellationToken);
    }

    /// <summary>Time since a moment; never below zero, whatever the clock does.</summary>
    private TimeSpan Since(long moment) => Clock.GetElapsedTime(moment) is var time && time > TimeSpan.Zero ? time : TimeSpan.Zero;

    private static string JournalIn(string folder) => Path.Combine(folder, PartialFolder.ResumableName, SeparationJournal.FileName);

    private SeparationResult Begin(string folder, TrackSource source, long started, IProgress<SeparationProgress>? progress, CancellationToken cancellationToken)
    {
        StemFileSet.CheckFree(folder, _selection.Names, _output.Overwrite, source.Path);
        CheckNothingUnfinished(folder);
        (TrackStatistics statistics, SourceIdentity identity) = MeasureAndIdentify(source, progress, cancellationToken);
        SeparationJournal journal = SeparationJournal.Begin(Identify(identity, cancellationToken), statistics, _selection.Names.Count);
        using StereoTrackReader reader = StereoTrackReader.Open(source);
        using PartialFolder partial = PartialFolder.Take(Path.Combine(folder, PartialFolder.ResumableName));
        CheckNothingUnfinished(folder);
        partial.Clear(SeparationJournal.FileName);
        return Run(folder, partial, journal, reader, source, started, progress, cancellationToken);
    }

    /// <returns>Null if there is nothing to continue after all.</returns>
    private SeparationResult? Continue(string folder, TrackSource source, long started, IProgress<SeparationProgress>? progress, CancellationToken cancellationToken)
    {
        // Opened first: where the source is missing, that is what is wrong, and what is kept stays.
        using StereoTrackReader reader = StereoTrackReader.Open(source);
        using PartialFolder partial = PartialFolder.Take(Path.Combine(folder, PartialFolder.ResumableName));
        partial.Stays = true;
        string path = partial[SeparationJournal.FileName];
        if (!File.Exists(path))
        {
            partial.Stays = false;
            return null;
        }
        try
        {
            SeparationJournal journal = SeparationJournal.Read(path);
            SeparationIdentity now = Identify(SourceIdentity.Of(source, cancellationToken), cancellationToken);
            IReadOnlyList<string> differences = journal.Identity.DifferencesTo(now);
            if (differences.Count > 0 || journal.Peaks.Count != _selection.Names.Count)
            {
                throw new DemucsException(DemucsError.ResumeMismatch,
                    $"The separation in '{partial.FolderPath}' cannot be continued, since it was begun otherwise: {string.Join("; ", differences)}. Ask for the same again, or start anew with the force option.", path);
            }
            return Run(folder, partial, journal with { Identity = now, Resumed = journal.Resumed + 1 }, reader, source, started, progress, cancellationToken);
        }
        catch (DemucsException e) when (e.Error == DemucsError.ResumeMismatch && _output.Overwrite)
        {
            partial.Clear(SeparationJournal.FileName);
            partial.Stays = false;
            return null;
        }
    }

    private SeparationResult Run(string folder, PartialFolder partial, SeparationJournal journal, StereoTrackReader reader, TrackSource source, long started, IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken)
    {
        SourceIdentity identity = journal.Identity.Source;
        identity.CheckUnchanged();
        using StemFileSet files = new(partial, folder, _selection.Names, _output.Format, _output.Overwrite || journal.Renaming, journal);
        double elapsedBefore = journal.Elapsed;
        bool sumsToMix = _selection.Sums.Sum(s => s.Length) == _bag.Contract.Stems.Count;
        NullTest mix = new(reader, files, _selection.Names.Count, sumsToMix, journal.DurableFrames, journal.NullTest, cancellationToken);
        List<ChunkRetry> retries = [.. journal.Retries];
        int chunks = _separator.CountChunks(journal.Frames);
        int doneBefore = -1;
        long separationStarted = Clock.GetTimestamp(), noted = separationStarted;
        TimeSpan pause = TimeSpan.Zero;
        try
        {
            // From here on a death leaves what can be continued, if it is only the statistics.
            files.Checkpoint(Noted);
            partial.Stays = true;
            DurableFiles.FlushFolder(folder);
            if (journal.DurableFrames < journal.Frames)
            {
                if (journal.DurableFrames == 0)
                    progress?.Report(new SeparationProgress(SeparationStage.Separating, 0, chunks, null));
                _separator.Separate(mix, source.Path, journal.Statistics(), mix, ChunkDone, journal.DurableFrames, retries.Add, cancellationToken);
                identity.CheckUnchanged();
                files.Checkpoint(Noted);
            }
            files.Finish(done => progress?.Report(new SeparationProgress(SeparationStage.Writing, done, _selection.Names.Count, null)), cancellationToken);
            SeparationProvenance provenance = Describe(files, journal.Identity, mix, retries, chunks, journal.Resumed, Elapsed());
            IReadOnlyList<StemFile> stems = files.Commit();
            string provenancePath = Path.Combine(folder, SeparationProvenance.FileName);
            RecordFile.Write(provenancePath, provenance, partial["provenance.partial"]);
            partial.Stays = false;
            return new SeparationResult
            {
                SourcePath = source.Path,
                Model = _bag.Name,
                IsDemucs = _bag.IsDemucs,
                Stems = stems,
                Duration = TimeSpan.FromSeconds((double)journal.Frames / Separator.SampleRate),
                Frames = journal.Frames,
                SampleRate = Separator.SampleRate,
                Elapsed = TimeSpan.FromSeconds(Elapsed()),
                Chunks = chunks,
                Gain = files.Gain,
                NullTestDb = provenance.NullTestDb,
                Retries = [.. retries],
                Resumed = journal.Resumed > 0,
                ProvenancePath = provenancePath,
                Warnings = new List<string>([.. reader.Warnings, .. _bag.IsDemucs ? [] : new[] { ModelSource.BaselineNotice }, .. files.Warnings()]),
            };
        }
        catch (Exception e) when (e is DemucsException or OperationCanceledException)
        {
            string kept = Keep();
            throw e is DemucsException error
                ? new DemucsException(error.Error, error.Message + kept, error.Path, error)
                : new OperationCanceledException($"'{source.Path}' was not finished.{kept}", e, cancellationToken);
        }

        void ChunkDone(int done)
        {
            if (doneBefore < 0)
                doneBefore = done - 1;
            progress?.Report(new SeparationProgress(SeparationStage.Separating, done, chunks, Since(separationStarted) / (done - doneBefore) * (chunks - done)));
            // A clock that jumps back must not put this off.
            TimeSpan since = Clock.GetElapsedTime(noted);
            if (since >= TimeSpan.Zero && since < pause)
                return;
            long before = Clock.GetTimestamp();
            files.Checkpoint(Noted);
            noted = Clock.GetTimestamp();
            pause = CheckpointShare * Since(before);
        }

        SeparationJournal Noted(SeparationJournal current) => current with { NullTest = mix.Sums, Retries = [.. retries.Take(MaxRetriesNoted)], Elapsed = Elapsed() };

        double Elapsed() => elapsedBefore + Since(started).TotalSeconds;

        string Keep()
        {
            try
            {
                files.Checkpoint(Noted);
            }
            catch (DemucsException)
            {
                // The disk is full or gone: what the journal says already still holds.
            }
            if (files.Journal!.DurableFrames == 0)
            {
                partial.Stays = false;
                return "";
            }
            return string.Create(CultureInfo.InvariantCulture,
                $" {Math.Floor(100.0 * files.Journal.DurableFrames / journal.Frames)} % of it is kept in '{partial.FolderPath}'; the resume option continues it.");
        }
    }

    /// <summary>The result for a track whose stems are there already, unchanged, and of the same source, models and parameters; null otherwise.</summary>
    private SeparationResult? FindExisting(string folder, TrackSource source, long started, CancellationToken cancellationToken)
    {
        string path = Path.Combine(folder, SeparationProvenance.FileName);
        if (!File.Exists(path))
            return null;
        SeparationProvenance found;
        try
        {
            found = SeparationProvenance.Read(path);
        }
        catch (DemucsException e) when (e.Error == DemucsError.ProvenanceInvalid)
        {
            return null;
        }
        SeparationIdentity now = Identify(SourceIdentity.Of(source, cancellationToken), cancellationToken);
        if (found.Separation.DifferencesTo(now, anyVersion: true).Count > 0 || !SeparationVerification.Of(path, cancellationToken).IsIntact)
            return null;
        return new SeparationResult
        {
            SourcePath = source.Path,
            Model = _bag.Name,
            IsDemucs = _bag.IsDemucs,
            Stems = Array.ConvertAll([.. found.Stems], s => new StemFile(s.Name, Path.GetFullPath(Path.Combine(folder, s.File)), s.Peak, s.ClippedSamples)),
            Duration = TimeSpan.FromSeconds((double)found.Frames / Separator.SampleRate),
            Frames = found.Frames,
            SampleRate = Separator.SampleRate,
            Elapsed = Since(started),
            Chunks = found.Chunks,
            Gain = found.Gain,
            NullTestDb = found.NullTestDb,
            Retries = found.Retries,
            Skipped = true,
            ProvenancePath = path,
            Warnings = _bag.IsDemucs ? [] : new List<string> { ModelSource.BaselineNotice },
        };
    }

    private void CheckNothingUnfinished(string folder)
    {
        string path = JournalIn(folder);
        if (_output.Overwrite || !File.Exists(path))
            return;
        SeparationJournal journal;
        try
        {
            journal = SeparationJournal.Read(path);
        }
        catch (DemucsException)
        {
            // Damaged: there is nothing to lose.
            return;
        }
        if (journal.DurableFrames == 0)
            return;
        throw new DemucsException(DemucsError.SeparationUnfinished, string.Create(CultureInfo.InvariantCulture,
            $"{Math.Floor(100.0 * journal.DurableFrames / journal.Frames)} % of '{journal.Identity.Source.Path}' is separated already, in '{Path.GetDirectoryName(path)}'. Continue with the resume option, or start anew with the force option."), path);
    }

    /// <summary>The first pass, and the source's hash beside it.</summary>
    private static (TrackStatistics Statistics, SourceIdentity Identity) MeasureAndIdentify(TrackSource source, IProgress<SeparationProgress>? progress, CancellationToken cancellationToken)
    {
        (long, DateTime)? before = SourceIdentity.Before(source);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<SourceIdentity> identity = Task.Run(() => SourceIdentity.Of(source, stop.Token), CancellationToken.None);
        try
        {
            TrackStatistics statistics = Measure(source, progress, cancellationToken);
            SourceIdentity found = identity.GetAwaiter().GetResult();
            found.CheckUnchanged(before);
            return (statistics, found);
        }
        catch
        {
            stop.Cancel();
            identity.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Wait(CancellationToken.None);
            throw;
        }
    }

    private SeparationIdentity Identify(SourceIdentity identity, CancellationToken cancellationToken) =>
        new(SeparationIdentity.CurrentVersion, _bag.Runtime, identity, _bag.Identify(cancellationToken), SeparationParameters.Describe(_bag, _selection, _options, _output.Format));

    private SeparationProvenance Describe(StemFileSet files, SeparationIdentity identity, NullTest mix, List<ChunkRetry> retries, int chunks, int resumed, double elapsed) => new()
    {
        Date = Clock.GetUtcNow(),
        Separation = identity,
        Jobs = _options.Jobs,
        Frames = files.Journal!.Frames,
        Chunks = chunks,
        Gain = files.Gain,
        NullTestDb = mix.Decibels,
        Stems = [.. files.Stems.Select(s => new StemProvenance(s.File.StemName, Path.GetFileName(s.File.FilePath), s.Finished.Bytes, s.Finished.Sha256, s.File.Peak, s.Finished.Rms, s.Finished.ClippedSamples))],
        Retries = [.. retries.Take(MaxRetriesNoted)],
        Resumed = resumed,
        Elapsed = elapsed,
    };
}
