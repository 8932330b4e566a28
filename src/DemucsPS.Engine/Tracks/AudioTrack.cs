using System.Collections.ObjectModel;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Chunking;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tracks;

/// <summary>
/// A whole track in memory, as the models take it: two channels at 44,100 Hz. Immutable and thread-safe. Memory: 8 bytes a frame, 21 MB a
/// minute. Chunks, and the stems joined of them, belong together if they come from the same object; two imports of one file are two tracks.
/// </summary>
public sealed class AudioTrack
{
    private readonly float[][] _channels;

    private AudioTrack(
        float[][] channels,
        TrackStatistics statistics,
        TrackSource source,
        int sourceSampleRate,
        int sourceChannels,
        bool isMono,
        string codec,
        IReadOnlyDictionary<string, string> tags,
        IReadOnlyList<string> warnings
    )
    {
        _channels = channels;
        Source = source;
        SourceSampleRate = sourceSampleRate;
        SourceChannels = sourceChannels;
        SourceFrames = statistics.SourceFrames;
        IsMono = isMono;
        Codec = codec;
        Tags = tags;
        Mean = statistics.Mean;
        Deviation = statistics.Deviation;
        Peak = statistics.Peak;
        Warnings = warnings;
        Gaps = statistics.Gaps;
    }

    /// <summary>
    /// The file, and what of it this is; for samples, the name they were given. Its name is that of the folder of the stems.
    /// </summary>
    public TrackSource Source { get; }

    /// <summary>Full path of the file, or the name that samples were given.</summary>
    public string SourcePath => Source.Path;

    /// <summary>The track's name: its file's name without extension, unless a CUE sheet or a choice of channels gave it another.</summary>
    public string Name => Source.Name;

    /// <summary>Length.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Frames / SampleRate);

    /// <summary>Length in frames (a frame is one sample of each channel).</summary>
    public int Frames => _channels[0].Length;

    /// <summary>Frames per second: 44,100.</summary>
    public int SampleRate { get; } = DemucsAudio.SampleRate;

    /// <summary>Channels: 2.</summary>
    public int Channels => _channels.Length;

    /// <summary>The file's own rate in Hz.</summary>
    public int SourceSampleRate { get; }

    /// <summary>The file's own number of channels.</summary>
    public int SourceChannels { get; }

    /// <summary>The track's length in frames at the file's own rate.</summary>
    public long SourceFrames { get; }

    /// <summary>True when both channels are the same one of the file.</summary>
    public bool IsMono { get; }

    /// <summary>What the file stores its samples as.</summary>
    public string Codec { get; }

    /// <summary>
    /// What the file says about its music, by field in lower case (looked up in any case): title, artist, album, albumartist, date, track,
    /// disc, genre, comment, composer and others. Several values of one field are joined by "; ". Empty for files without tags and for
    /// samples. Limits: see <see cref="AudioReader.Tags"/>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Tags { get; }

    /// <summary>μ: mean over the track of (left + right)/2.</summary>
    public double Mean { get; }

    /// <summary>σ: deviation of (left + right)/2, with N − 1.</summary>
    public double Deviation { get; }

    /// <summary>Greatest absolute sample; 1 is full scale.</summary>
    public float Peak { get; }

    /// <summary>What is odd with the file, in sentences.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The parts whose sound the file has lost, as <see cref="AudioReader.Gaps"/>; empty for samples.</summary>
    public IReadOnlyList<TrackGap> Gaps { get; }

    /// <summary>As <see cref="AudioReader.Picture"/>.</summary>
    internal string? Picture { get; private init; }

    internal StemShape StemShape(StemFormat format) => Encoders.StemShape.Create(format, Frames, SourceFrames, SourceSampleRate, IsMono);

    internal MixNormalization Normalization => MixNormalization.Create(Mean, Deviation);

    /// <summary>Reads a track of a file of any format.</summary>
    /// <param name="source">The track.</param>
    /// <param name="progress">Receives how many frames are read; called on this thread.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// The file cannot be read (see <see cref="StereoTrackReader.Open"/>), has no frames or samples that are not numbers, changes while it
    /// is read
    /// (<see cref="DemucsError.AudioTrackCorrupt"/>), or is longer than 13 hours (<see cref="DemucsError.AudioFormatUnsupported"/>).
    /// </exception>
    public static AudioTrack Import(
        TrackSource source,
        IProgress<SeparationProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        // Two passes, as in the streaming separation: the first finds the length and the level, so the arrays are made once and of the
        // right size, whatever a header says.
        string path = source.Path;
        TrackStatistics statistics = FileSeparator.Measure(source, null, progress, cancellationToken);
        if (statistics.Frames > Array.MaxLength)
            throw new DemucsException(
                DemucsError.AudioFormatUnsupported,
                $"'{path}' is too long for memory ({TimeSpan.FromSeconds(statistics.Frames / DemucsAudio.SampleRate)}). Separate it as a file, which is streamed, or split it.",
                path
            );
        using StereoTrackReader reader = StereoTrackReader.Open(source);
        MeasuredSource measured = new(reader, path, statistics.Frames);
        float[] left = new float[statistics.Frames],
            right = new float[statistics.Frames];
        const int Block = 1 << 20;
        for (int first = 0; first < left.Length; first += Block)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Math.Min(Block, left.Length - first);
            measured.Read(left.AsSpan(first, count), right.AsSpan(first, count));
        }
        measured.CheckEnd();
        return new AudioTrack(
            [left, right],
            statistics,
            source,
            reader.SourceSampleRate,
            reader.SourceChannels,
            reader.IsMono,
            reader.Codec,
            reader.Tags,
            reader.Warnings.ToArray()
        )
        {
            Picture = reader.Picture,
        };
    }

    /// <summary>Makes a track of samples. They are copied.</summary>
    /// <param name="name">What to call it; names the folder of the stems.</param>
    /// <param name="left">Left channel at 44,100 Hz, nominally −1 … 1; at least one sample.</param>
    /// <param name="right">Right channel, as long.</param>
    /// <exception cref="ArgumentException">The channels differ in length, or the name is empty.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: no samples, or some that are not finite
    /// numbers.</exception>
    public static AudioTrack FromSamples(string name, ReadOnlyMemory<float> left, ReadOnlyMemory<float> right)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (left.Length != right.Length)
            throw new ArgumentException(
                $"The channels have {left.Length} and {right.Length} samples; they must be as long.",
                nameof(right)
            );
        float[][] channels = [left.ToArray(), right.ToArray()];
        TrackStatistics statistics = TrackStatistics.Measure(new MemorySource(channels[0], channels[1]), name);
        return new AudioTrack(
            channels,
            statistics,
            new TrackSource(name),
            DemucsAudio.SampleRate,
            2,
            isMono: false,
            "samples",
            ReadOnlyDictionary<string, string>.Empty,
            []
        );
    }

    /// <summary>Makes a track of what a reader gives until its end; it is disposed.</summary>
    internal static AudioTrack FromReader(string name, AudioReader frames, CancellationToken cancellationToken)
    {
        TrackSource source = new(name);
        using StereoTrackReader reader = StereoTrackReader.Over(frames, source, DemucsAudio.SampleRate);
        List<float> left = [],
            right = [];
        float[] leftBlock = new float[1 << 16],
            rightBlock = new float[1 << 16];
        while (reader.Read(leftBlock, rightBlock) is > 0 and int read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (left.Count > Array.MaxLength - read)
                throw new DemucsException(
                    DemucsError.AudioFormatUnsupported,
                    $"'{name}' is too long for memory, or endless. Use a part of it.",
                    name
                );
            left.AddRange(leftBlock.AsSpan(0, read));
            right.AddRange(rightBlock.AsSpan(0, read));
        }
        float[][] channels =
        [
            [.. left],
            [.. right],
        ];
        TrackStatistics statistics = TrackStatistics.Measure(
            new MemorySource(channels[0], channels[1]),
            name,
            cancellationToken: cancellationToken
        ) with
        {
            SourceFrames = reader.SourceFramesRead,
            Gaps = reader.Gaps,
        };
        return new AudioTrack(
            channels,
            statistics,
            source,
            reader.SourceSampleRate,
            reader.SourceChannels,
            reader.IsMono,
            reader.Codec,
            reader.Tags,
            reader.Warnings.ToArray()
        );
    }

    /// <summary>The samples of a channel, nominally −1 … 1. Not copied; do not write to them.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    public ReadOnlyMemory<float> Samples(int channel) => _channels[channel];

    /// <summary>One sample.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    /// <param name="frame">0 … <see cref="Frames"/> − 1.</param>
    public float GetSample(int channel, int frame) => _channels[channel][frame];

    /// <summary>Cuts the track into chunks: chunk i starts at i·stride, stride = int((1 − overlap)·length). Nothing is copied.</summary>
    /// <param name="overlap">Share that neighbors have in common, 0 … <see cref="ChunkPlan.MaxOverlap"/>.</param>
    /// <param name="length">Frames of a chunk: the segment of the model that will separate it.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: one is out of range.</exception>
    public IEnumerable<AudioChunk> Split(double overlap = 0.05, int length = AudioChunk.UsualSegmentFrames)
    {
        CheckSplit(overlap, length);
        ChunkPlan plan = ChunkPlan.Create(Frames, length, overlap);
        return Enumerable.Range(0, plan.Count).Select(i => new AudioChunk(this, plan, plan[i]));
    }

    /// <summary>Refuses what no track can be cut by.</summary>
    /// <inheritdoc cref="Split"/>
    public static void CheckSplit(double overlap, int length)
    {
        ChunkPlan.CheckOverlap(overlap);
        AudioChunk.CheckSegment(length);
    }

    /// <summary>The source's path.</summary>
    public override string ToString() => SourcePath;

    private sealed class MemorySource(float[] left, float[] right) : IStereoSource
    {
        private int _read;

        public int Read(Span<float> intoLeft, Span<float> intoRight)
        {
            int count = Math.Min(intoLeft.Length, left.Length - _read);
            left.AsSpan(_read, count).CopyTo(intoLeft);
            right.AsSpan(_read, count).CopyTo(intoRight);
            _read += count;
            return count;
        }
    }
}
