using System.Collections.ObjectModel;
using System.Globalization;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Encoded;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Batch;

/// <summary>
/// Separates audio files into stem files with one set of models and options. The work on an interrupted track is kept and can be continued.
/// Not thread-safe; use it
/// for one track at a time.
/// </summary>
public sealed class FileSeparator
{
    private readonly ModelBag _bag;
    private readonly StemMatrix _selection;
    private readonly SeparationOptions _options;
    private readonly StemOutput _output;
    private readonly Separator _separator;

    // That of the last track: first its plan is requested, and then it is separated.
    private (TrackHeader Header, (long Bytes, DateTime Modified)? Stamp)? _last;

    /// <summary>Prepares separations.</summary>
    /// <param name="bag">The models, loaded or not; owned by the caller.</param>
    /// <param name="selection">The outputs wanted.</param>
    /// <param name="options">How to cut, shift and blend.</param>
    /// <param name="output">Where and how stems are written.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ParameterInvalid"/>: an option is out of range. <see cref="DemucsError.FFmpegNotFound"/>: the output format
    /// needs ffmpeg, which was not found.
    /// </exception>
    public FileSeparator(ModelBag bag, StemMatrix selection, SeparationOptions options, StemOutput output)
    {
        output.Check();
        _bag = bag;
        _selection = selection;
        _options = options;
        _output = output;
        _separator = new Separator(bag, selection, options);
    }

    /// <summary>Dates and durations come from here, so that tests can turn the clock.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Receives verbose messages: why a track was not skipped. Null to go without.</summary>
    public Action<string>? Tell { get; init; }

    /// <summary>
    /// Reserves the output files of a known batch, so that two tracks with the same files are found before any work is done.
    /// </summary>
    /// <param name="sources">The tracks; one that is named twice is one. Of those that cannot be opened, <see cref="Separate"/> says so
    /// later.</param>
    /// <param name="isSeparated">Whether a track is separated here; null for all. Of others the first file has to do, and where names are
    /// made of tags, which would have to be read, none.</param>
    /// <returns>The tracks that are separated here and whose files another has, each with an error that says so.</returns>
    public IReadOnlyDictionary<TrackSource, DemucsException> ClaimAll(
        IEnumerable<TrackSource> sources,
        Func<TrackSource, bool>? isSeparated = null
    )
    {
        OrderedDictionary<TrackSource, DemucsException> collisions = [];
        foreach (TrackSource source in sources)
        {
            bool isHere = isSeparated is null || isSeparated(source);
            if (!isHere && _output.Names.Template is { UsesTags: true })
                continue;
            try
            {
                IReadOnlyDictionary<string, string> tags = _output.Names.Template is { UsesTags: true }
                    ? HeaderOf(source).Tags
                    : ReadOnlyDictionary<string, string>.Empty;
                IReadOnlyList<string> paths = _output.PathsOf(_bag.Name, source, tags, isHere ? _selection.Names : [_selection.Names[0]]);
                _output.Names.Claim(source, paths);
            }
            catch (DemucsException e) when (e.Error == DemucsError.StemExists)
            {
                if (isHere)
                    collisions[source] = e;
            }
            catch (DemucsException)
            {
                // Not a matter of the batch.
            }
        }
        return collisions;
    }

    /// <summary>Plans what <see cref="Separate"/> would do, without reading more than the source's header and without writing.</summary>
    /// <param name="source">The track.</param>
    /// <exception cref="DemucsException">The source cannot be opened, or stems of it exist and may not be overwritten.</exception>
    public SeparationPlan Plan(TrackSource source)
    {
        Track track = TrackOf(source, Clock.GetTimestamp());
        // Whether existing stems are those of this track, reading them must say.
        if (!_output.SkipExisting && !IsContinued(track))
            CheckFree(track, []);
        return PlanOf(track);
    }

    /// <summary>
    /// Plans what <see cref="Separate"/> would do, as far as reading can show: as <see cref="Plan"/>, and whether the track would be
    /// skipped, and whether an earlier one of the batch has its files.
    /// To know the former, the source, the models and the stems that are there are read to their ends. For those who want to know and not
    /// to separate: the track counts as one of the batch.
    /// </summary>
    /// <param name="source">The track.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">What <see cref="Separate"/> would refuse before it has separated anything, but for models that
    /// cannot be run.</exception>
    public SeparationPlan Rehearse(TrackSource source, CancellationToken cancellationToken = default)
    {
        Track track = TrackOf(source, Clock.GetTimestamp());
        IReadOnlyList<string> claimed = _output.Names.Claim(source, track.Paths);
        try
        {
            Found? found = _output.SkipExisting
                ? FindExisting(track, then => _bag.Foresee(then, cancellationToken), "", cancellationToken)
                : null;
            if (found is { Differences.Count: 0 })
                return PlanOf(track) with { Skips = true };
            if (!IsContinued(track))
            {
                CheckFree(track, found?.Differences ?? []);
                CheckNothingUnfinished(track.Place.JournalPath);
            }
            return PlanOf(track) with { Differences = found?.Differences ?? [] };
        }
        catch
        {
            _output.Names.Release(claimed);
            throw;
        }
    }

    /// <summary>What is to be done of a track, without reading more than headers and the journal.</summary>
    internal TrackOutlook Foresee(TrackSource source)
    {
        try
        {
            Track track = TrackOf(source, Clock.GetTimestamp());
            double kept = 0;
            if (IsContinued(track))
            {
                SeparationJournal journal = SeparationJournal.Read(track.Place.JournalPath);
                kept = (double)journal.DurableFrames / journal.Frames;
            }
            return new TrackOutlook(
                track.Header.FramesAt(DemucsAudio.SampleRate) is { } frames
                    ? TimeSpan.FromSeconds((double)frames / DemucsAudio.SampleRate)
                    : null,
                kept,
                _output.SkipExisting && File.Exists(track.Place.ProvenancePath)
            );
        }
        catch (DemucsException)
        {
            // Whoever separates it will say what is wrong.
            return new TrackOutlook(null, 0, false);
        }
    }

    private bool IsContinued(Track track) => _output.Resume && File.Exists(track.Place.JournalPath);

    private void CheckFree(Track track, IReadOnlyList<string> differences) =>
        StemFileSet.CheckFree(
            track.Paths,
            _output.Overwrite,
            track.Source.Path,
            _output.SkipExisting ? null
                : _output.Resume ? Remedy.SkipFinished
                : Remedy.SkipExisting,
            differences
        );

    private Track TrackOf(TrackSource source, long started)
    {
        TrackHeader header = HeaderOf(source);
        IReadOnlyList<string> paths = _output.PathsOf(_bag.Name, source, header.Tags, _selection.Names);
        return new Track(header, paths, _output.PlaceOf(paths), started);
    }

    private SeparationPlan PlanOf(Track track)
    {
        TrackHeader header = track.Header;
        long? frames = header.FramesAt(DemucsAudio.SampleRate) is > 0 and { } known ? known : null;
        StemShape? shape = frames is { } count
            ? StemShape.Create(_output.Format, count, header.Frames!.Value, header.SampleRate!.Value, header.IsMono)
            : null;
        return new SeparationPlan(
            track.Source.Path,
            track.Paths,
            frames,
            frames is { } n ? _separator.CountChunks(n) : null,
            shape is { } s ? _output.Format.BytesOf(s) * _selection.Names.Count : null
        )
        {
            IsEstimate = frames is not null && header.IsEstimate,
            BytesAreMost = _output.Format.BytesAreMost,
            Codec = header.Codec,
            Precision = _bag.Precision,
            Late = header.SampleRate is { } rate ? TimeSpan.FromSeconds((double)header.Late / rate) : TimeSpan.Zero,
            LateStart = header.Source.LateStart,
        };
    }

    /// <summary>Separates one track.</summary>
    /// <param name="source">The track.</param>
    /// <param name="progress">Receives how far it is; called on this thread.</param>
    /// <param name="cancellationToken">Ends the work, also in the middle of a chunk.</param>
    /// <exception cref="SeparationCanceledException">It was canceled. The message says what is kept.</exception>
    /// <exception cref="DemucsException">The source, a model or the destination cannot be used. What can be continued is kept, and the
    /// message says so. Otherwise nothing is left behind.</exception>
    public SeparationResult Separate(
        TrackSource source,
        IProgress<SeparationProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        long started = Clock.GetTimestamp();
        // Opened first: where the source is missing, that is what is wrong, and what is kept stays.
        Track track = TrackOf(source, started);
        IReadOnlyList<string> claimed = _output.Names.Claim(source, track.Paths);
        try
        {
            _bag.Load(cancellationToken);
            Found? found = _output.SkipExisting
                ? FindExisting(track, _ => _bag.Identify(cancellationToken), _bag.Runtime, cancellationToken)
                : null;
            if (found is { Provenance: { } provenance, Differences.Count: 0 })
                return Skipped(track, provenance);
            return (IsContinued(track) ? Continue(track, progress, cancellationToken) : null)
                ?? Begin(track, found?.Differences ?? [], progress, cancellationToken);
        }
        catch (OperationCanceledException e) when (e.InnerException is null)
        {
            _output.Names.Release(claimed);
            throw new SeparationCanceledException($"'{source.Path}' was not finished.", [], e, cancellationToken);
        }
        catch
        {
            _output.Names.Release(claimed);
            throw;
        }
    }

    /// <summary>The first pass over a file.</summary>
    /// <param name="source">The track.</param>
    /// <param name="expected">Its length in frames, if known; for the progress.</param>
    /// <param name="progress">Receives how far it is.</param>
    /// <param name="cancellationToken">Ends the pass.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">The file cannot be read.</exception>
    internal static TrackStatistics Measure(
        TrackSource source,
        long? expected,
        IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        using StereoTrackReader reader = StereoTrackReader.Open(source);
        long total = reader.FrameCount ?? expected ?? 0;
        TrackStatistics statistics = TrackStatistics.Measure(
            reader,
            source.Path,
            read => progress?.Report(new SeparationProgress(SeparationStage.Measuring, read, Math.Max(total, read), null)),
            cancellationToken
        );
        return statistics with { SourceFrames = reader.SourceFramesRead, Gaps = reader.Gaps };
    }

    /// <summary>Time since a moment; never below zero, whatever the clock does.</summary>
    internal static TimeSpan Since(TimeProvider clock, long moment) =>
        clock.GetElapsedTime(moment) is var time && time > TimeSpan.Zero ? time : TimeSpan.Zero;

    /// <summary>The header of a track's file; read again only if the file differs from the last one or has changed.</summary>
    private TrackHeader HeaderOf(TrackSource source)
    {
        (long, DateTime)? stamp = SourceIdentity.Before(source);
        if (_last is { } last && stamp is not null && last.Stamp == stamp && last.Header.Source == source)
            return last.Header;
        _last = null;
        TrackHeader header = TrackHeader.Read(source);
        _last = (header, stamp);
        return header;
    }

    private SeparationResult Begin(
        Track track,
        IReadOnlyList<string> differences,
        IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        CheckFree(track, differences);
        if (differences.Count > 0)
            Tell?.Invoke($"'{track.Source.Path}' is not skipped: {string.Join("; ", differences)}.");
        CheckNothingUnfinished(track.Place.JournalPath);
        (TrackStatistics statistics, SourceIdentity identity) = MeasureAndIdentify(track.Header, progress, cancellationToken);
        SeparationJournal journal = SeparationJournal.Begin(
            Identify(track, identity, cancellationToken),
            statistics,
            _selection.Names.Count,
            track.Paths.Count
        );
        using StereoTrackReader reader = StereoTrackReader.Open(track.Source);
        using PartialFolder partial = PartialFolder.Take(track.Place.PartialPath);
        CheckNothingUnfinished(track.Place.JournalPath);
        partial.Clear(SeparationJournal.FileName);
        return Run(track, partial, journal, reader, progress, cancellationToken);
    }

    /// <returns>Null if there is nothing to continue after all.</returns>
    private SeparationResult? Continue(Track track, IProgress<SeparationProgress>? progress, CancellationToken cancellationToken)
    {
        using StereoTrackReader reader = StereoTrackReader.Open(track.Source);
        using PartialFolder partial = PartialFolder.Take(track.Place.PartialPath);
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
            SeparationIdentity now = Identify(track, SourceIdentity.Compute(track.Source, cancellationToken), cancellationToken);
            IReadOnlyList<string> differences = journal.Identity.DifferencesTo(now);
            if (differences.Count > 0 || journal.Peaks.Count != _selection.Names.Count || journal.Finished.Count != track.Paths.Count)
            {
                throw new DemucsException(
                    DemucsError.ResumeMismatch,
                    $"The separation in '{partial.FolderPath}' cannot be resumed: {string.Join("; ", differences)}. Use the same settings as before.",
                    path
                )
                {
                    Remedies = [Remedy.StartAnew],
                };
            }
            return Run(
                track,
                partial,
                journal with
                {
                    Identity = now with { Runtime = journal.Identity.ContinuedBy(now) ?? now.Runtime },
                    Resumed = journal.Resumed + 1,
                },
                reader,
                progress,
                cancellationToken
            );
        }
        catch (DemucsException e) when (e.Error == DemucsError.ResumeMismatch && _output.Overwrite)
        {
            Tell?.Invoke($"The separation starts over. {e.Message}");
            partial.Clear(SeparationJournal.FileName);
            partial.Stays = false;
            return null;
        }
    }

    /// <summary>What lies where a track's stems would, compared with what is requested.</summary>
    /// <param name="track">The track.</param>
    /// <param name="modelsNow">The models as they would run, given those that the stems were made with.</param>
    /// <param name="runtime">What would run them; of no account here.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Null if there is nothing.</returns>
    private Found? FindExisting(
        Track track,
        Func<IReadOnlyList<ModelIdentity>, IReadOnlyList<ModelIdentity>> modelsNow,
        string runtime,
        CancellationToken cancellationToken
    )
    {
        string path = track.Place.ProvenancePath;
        if (!File.Exists(path))
            return track.Paths.Any(File.Exists) ? new Found(null, [$"'{Path.GetFileName(path)}' with its settings is missing"]) : null;
        SeparationProvenance provenance;
        try
        {
            provenance = SeparationProvenance.Read(path);
        }
        catch (DemucsException e) when (e.Error == DemucsError.ProvenanceInvalid)
        {
            return new Found(null, [$"'{Path.GetFileName(path)}' with its settings cannot be used"]);
        }
        if (
            !provenance
                .Stems.Select(s => Path.GetFullPath(Path.Combine(track.Place.Folder, s.File)))
                .SequenceEqual(track.Paths, StemNames.PathComparer)
        )
            return new Found(
                provenance,
                [
                    $"files changed from {string.Join(", ", provenance.Stems.Select(s => s.File))} to {string.Join(", ", track.Paths.Select(track.Place.Relative))}",
                ]
            );
        SeparationIdentity now = new(
            SeparationIdentity.CurrentVersion,
            runtime,
            SourceIdentity.Compute(track.Source, cancellationToken),
            modelsNow(provenance.Separation.Models),
            Parameters(track)
        );
        IReadOnlyList<string> differences = provenance.Separation.DifferencesTo(now, anyVersion: true);
        // Where nothing is lost, what happens to damage makes no difference.
        if (provenance.Gaps.Count > 0 && track.Source.OnDamage == DamageHandling.Fail)
            differences = [.. differences, "damage handling changed from warn to fail"];
        return new Found(
            provenance,
            differences.Count > 0
                ? differences
                :
                [
                    .. SeparationVerification
                        .Verify(path, cancellationToken)
                        .Stems.Where(s => s.State != StemFileState.Intact)
                        .Select(s =>
                            $"'{Path.GetFileName(s.FilePath)}' {(s.State == StemFileState.Missing ? "is missing" : "has changed since")}"
                        ),
                ]
        );
    }

    /// <summary>The result for a track whose stems are there already.</summary>
    private SeparationResult Skipped(Track track, SeparationProvenance found) =>
        new()
        {
            SourcePath = track.Source.Path,
            Track = track.Source.Name,
            Model = _bag.Name,
            IsDemucs = _bag.IsDemucs,
            ExecutionProvider = _bag.ExecutionProvider,
            Precision = _bag.Precision,
            Stems = new ResultList<StemFile>(
                found.Stems.Zip(track.Paths, (s, stemPath) => new StemFile(s.Name, stemPath, s.Peak, s.ClippedSamples))
            ),
            Duration = TimeSpan.FromSeconds((double)found.StemFrames / found.SampleRate),
            Frames = found.StemFrames,
            SampleRate = found.SampleRate,
            Elapsed = Since(Clock, track.Started),
            Chunks = found.Chunks,
            Gain = found.Gain,
            NullTestDb = found.NullTestDb,
            Gaps = new ResultList<TrackGap>(found.Gaps),
            Retries = new ResultList<ChunkRetry>(found.Retries),
            Skipped = true,
            ProvenancePath = track.Place.ProvenancePath,
            Warnings = new ResultList<string>(_bag.IsDemucs ? [] : [ModelSource.BaselineNotice]),
        };

    private void CheckNothingUnfinished(string path)
    {
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
        throw new DemucsException(
            DemucsError.SeparationUnfinished,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Math.Floor(100.0 * journal.DurableFrames / journal.Frames)} % of '{journal.Identity.Source.Path}' is already separated, in '{Path.GetDirectoryName(path)}'."
            ),
            path
        )
        {
            Remedies = [Remedy.Resume, Remedy.StartAnew],
        };
    }

    /// <summary>The first pass, and the source's hash next to it.</summary>
    private static (TrackStatistics Statistics, SourceIdentity Identity) MeasureAndIdentify(
        TrackHeader header,
        IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        TrackSource source = header.Source;
        (long, DateTime)? before = SourceIdentity.Before(source);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<SourceIdentity> identity = Task.Run(() => SourceIdentity.Compute(source, stop.Token), CancellationToken.None);
        try
        {
            TrackStatistics statistics = Measure(source, header.FramesAt(DemucsAudio.SampleRate), progress, cancellationToken);
            SourceIdentity found = identity.GetAwaiter().GetResult();
            found.CheckUnchanged(before);
            return (statistics, found);
        }
        catch
        {
            stop.Cancel();
            ((Task)identity).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
            throw;
        }
    }

    private SeparationIdentity Identify(Track track, SourceIdentity identity, CancellationToken cancellationToken) =>
        new(SeparationIdentity.CurrentVersion, _bag.Runtime, identity, _bag.Identify(cancellationToken), Parameters(track));

    private SortedDictionary<string, string> Parameters(Track track)
    {
        SortedDictionary<string, string> parameters = SeparationParameters.Describe(
            track.Source,
            _bag,
            _selection,
            _options,
            _output,
            track.Header.Silence
        );
        // Only where samples may be others than where there is ffmpeg.
        if (track.Header.IsReadBySystem)
            parameters["decoder"] = SystemDecoder.Name;
        return parameters;
    }

    private SeparationResult Run(
        Track track,
        PartialFolder partial,
        SeparationJournal journal,
        StereoTrackReader reader,
        IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        journal.Identity.Source.CheckUnchanged();
        if (_output is { CopyTags: true, Format.File: StemFileFormat.Wav } && track.Header.Picture is not null)
            Tell?.Invoke($"The cover of '{track.Source.Path}' is not copied: WAV files cannot have one.");
        using TrackSeparation separation = new(
            new Setup(_bag, _selection, _options, _output, _separator, Clock),
            track,
            partial,
            journal,
            reader,
            progress,
            cancellationToken
        );
        return separation.Run();
    }

    /// <summary>What lies where a track's stems would.</summary>
    /// <param name="Provenance">What it was made of; null if unknown.</param>
    /// <param name="Differences">In what that is not what is requested; empty for what can be skipped.</param>
    private sealed record Found(SeparationProvenance? Provenance, IReadOnlyList<string> Differences);

    /// <summary>What all tracks of a batch have in common.</summary>
    internal sealed record Setup(
        ModelBag Bag,
        StemMatrix Selection,
        SeparationOptions Options,
        StemOutput Output,
        Separator Separator,
        TimeProvider Clock
    );

    /// <summary>A track on its way.</summary>
    /// <param name="Header">Where it comes from, and what that says.</param>
    /// <param name="Paths">Full paths of the files to write.</param>
    /// <param name="Place">Where those are.</param>
    /// <param name="Started">When, by the clock's timestamps.</param>
    internal sealed record Track(TrackHeader Header, IReadOnlyList<string> Paths, TrackPlace Place, long Started)
    {
        /// <summary>Where it comes from.</summary>
        public TrackSource Source => Header.Source;
    }
}
