using DemucsPS.Engine.Levels;

namespace DemucsPS.Engine.Tracks;

/// <summary>
/// A whole stem of a track in memory: two channels at 44,100 Hz, as long as the track. Immutable. Memory: 8 bytes a frame.
/// </summary>
public sealed class Stem
{
    private readonly float[][] _channels;

    internal Stem(
        AudioTrack track,
        string stemName,
        string modelName,
        bool isDemucs,
        IReadOnlyList<string> runStems,
        float[][] channels,
        IReadOnlyList<int> missingChunks
    )
    {
        Track = track;
        StemName = stemName;
        ModelName = modelName;
        IsDemucs = isDemucs;
        RunStems = runStems;
        _channels = channels;
        MissingChunks = missingChunks;
        Peak = channels.Max(channel => SamplePeak.Of(channel));
    }

    /// <summary>Such as <c>vocals</c>.</summary>
    public string StemName { get; }

    /// <summary>The track.</summary>
    public AudioTrack Track { get; }

    /// <summary>The track's file.</summary>
    public string SourcePath => Track.SourcePath;

    /// <summary>The model's name; several, joined by +, for a bag, or where chunks of several models were joined.</summary>
    public string ModelName { get; }

    /// <summary>False if the built-in baseline took part, which is not Demucs.</summary>
    public bool IsDemucs { get; }

    /// <summary>Length.</summary>
    public TimeSpan Duration => Track.Duration;

    /// <summary>Length in frames.</summary>
    public int Frames => _channels[0].Length;

    /// <summary>Frames per second: 44,100.</summary>
    public int SampleRate { get; } = DemucsAudio.SampleRate;

    /// <summary>Greatest absolute sample; 1 is full scale.</summary>
    public float Peak { get; }

    /// <summary>
    /// Numbers of the chunks that were missing when the stem was joined by force: silent, as far as neighbors do not reach into them.
    /// </summary>
    public IReadOnlyList<int> MissingChunks { get; }

    /// <summary>All stems that the same runs gave: they belong in one set of files.</summary>
    internal IReadOnlyList<string> RunStems { get; }

    /// <summary>The samples of a channel. Not copied; do not write to them.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    public ReadOnlyMemory<float> Samples(int channel) => _channels[channel];

    /// <summary>One sample.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    /// <param name="frame">0 … <see cref="Frames"/> − 1.</param>
    public float GetSample(int channel, int frame) => _channels[channel][frame];

    /// <summary>For people: <c>vocals of song.wav</c>.</summary>
    public override string ToString() => $"{StemName} of {Track.Source.Label()}";
}
