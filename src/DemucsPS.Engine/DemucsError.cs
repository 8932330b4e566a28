namespace DemucsPS.Engine;

/// <summary>The stable identities of errors. Names are part of the public contract: scripts test for them.</summary>
public enum DemucsError
{
    /// <summary>The audio file does not exist, is a folder or cannot be opened for reading.</summary>
    AudioTrackNotFound,

    /// <summary>The file is no audio that can be decoded here.</summary>
    AudioFormatUnsupported,

    /// <summary>The file is of a known kind but damaged: cut short, empty, or with samples that are not numbers.</summary>
    AudioTrackCorrupt,

    /// <summary>A playlist or CUE sheet cannot be used, or names what is no local file.</summary>
    TrackListInvalid,

    /// <summary>The file needs ffmpeg, and no ffmpeg was found.</summary>
    FFmpegNotFound,

    /// <summary>No model of that name or path exists.</summary>
    DemucsModelNotFound,

    /// <summary>The model file cannot be used: not ONNX, damaged, another contract, or results that are not numbers.</summary>
    DemucsModelInvalid,

    /// <summary>The native ONNX Runtime library cannot be loaded, or it failed in a way that is not the model's fault.</summary>
    OnnxRuntimeUnavailable,

    /// <summary>A parameter's value is out of range or does not fit the model.</summary>
    ParameterInvalid,

    /// <summary>A chunk was cut to another length than the model takes.</summary>
    ChunkLengthMismatch,

    /// <summary>A stem cannot be joined: some of its track's chunks did not come.</summary>
    StemChunkMissing,

    /// <summary>A chunk of a stem came more than once.</summary>
    StemChunkDoubled,

    /// <summary>A file of that name exists, and overwriting was not asked for.</summary>
    StemExists,

    /// <summary>A stem could not be written: no permission, no space, or a path that cannot be created.</summary>
    StemWriteFailed,
}
