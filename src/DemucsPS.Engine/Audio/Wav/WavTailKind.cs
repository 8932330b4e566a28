namespace DemucsPS.Engine.Audio.Wav;

/// <summary>How what stands after the samples of a WAV file ends.</summary>
internal enum WavTailKind
{
    /// <summary>With the file.</summary>
    EndOfFile,

    /// <summary>With bytes that are not a chunk.</summary>
    NoChunk,

    /// <summary>With the beginning of another WAV file.</summary>
    AnotherFile,

    /// <summary>Within a chunk: the file is cut.</summary>
    CutChunk,

    /// <summary>Not within as many chunks as are looked at.</summary>
    ManyChunks,
}
