using System.Diagnostics;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Models;

namespace DemucsPS.Engine.Separation;

/// <summary>Separates audio files into stem files with one set of models and options. Not thread-safe; use it for one track at a time.</summary>
public sealed class FileSeparator
{
    private readonly ModelBag _bag;
    private readonly StemSelection _selection;
    private readonly StemFormat _format;
    private readonly StemFolders _folders;
    private readonly bool _overwrite;
    private readonly Separator _separator;

    /// <summary>Prepares separations.</summary>
    /// <param name="bag">The models; owned by the caller.</param>
    /// <param name="selection">The outputs wanted.</param>
    /// <param name="options">How to cut, shift and blend.</param>
    /// <param name="format">How stems are written.</param>
    /// <param name="folders">Where to; one for a batch.</param>
    /// <param name="overwrite">Whether existing stems are replaced.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: an option is out of range.</exception>
    public FileSeparator(ModelBag bag, StemSelection selection, SeparationOptions options, StemFormat format, StemFolders folders, bool overwrite)
    {
        _bag = bag;
        _selection = selection;
        _format = format;
        _folders = folders;
        _overwrite = overwrite;
        _separator = new Separator(bag, selection, options);
    }

    /// <summary>Says what <see cref="Separate"/> would do, without reading more than the source's header and without writing.</summary>
    /// <param name="sourcePath">Full path of the source.</param>
    /// <exception cref="DemucsException">The source cannot be opened, or stems of it exist and may not be overwritten.</exception>
    public SeparationPlan Plan(string sourcePath)
    {
        using StereoTrackReader reader = StereoTrackReader.Open(sourcePath);
        string folder = _folders.For(_bag.Name, sourcePath);
        StemFileSet.CheckFree(folder, _selection.Names, _overwrite, sourcePath);
        long? frames = reader.FrameCount is > 0 ? reader.FrameCount : null;
        return new SeparationPlan(sourcePath, [.. _selection.Names.Select(name => StemFileSet.PathOf(folder, name))], frames,
            frames is { } n ? _separator.CountChunks(n) : null, frames * _format.BytesPerFrame * _selection.Names.Count);
    }

    /// <summary>Separates one file.</summary>
    /// <param name="sourcePath">Full path of the source.</param>
    /// <param name="progress">Told how far it is; called on this thread.</param>
    /// <param name="cancellationToken">Ends the work, also in the middle of a chunk; nothing is left behind then.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="DemucsException">The source, a model or the destination cannot be used. Nothing is left behind.</exception>
    public SeparationResult Separate(string sourcePath, IProgress<SeparationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        string folder = _folders.Claim(_bag.Name, sourcePath);
        try
        {
            return SeparateInto(folder, sourcePath, progress, cancellationToken);
        }
        catch
        {
            _folders.Release(folder);
            throw;
        }
    }

    private SeparationResult SeparateInto(string folder, string sourcePath, IProgress<SeparationProgress>? progress, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        StemFileSet.CheckFree(folder, _selection.Names, _overwrite, sourcePath);
        TrackStatistics statistics = Measure(sourcePath, progress, cancellationToken);
        using StereoTrackReader reader = StereoTrackReader.Open(sourcePath);
        using StemFileSet files = new(folder, _selection.Names, _format, _overwrite);
        int chunks = _separator.CountChunks(statistics.Frames);
        long separationStarted = Stopwatch.GetTimestamp();
        ReportChunks(0);
        _separator.Separate(reader, sourcePath, statistics, files, ReportChunks, cancellationToken);
        IReadOnlyList<StemFile> stems = files.Complete(done => progress?.Report(new SeparationProgress(SeparationStage.Writing, done, _selection.Names.Count, null)), cancellationToken);
        return new SeparationResult
        {
            SourcePath = sourcePath,
            Model = _bag.Name,
            IsDemucs = _bag.IsDemucs,
            Stems = stems,
            Duration = TimeSpan.FromSeconds((double)statistics.Frames / Separator.SampleRate),
            Frames = statistics.Frames,
            SampleRate = Separator.SampleRate,
            Elapsed = Stopwatch.GetElapsedTime(started),
            Chunks = chunks,
            Gain = files.Gain,
            Warnings = new List<string>([.. reader.Warnings, .. _bag.IsDemucs ? [] : new[] { ModelSource.BaselineNotice }, .. files.Warnings(stems)]),
        };

        void ReportChunks(int done)
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(separationStarted);
            progress?.Report(new SeparationProgress(SeparationStage.Separating, done, chunks, done > 0 ? elapsed / done * (chunks - done) : null));
        }
    }

    /// <summary>The first pass over a file.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="DemucsException">The file cannot be read.</exception>
    internal static TrackStatistics Measure(string sourcePath, IProgress<SeparationProgress>? progress, CancellationToken cancellationToken)
    {
        using StereoTrackReader reader = StereoTrackReader.Open(sourcePath);
        long total = reader.FrameCount ?? 0;
        return TrackStatistics.Measure(reader, sourcePath, read => progress?.Report(new SeparationProgress(SeparationStage.Measuring, read, Math.Max(total, read), null)), cancellationToken);
    }
}
