using System.Globalization;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;

namespace DemucsPS.Engine.Batch;

/// <summary>
/// The separation of one track, from its beginning or from where an earlier one was ended: chunks through the models into staged stems,
/// with a journal of what is on disk; then files, which get their names together; then the record of what they were made of.
/// </summary>
internal sealed class TrackSeparation : IDisposable
{
    // Enough to see what is wrong, and no more than a record file may hold.
    private const int MaxRetriesNoted = 1000;

    private readonly FileSeparator.Setup _setup;
    private readonly FileSeparator.Track _track;
    private readonly PartialFolder _partial;
    private readonly SeparationJournal _journal;
    private readonly StereoTrackReader _reader;
    private readonly IProgress<SeparationProgress>? _progress;
    private readonly CancellationToken _cancellationToken;
    private readonly StemShape _shape;
    private readonly StemFileSet _files;
    private readonly NullTest _mix;
    private readonly List<ChunkRetry> _retries;
    private readonly int _chunks;
    private readonly long _started;
    private long _noted;
    private TimeSpan _pause;

    // Of this run, without those of an earlier one; below zero before the first.
    private int _doneBefore = -1;

    /// <param name="setup">What all tracks of the batch have in common.</param>
    /// <param name="track">The track.</param>
    /// <param name="partial">The folder of its unfinished files; owned by the caller. It stays where something is in it that can be
    /// continued.</param>
    /// <param name="journal">Where to go on.</param>
    /// <param name="reader">The track at its start; owned by the caller.</param>
    /// <param name="progress">Receives its progress, on the calling thread.</param>
    /// <param name="cancellationToken">Ends the work, also in the middle of a chunk.</param>
    public TrackSeparation(
        FileSeparator.Setup setup,
        FileSeparator.Track track,
        PartialFolder partial,
        SeparationJournal journal,
        StereoTrackReader reader,
        IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        _setup = setup;
        _track = track;
        _partial = partial;
        _journal = journal;
        _reader = reader;
        _progress = progress;
        _cancellationToken = cancellationToken;
        _shape = StemShape.Create(setup.Output.Format, journal.Frames, journal.SourceFrames, reader.SourceSampleRate, reader.IsMono);
        _files = new StemFileSet(
            partial,
            setup.Selection.Names,
            track.Paths,
            setup.Output with
            {
                Overwrite = setup.Output.Overwrite || journal.Renaming,
            },
            _shape,
            setup.Output.LabelsOf(track.Source, track.Header.Tags, track.Header.Picture),
            journal
        );
        _mix = new NullTest(
            reader,
            _files,
            setup.Selection.Names.Count,
            setup.Selection.SumsToMix(setup.Bag.Contract.Stems.Count),
            journal.DurableFrames,
            journal.NullTest,
            cancellationToken
        );
        _retries = [.. journal.Retries];
        _chunks = setup.Separator.CountChunks(journal.Frames);
        _started = _noted = setup.Clock.GetTimestamp();
    }

    private double Elapsed => _journal.Elapsed + Since(_track.Started).TotalSeconds;

    /// <summary>Separates the track.</summary>
    /// <exception cref="SeparationCanceledException">It was canceled. The message says what is kept.</exception>
    /// <exception cref="DemucsException">The source, a model or the destination cannot be used. What could be continued is kept, and the
    /// message says so.</exception>
    public SeparationResult Run()
    {
        try
        {
            SeparateChunks();
            _files.Finish(
                done => _progress?.Report(new SeparationProgress(SeparationStage.Writing, done, _track.Paths.Count, null)),
                _cancellationToken
            );
            SeparationProvenance provenance = Describe();
            IReadOnlyList<StemFile> stems = _files.Commit();
            RecordFile.Write(_track.Place.ProvenancePath, provenance, _partial["provenance.partial"]);
            _partial.Stays = false;
            return Result(stems, provenance);
        }
        catch (Exception e) when (e is DemucsException or OperationCanceledException)
        {
            string kept = Keep();
            IReadOnlyList<Remedy> goOn = kept.Length > 0 ? [Remedy.Resume] : [];
            throw e is DemucsException error
                ? new DemucsException(error.Error, error.Message + kept, error.Path, error)
                {
                    Parameter = error.Parameter,
                    Remedies = [.. error.Remedies, .. goOn],
                }
                : new SeparationCanceledException($"'{_track.Source.Path}' was not finished.{kept}", goOn, e, _cancellationToken);
        }
        catch
        {
            // Whoever is told of the progress wants no more of it: a stopped pipeline says so in the midst of a report.
            Keep();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _files.Dispose();

    private void SeparateChunks()
    {
        if (_journal.DurableFrames == _journal.Frames)
        {
            Begun();
            return;
        }
        _setup.Separator.Separate(
            _mix,
            _track.Source.Path,
            _journal.Statistics(),
            _mix,
            ChunkDone,
            _journal.DurableFrames,
            _retries.Add,
            Begun,
            _cancellationToken
        );
        _journal.Identity.Source.CheckUnchanged();
        if (_files.Journal!.DurableFrames < _journal.Frames)
            _files.Checkpoint(Noted);
    }

    // While the first chunk is in the model.
    private void Begun()
    {
        // From here on a death leaves what can be continued, if it is only the statistics.
        _files.Checkpoint(Noted);
        _partial.Stays = true;
        DurableFiles.FlushFolder(_track.Place.Folder);
        if (_journal.DurableFrames == 0)
            _progress?.Report(new SeparationProgress(SeparationStage.Separating, 0, _chunks, null));
    }

    private void ChunkDone(int done)
    {
        if (_doneBefore < 0)
            _doneBefore = done - 1;
        _progress?.Report(
            new SeparationProgress(SeparationStage.Separating, done, _chunks, Since(_started) / (done - _doneBefore) * (_chunks - done))
        );
        // A clock that jumps back must not put this off.
        TimeSpan since = _setup.Clock.GetElapsedTime(_noted);
        if (since >= TimeSpan.Zero && since < _pause)
            return;
        long before = _setup.Clock.GetTimestamp();
        _files.Checkpoint(Noted);
        _noted = _setup.Clock.GetTimestamp();
        _pause = CheckpointPace.PauseAfter(Since(before), Since(_started));
    }

    private SeparationJournal Noted(SeparationJournal current) =>
        current with
        {
            NullTest = _mix.Sums,
            Retries = [.. _retries.Take(MaxRetriesNoted)],
            Elapsed = Elapsed,
        };

    /// <summary>Keeps what can be continued.</summary>
    /// <returns>A sentence with how much it is and where, with a leading space; empty if it is nothing, and then nothing stays.</returns>
    private string Keep()
    {
        try
        {
            _files.Checkpoint(Noted);
        }
        catch (DemucsException)
        {
            // The disk is full or gone: what the journal says already still holds.
        }
        if (_files.Journal!.DurableFrames == 0)
        {
            _partial.Stays = false;
            return "";
        }
        return string.Create(
            CultureInfo.InvariantCulture,
            $" {Math.Floor(100.0 * _files.Journal.DurableFrames / _journal.Frames)} % of it is kept in '{_partial.FolderPath}'."
        );
    }

    private SeparationProvenance Describe()
    {
        // With the mix in the outputs, whatever the stems have cancels.
        MixNormalization normalization =
            _setup.Bag.Contract.NormalizesMix && !_setup.Selection.UsesMix
                ? MixNormalization.Create(_journal.Mean, _journal.Deviation)
                : MixNormalization.None;
        string? offset = _mix.Warning(normalization, _setup.Bag.Contract.Stems.Count, _journal.Frames, _track.Source.Path);
        return new SeparationProvenance
        {
            Date = _setup.Clock.GetUtcNow(),
            Separation = _journal.Identity,
            Jobs = _setup.Options.Jobs,
            Frames = _journal.Frames,
            SampleRate = _shape.SampleRate,
            StemFrames = _shape.Frames,
            Chunks = _chunks,
            Gain = _files.Gain,
            NullTestDb = _mix.Decibels,
            Stems =
            [
                .. _files.Stems.Select(s => new StemProvenance(
                    s.File.StemName,
                    _track.Place.Relative(s.File.FilePath),
                    s.Finished.Bytes,
                    s.Finished.Sha256,
                    s.File.Peak,
                    s.Finished.Rms,
                    s.Finished.ClippedSamples
                )),
            ],
            Retries = [.. _retries.Take(MaxRetriesNoted)],
            Warnings = offset is null ? [.. _reader.Warnings] : [.. _reader.Warnings, offset],
            Gaps = _files.Journal!.Gaps,
            Resumed = _journal.Resumed,
            Elapsed = Elapsed,
        };
    }

    private SeparationResult Result(IReadOnlyList<StemFile> stems, SeparationProvenance provenance) =>
        new()
        {
            SourcePath = _track.Source.Path,
            Track = _track.Source.Name,
            Model = _setup.Bag.Name,
            IsDemucs = _setup.Bag.IsDemucs,
            ExecutionProvider = _setup.Bag.ExecutionProvider,
            Precision = _setup.Bag.Precision,
            Stems = new ResultList<StemFile>(stems),
            Duration = _shape.Duration,
            Frames = _shape.Frames,
            SampleRate = _shape.SampleRate,
            Elapsed = TimeSpan.FromSeconds(Elapsed),
            Chunks = _chunks,
            Gain = _files.Gain,
            NullTestDb = provenance.NullTestDb,
            Gaps = new ResultList<TrackGap>(_journal.Gaps),
            Retries = new ResultList<ChunkRetry>(_retries),
            Resumed = _journal.Resumed > 0,
            ProvenancePath = _track.Place.ProvenancePath,
            Warnings = new ResultList<string>([
                .. provenance.Warnings,
                .. _setup.Bag.IsDemucs ? [] : new[] { ModelSource.BaselineNotice },
                .. _files.Warnings(),
            ]),
        };

    private TimeSpan Since(long moment) => FileSeparator.Since(_setup.Clock, moment);
}
