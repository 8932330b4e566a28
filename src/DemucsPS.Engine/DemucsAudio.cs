namespace DemucsPS.Engine;

/// <summary>The sound that Demucs models take and give: two channels of 32-bit floats.</summary>
public static class DemucsAudio
{
    /// <summary>Frames per second. Tracks of other rates are resampled to it.</summary>
    public const int SampleRate = 44100;
}
