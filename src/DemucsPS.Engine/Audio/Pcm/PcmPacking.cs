namespace DemucsPS.Engine.Audio.Pcm;

/// <summary>How a sample lies in a run of bytes, little endian.</summary>
internal enum PcmPacking
{
    /// <summary>Signed integers in two bytes.</summary>
    Int16,

    /// <summary>Signed integers in three bytes.</summary>
    Int24,

    /// <summary>Signed integers of 24 bits in the upper three of four bytes.</summary>
    Int24In32,

    /// <summary>IEEE 754 single precision.</summary>
    Float32,
}
