namespace DemucsPS.Engine.Audio;

/// <summary>A forward-only stream of stereo frames at the sample rate of the separation.</summary>
internal interface IStereoSource
{
    /// <summary>Reads the next frames.</summary>
    /// <param name="left">Receives the left channel, nominally −1 … 1.</param>
    /// <param name="right">Receives the right channel; as long as <paramref name="left"/>.</param>
    /// <returns>The number of frames read; 0 only at the end.</returns>
    int Read(Span<float> left, Span<float> right);
}
