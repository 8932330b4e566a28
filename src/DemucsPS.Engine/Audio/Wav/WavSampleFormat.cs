using DemucsPS.Engine.Encoders;

namespace DemucsPS.Engine.Audio.Wav;

/// <summary>How <see cref="WavWriter"/> stores a sample.</summary>
public enum WavSampleFormat
{
    /// <summary>Signed integers of 16 bits.</summary>
    Pcm16,

    /// <summary>Signed integers of 24 bits in three bytes.</summary>
    Pcm24,

    /// <summary>IEEE 754 single precision: nothing is rounded or clipped.</summary>
    Float32,
}
