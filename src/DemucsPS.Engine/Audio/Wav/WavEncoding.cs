namespace DemucsPS.Engine.Audio.Wav;

/// <summary>How one sample lies in a WAV file's data chunk, little endian. Named by the container, not by the valid bits.</summary>
internal enum WavEncoding
{
    /// <summary>Not PCM and not IEEE float, or a width that nobody writes: left to ffmpeg.</summary>
    Other,

    /// <summary>Unsigned byte, silence is 128.</summary>
    UInt8,

    /// <summary>Signed, two bytes.</summary>
    Int16,

    /// <summary>Signed, three bytes.</summary>
    Int24,

    /// <summary>Signed, four bytes.</summary>
    Int32,

    /// <summary>IEEE 754 single precision.</summary>
    Float32,

    /// <summary>IEEE 754 double precision.</summary>
    Float64,
}
