using DemucsPS.Engine.Audio;
using NAudio.Wave;

namespace DemucsPS.Engine.Tracks;

/// <summary>
/// Sound from and for NAudio: what its captures, generators, effects and readers give becomes a track, and tracks and stems are sources for
/// its players, writers and effects. Apart from the
/// types of the pipeline, which work whatever version of NAudio the process has loaded before.
/// </summary>
public static class SampleProviders
{
    /// <summary>Makes a track of what a source gives until its end.</summary>
    /// <param name="provider">The source, of any rate and number of channels; of more than two the first two are taken, with a warning. It
    /// is read on this thread, and is the caller's to dispose.</param>
    /// <param name="name">What to call the track; names the folder of the stems.</param>
    /// <param name="cancellationToken">Ends the reading. A source without an end has to be given one, as by NAudio's <c>Take</c>.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.AudioTrackCorrupt"/>: no samples, or some that are not finite numbers.
    /// <see cref="DemucsError.AudioFormatUnsupported"/>: more than 64 channels or 768,000 Hz, or longer than 13 hours.
    /// </exception>
    public static AudioTrack ToTrack(this ISampleProvider provider, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(provider);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return AudioTrack.FromReader(name, new SampleProviderReader(name, provider), cancellationToken);
    }

    /// <summary>
    /// A track as a source, two channels of 32-bit float at 44,100 Hz, from its first frame. Each call returns a new one; nothing is
    /// copied.
    /// </summary>
    public static ISampleProvider ToSampleProvider(this AudioTrack track) => new Memory(track.Samples(0), track.Samples(1));

    /// <summary>
    /// A stem as a source, two channels of 32-bit float at 44,100 Hz, from its first frame. Each call returns a new one; nothing is copied.
    /// </summary>
    public static ISampleProvider ToSampleProvider(this Stem stem) => new Memory(stem.Samples(0), stem.Samples(1));

    private sealed class Memory(ReadOnlyMemory<float> left, ReadOnlyMemory<float> right) : ISampleProvider
    {
        // Samples read so far, of both channels.
        private long _read;

        public WaveFormat WaveFormat { get; } = WaveFormat.CreateIeeeFloatWaveFormat(DemucsAudio.SampleRate, 2);

        public int Read(Span<float> buffer)
        {
            int count = (int)Math.Min(buffer.Length, (2L * left.Length) - _read);
            ReadOnlySpan<float> leftSamples = left.Span,
                rightSamples = right.Span;
            for (int i = 0; i < count; i++, _read++)
                buffer[i] = (_read % 2 == 0 ? leftSamples : rightSamples)[(int)(_read / 2)];
            return count;
        }
    }
}
