using DemucsPS.Engine.Audio.Resampling;

namespace DemucsPS.Engine.Encoders;

/// <summary>Rate, length and channels of the files of a track's stems.</summary>
/// <param name="SampleRate">Frames per second.</param>
/// <param name="Frames">Length in frames.</param>
/// <param name="Channels">2, or 1 for the mean of both.</param>
internal readonly record struct StemShape(int SampleRate, long Frames, int Channels)
{
    /// <summary>Length.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Frames / SampleRate);

    /// <summary>What a format asks for a track.</summary>
    /// <param name="format">The format.</param>
    /// <param name="frames">Length of the track as it is separated, at <see cref="DemucsAudio.SampleRate"/>.</param>
    /// <param name="sourceFrames">Its length at its own rate.</param>
    /// <param name="sourceRate">That rate in Hz.</param>
    /// <param name="isMono">Whether it has one channel.</param>
    public static StemShape Create(StemFormat format, long frames, long sourceFrames, int sourceRate, bool isMono)
    {
        int rate = format.RateFor(sourceRate);
        // From the track's own length, because the one at the rate of the separation is rounded down already.
        return new StemShape(
            rate,
            rate == DemucsAudio.SampleRate ? frames : Resampler.OutputLength(sourceFrames, sourceRate, rate),
            format.KeepMono && isMono ? 1 : 2
        );
    }
}
