using System.Collections.ObjectModel;
using System.Diagnostics;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Models;

namespace DemucsPS.Engine.Separation;

/// <summary>Separates audio files into stem files with one set of models and options. Not thread-safe; use it for one track at a time.</summary>
public sealed class FileSeparator
{
    private readonly ModelBag _bag;
    private readonly StemSelection _selection;
    private readonly StemOutput _output;
    private readonly Separator _separator;

    /// <summary>Prepares separations.</summary>
    /// <param name="bag">The models; owned by the caller.</param>
    /// <param name="selection">The outputs wanted.</param>
    /// <param name="options">How to cut, shift and blend.</param>
    /// <param name="output">Where and how stems are written.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ParameterInvalid"/>: an option is out of range. <see cref="DemucsError.FFmpegNotFound"/>: the format of the output needs an ffmpeg that is not there.
    /// </exception>
    public FileSeparator(ModelBag bag, StemSelection selection, SeparationOptions options, StemOutput output)
    {
        output.Check();
        _bag = bag;
        _selection = selection;
        _output = output;
        _separator = new Separator(bag, selection, options);
    }

    /// <summary>Says what <see cref="Separate"/> would do, without reading more than the source's header and without writing.</summary>
    /// <param name="source">The track.</param>
    /// <exception cref="DemucsException">The source cannot be opened, or stems of it exist and may not be overwritten.</exception>
    public SeparationPlan Plan(TrackSource source)
    {
        using StereoTrackReader reader = StereoTrackReader.Open(source);
        IReadOnlyList<string> paths = _output.PathsOf(_bag.Name, source, TagsOf(reader), _selection.Names);
        StemFileSet.CheckFree(paths, _output.Overwrite, source.Path);
        long? frames = reader.FrameCount is > 0 ? reader.FrameCount : null;
        StemShape? shape = frames is { } count ? StemShape.Of(_output.Format, count, reader.SourceFrameCount!.Value, reader.SourceSampleRate, reader.IsMono) : null;
        return new SeparationPlan(source.Path, paths, frames, frames is { } n ? _separator.CountChunks(n) : null,
            shape is { } s ? _output.Format.BytesOf(s) * _selection.Names.Count : null);
    }

    /// <summary>Separates one track.</summary>
    /// <param name="source">The track.</param>
    /// <param name="progress">Told how far it is; called on this thread.</param>
    /// <param name="cancellationToken">Ends the work, also in the middle of a chunk; nothing is left behind then.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="DemucsException">The source, a model or the destination cannot be used. Nothing is left behind.</exception>
    public SeparationResult Separate(TrackSource source, IProgress<SeparationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        long started = Stopwatch.GetTimestamp();
        IReadOnlyDictionary<string, string> tags;
        using (StereoTrackReader reader = StereoTrackReader.Open(source))
            tags = TagsOf(reader);
        IReadOnlyList<string> paths = _output.PathsOf(_bag.Name, source, tags, _selection.Names);
        IReadOnlyList<string> claimed = _output.Names.Claim(source, paths);
        try
        {
            return SeparateInto(paths, source, tags, started, progress, cancellationToken);
        }
        catch
        {
            _output.Names.Release(claimed);
            throw;
        }
    }

    private SeparationResult SeparateInto(IReadOnlyList<string> paths, TrackSource source, IReadOnlyDictionary<string, string> tags, long started, IProgress<SeparationProgress>? progress, CancellationToken cancellationToken)
    {
        StemFileSet.CheckFree(paths, _output.Overwrite, source.Path);
        TrackStatistics statistics = Measure(source, progress, cancellationToken);
        using StereoTrackReader reader = StereoTrackReader.Open(source);
        StemShape shape = StemShape.Of(_output.Format, statistics.Frames, statistics.SourceFrames, reader.SourceSampleRate, reader.IsMono);
        using StemFileSet files = new(_selection.Names, paths, _output, shape, _output.LabelsOf(source, tags));
        int chunks = _separator.CountChunks(statistics.Frames);
        long separationStarted = Stopwatch.GetTimestamp();
        ReportChunks(0);
        _separator.Separate(reader, source.Path, statistics, files, ReportChunks, cancellationToken);
        IReadOnlyList<StemFile> stems = files.Complete(done => progress?.Report(new SeparationProgress(SeparationStage.Writing, done, paths.Count, null)), cancellationToken);
        return new SeparationResult
        {
            SourcePath = source.Path,
            Track = source.Name,
            Model = _bag.Name,
            IsDemucs = _bag.IsDemucs,
            Stems = new ResultList<StemFile>(stems),
            Duration = shape.Duration,
            Frames = shape.Frames,
            SampleRate = shape.SampleRate,
            Elapsed = Stopwatch.GetElapsedTime(started),
            Chunks = chunks,
            Gain = files.Gain,
            Warnings = new ResultList<string>([.. reader.Warnings, .. _bag.IsDemucs ? [] : new[] { ModelSource.BaselineNotice }, .. files.Warnings(stems)]),
        };

        void ReportChunks(int done)
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(separationStarted);
            progress?.Report(new SeparationProgress(SeparationStage.Separating, done, chunks, done > 0 ? elapsed / done * (chunks - done) : null));
        }
    }

    private IReadOnlyDictionary<string, string> TagsOf(StereoTrackReader reader) => _output.NeedsTags ? reader.Tags : ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The first pass over a file.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="DemucsException">The file cannot be read.</exception>
    internal static TrackStatistics Measure(TrackSource source, IProgress<SeparationProgress>? progress, CancellationToken cancellationToken)
    {
        using StereoTrackReader reader = StereoTrackReader.Open(source);
        long total = reader.FrameCount ?? 0;
        TrackStatistics statistics = TrackStatistics.Measure(reader, source.Path, read => progress?.Report(new SeparationProgress(SeparationStage.Measuring, read, Math.Max(total, read), null)), cancellationToken);
        return statistics with { SourceFrames = reader.SourceFramesRead };
    }
}
