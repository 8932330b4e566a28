namespace DemucsPS.Engine.Audio.Pcm;

/// <summary>How one sample is stored. Named by the bytes that it takes, not by the valid bits in them.</summary>
internal enum PcmEncoding
{
    /// <summary>Unsigned byte, silence is 128.</summary>
    UInt8,

    /// <summary>Signed byte.</summary>
    Int8,

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

    /// <summary>Logarithmic bytes of ITU-T G.711, A-law.</summary>
    ALaw,

    /// <summary>Logarithmic bytes of ITU-T G.711, µ-law.</summary>
    MuLaw,
}
