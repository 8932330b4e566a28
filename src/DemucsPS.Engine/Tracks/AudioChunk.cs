using DemucsPS.Engine.Chunking;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Tracks;

/// <summary>
/// One piece of a track, as much as a model takes at once: a view, without samples of its own. A chunk shorter than the model's segment
/// (the last one) is centered in it, among the track's real neighboring frames. Immutable.
/// </summary>
public sealed class AudioChunk
{
    /// <summary>Frames of a segment of htdemucs: 7.8 seconds.</summary>
    public const int UsualSegmentFrames = 343980;

    internal AudioChunk(AudioTrack track, ChunkPlan plan, ChunkSpan span)
    {
        Track = track;
        Plan = plan;
        Span = span;
    }

    /// <summary>The track.</summary>
    public AudioTrack Track { get; }

    /// <summary>The chunk's number, from 0.</summary>
    public int Index => Span.Index;

    /// <summary>Chunks of the track.</summary>
    public int Count => Plan.Count;

    /// <summary>Where the chunk starts in the track.</summary>
    public TimeSpan StartTime => TimeSpan.FromSeconds((double)Span.Offset / DemucsAudio.SampleRate);

    /// <summary>Length.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Length / DemucsAudio.SampleRate);

    /// <summary>The chunk's first frame in the track.</summary>
    public int Start => (int)Span.Offset;

    /// <summary>Length in frames; less than <see cref="SegmentFrames"/> only where the track ends.</summary>
    public int Length => Span.Length;

    /// <summary>Frames that a model gets for the chunk.</summary>
    public int SegmentFrames => Plan.SegmentFrames;

    /// <summary>Share of a segment that neighboring chunks have in common.</summary>
    public double Overlap => Plan.Overlap;

    internal ChunkPlan Plan { get; }

    internal ChunkSpan Span { get; }

    /// <summary>Frames from one chunk's start to the next one's.</summary>
    internal int Stride => Plan.Stride;

    /// <summary>The chunk's samples of a channel, in the track's level. Not copied; do not write to them.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    public ReadOnlyMemory<float> Samples(int channel) => Track.Samples(channel).Slice(Start, Length);

    /// <summary>One sample.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    /// <param name="frame">0 … <see cref="Length"/> − 1.</param>
    public float GetSample(int channel, int frame)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frame);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frame, Length);
        return Track.GetSample(channel, Start + frame);
    }

    /// <summary>For people: <c>chunk 3 (of 0 to 11) of song.wav</c>.</summary>
    public override string ToString() => $"chunk {Index} (of 0 to {Count - 1}) of {Track.Source.Label()}";

    /// <summary>Refuses a length that no spectrogram can be made of.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    internal static void CheckSegment(int length)
    {
        const int Longest = 100_000_000;
        if (length is < SegmentSpectrogram.FrameSize or > Longest)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The chunk length is {length} frames; it must be from {SegmentSpectrogram.FrameSize} to {Longest}. htdemucs uses {UsualSegmentFrames}."
            )
            {
                Parameter = EngineParameter.ChunkLength,
            };
    }

    /// <summary>Copies the segment that a model gets: the track's frames where it has any, normalized, and zeros elsewhere.</summary>
    /// <param name="normalization">Applied to the track's frames.</param>
    /// <param name="left">Receives <see cref="SegmentFrames"/> samples.</param>
    /// <param name="right">As many.</param>
    internal void CopySegment(MixNormalization normalization, Span<float> left, Span<float> right)
    {
        int first = (int)Math.Max(0, Span.InputStart),
            count = (int)(Math.Min(Track.Frames, Span.InputStart + SegmentFrames) - first);
        Copy(0, left);
        Copy(1, right);

        void Copy(int channel, Span<float> target)
        {
            target.Clear();
            target = target.Slice((int)(first - Span.InputStart), count);
            Track.Samples(channel).Span.Slice(first, count).CopyTo(target);
            normalization.Apply(target);
        }
    }
}
