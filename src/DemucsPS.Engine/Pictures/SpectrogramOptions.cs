using System.Numerics;
using DemucsPS.Engine.Chunking;

namespace DemucsPS.Engine.Pictures;

/// <summary>What a picture of spectrograms shows, and how.</summary>
public sealed record SpectrogramOptions
{
    /// <summary>Shortest and longest frame in samples.</summary>
    internal const int MinFrameSize = 64,
        MaxFrameSize = 65_536;

    /// <summary>Greatest width and height in pixels.</summary>
    internal const int MaxPixels = 16_384;

    /// <summary>How frequencies are spread over the axis.</summary>
    public FrequencyScale FrequencyScale { get; init; }

    /// <summary>The lowest frequency in Hz; null for 20, or 0 if the scale is not logarithmic.</summary>
    public double? MinFrequency { get; init; }

    /// <summary>The highest frequency in Hz; null for the highest that the tracks can have: half their rate.</summary>
    public double? MaxFrequency { get; init; }

    /// <summary>
    /// The level in dB that, and below which, all is drawn in the lowest color. 0 dB is a sine at full scale in both channels.
    /// </summary>
    public double MinDb { get; init; } = -100;

    /// <summary>The level in dB that, and above which, all is drawn in the highest color.</summary>
    public double MaxDb { get; init; }

    /// <summary>The colors.</summary>
    public PictureColors Colors { get; init; }

    /// <summary>What is around the spectrograms.</summary>
    public PictureTheme Theme { get; init; }

    /// <summary>Width of the picture in pixels.</summary>
    public int Width { get; init; } = 1200;

    /// <summary>Height of the picture in pixels; null for some that suits the number of spectrograms.</summary>
    public int? Height { get; init; }

    /// <summary>Pixels an inch: text and lines are as many times larger as this is than 96.</summary>
    public int Dpi { get; init; } = 96;

    /// <summary>Where in the tracks to begin, in seconds; null for their start.</summary>
    public double? Start { get; init; }

    /// <summary>How much to show in seconds; null for all.</summary>
    public double? Duration { get; init; }

    /// <summary>Samples in a frame: a power of two. Longer ones tell frequencies apart, shorter ones times.</summary>
    public int FrameSize { get; init; } = 4096;

    /// <summary>Samples from one frame to the next, up to the frame's; null for a frame a column, but at least four that overlap.</summary>
    public int? Hop { get; init; }

    /// <summary>What a pixel shows of the levels in it.</summary>
    public PixelPower PixelPower { get; init; }

    /// <summary>Whether it is drawn where chunks begin and fade into each other.</summary>
    public bool ChunkGrid { get; init; }

    /// <summary>Share of a chunk that neighbors have in common, for the chunk grid; null for what is known of the tracks.</summary>
    public double? Overlap { get; init; }

    /// <summary>
    /// Length of a chunk in seconds, for the chunk grid; null for what is known of the tracks, or the length of htdemucs.
    /// </summary>
    public double? Segment { get; init; }

    /// <summary>A line above all; null for none.</summary>
    public string? Title { get; init; }

    /// <summary>Refuses values that are out of range.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    public void Check()
    {
        Require(
            FrameSize is >= MinFrameSize and <= MaxFrameSize && BitOperations.IsPow2(FrameSize),
            EngineParameter.FrameSize,
            $"The frame size is {FrameSize} samples; it must be a power of two from {MinFrameSize} to {MaxFrameSize}."
        );
        Require(
            Hop is null || (Hop >= 1 && Hop <= FrameSize),
            EngineParameter.HopSize,
            $"The hop is {Hop} samples; it must be from 1 to the frame size, {FrameSize}."
        );
        Require(
            Width is >= 1 and <= MaxPixels,
            EngineParameter.Width,
            $"The width is {Width} pixels; it must be from 1 to {MaxPixels}."
        );
        Require(
            Height is null or (>= 1 and <= MaxPixels),
            EngineParameter.Height,
            $"The height is {Height} pixels; it must be from 1 to {MaxPixels}."
        );
        Require(
            Dpi is >= 24 and <= 1200,
            EngineParameter.Dpi,
            $"The resolution is {Dpi} dots per inch; it must be from 24 to 1200."
        );
        Require(
            MinDb >= -200 && MaxDb <= 60 && MinDb < MaxDb,
            MinDb < -200 ? EngineParameter.MinDb
                : MaxDb > 60 ? EngineParameter.MaxDb
                : null,
            $"The levels are {MinDb} to {MaxDb} dB; they must go from low to high, between -200 and 60."
        );
        CheckFrequencies();
        Require(
            Start is null || (Start >= 0 && double.IsFinite(Start.Value)),
            EngineParameter.Start,
            $"The start is {Start} s; it must be 0 or later."
        );
        Require(
            Duration is null || (Duration > 0 && double.IsFinite(Duration.Value)),
            EngineParameter.Duration,
            $"The duration is {Duration} s; it must be above 0."
        );
        Require(
            Segment is null || (Segment * DemucsAudio.SampleRate >= 2 && Segment <= 3600),
            EngineParameter.Segment,
            $"The length of a chunk is {Segment} s; it must be above 0 and at most an hour."
        );
        Require(
            ChunkGrid || (Overlap is null && Segment is null),
            null,
            $"Overlap and segment only apply to the chunk grid. Turn the chunk grid on, or leave them out."
        );
        if (Overlap is { } overlap)
            ChunkPlan.CheckOverlap(overlap);
    }

    /// <summary>The lowest frequency in effect, in Hz.</summary>
    internal double LowestFrequency => MinFrequency ?? (FrequencyScale == FrequencyScale.Log ? 20 : 0);

    private void CheckFrequencies()
    {
        Require(
            MinFrequency is null || (MinFrequency >= 0 && double.IsFinite(MinFrequency.Value)),
            EngineParameter.MinFrequency,
            $"The lowest frequency is {MinFrequency} Hz; it must be 0 or more."
        );
        Require(
            FrequencyScale != FrequencyScale.Log || MinFrequency is null or > 0,
            EngineParameter.MinFrequency,
            $"The lowest frequency is {MinFrequency} Hz; on a logarithmic axis it must be above 0."
        );
        Require(
            MaxFrequency is null || (MaxFrequency > LowestFrequency && double.IsFinite(MaxFrequency.Value)),
            EngineParameter.MaxFrequency,
            $"The highest frequency is {MaxFrequency} Hz; it must be above the lowest, {LowestFrequency} Hz."
        );
    }

    private static void Require(bool holds, EngineParameter? parameter, FormattableString otherwise)
    {
        if (!holds)
            throw new DemucsException(DemucsError.ParameterInvalid, FormattableString.Invariant(otherwise)) { Parameter = parameter };
    }
}
