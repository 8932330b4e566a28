using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Player;

/// <summary>A track of a page while it is read.</summary>
internal sealed class MeteredTrack : IDisposable
{
    private readonly float[] _left,
        _right;
    private int _count;

    /// <exception cref="DemucsException">The file cannot be read.</exception>
    public MeteredTrack(PlayerStem stem, int sampleRate, int blockFrames)
    {
        Name = stem.Name;
        Source = stem.Source;
        IsMixdown = stem.IsMixdown;
        Reader = StereoTrackReader.Open(stem.Source, sampleRate);
        _left = new float[blockFrames];
        _right = new float[blockFrames];
    }

    /// <summary>The stem's name, or <c>mix</c>.</summary>
    public string Name { get; }

    /// <summary>Its file.</summary>
    public TrackSource Source { get; }

    /// <summary>As <see cref="PlayerStem.IsMixdown"/>.</summary>
    public bool IsMixdown { get; }

    /// <summary>What reads it.</summary>
    public StereoTrackReader Reader { get; }

    /// <summary>Its waveform.</summary>
    public WavePeaks Peaks { get; } = new();

    /// <summary>Frames so far.</summary>
    public long Frames { get; private set; }

    /// <summary>The left channel of the last block.</summary>
    public ReadOnlySpan<float> Left => _left.AsSpan(0, _count);

    /// <summary>The right channel of the last block.</summary>
    public ReadOnlySpan<float> Right => _right.AsSpan(0, _count);

    /// <summary>Reads the next block.</summary>
    /// <returns>Its frames: as many as fit, fewer only at the end.</returns>
    /// <exception cref="DemucsException">The file is damaged, or has samples that are not numbers.</exception>
    public int ReadBlock()
    {
        _count = Reader.Read(_left, _right);
        Peaks.Add(Left, Right);
        if (!float.IsFinite(Peaks.Peak))
            throw new DemucsException(
                DemucsError.AudioTrackCorrupt,
                $"'{Source.Path}' has NaN samples before frame {Frames + _count}. Export the file again.",
                Source.Path
            );
        Frames += _count;
        return _count;
    }

    /// <inheritdoc/>
    public void Dispose() => Reader.Dispose();
}
