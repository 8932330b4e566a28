namespace DemucsPS.Engine;

/// <summary>The stable identities of errors. Names are part of the public contract: scripts test for them.</summary>
public enum DemucsError
{
    /// <summary>The audio file does not exist, is none (a folder, a pipe, a device) or cannot be opened for reading.</summary>
    AudioTrackNotFound,

    /// <summary>The file is not audio that can be decoded here.</summary>
    AudioFormatUnsupported,

    /// <summary>The file is of a known kind but damaged: cut short, empty, or with samples that are not numbers.</summary>
    AudioTrackCorrupt,

    /// <summary>A playlist or CUE sheet cannot be used, or names what is not a local file.</summary>
    TrackListInvalid,

    /// <summary>
    /// Reading the file or writing the stems needs ffmpeg, and none was found that can be used: there is none, it cannot be started, or it
    /// is too old.
    /// </summary>
    FFmpegNotFound,

    /// <summary>No model of that name or path exists.</summary>
    DemucsModelNotFound,

    /// <summary>The model file cannot be used: not ONNX, damaged, another contract, or results that are not numbers.</summary>
    DemucsModelInvalid,

    /// <summary>A test found the prepared copy of a model to be less exact than the model itself, so the copy is not used.</summary>
    PreparationRefused,

    /// <summary>A model could not be downloaded: the server, the connection or the source failed.</summary>
    ModelDownloadFailed,

    /// <summary>A model's file differs from the catalog's: another size or SHA-256.</summary>
    ModelHashMismatch,

    /// <summary>A model cannot be written to the models folder: no permission or no space.</summary>
    ModelWriteFailed,

    /// <summary>An installed model cannot be replaced or removed, because a program has it open or installs it.</summary>
    ModelInUse,

    /// <summary>A model's license notice was not accepted.</summary>
    LicenseNotAccepted,

    /// <summary>A catalog file cannot be read, or is invalid.</summary>
    CatalogInvalid,

    /// <summary>The native ONNX Runtime library cannot be loaded, or it failed in a way that is not the model's fault.</summary>
    OnnxRuntimeUnavailable,

    /// <summary>The requested execution provider is not in the loaded ONNX Runtime library, or cannot start on this machine.</summary>
    ExecutionProviderUnavailable,

    /// <summary>A parameter's value is out of range or does not fit the model.</summary>
    ParameterInvalid,

    /// <summary>A chunk has a different length than the model needs.</summary>
    ChunkLengthMismatch,

    /// <summary>A stem cannot be joined: some of its track's chunks did not come.</summary>
    StemChunkMissing,

    /// <summary>A chunk of a stem came more than once.</summary>
    StemChunkDoubled,

    /// <summary>A file of that name exists, and overwriting was not requested.</summary>
    StemExists,

    /// <summary>A stem could not be written: no permission, no space, or a path that cannot be created.</summary>
    StemWriteFailed,

    /// <summary>There was not enough memory to separate a chunk, even one at a time.</summary>
    OutOfMemory,

    /// <summary>
    /// An interrupted separation cannot be continued: its source, models or parameters have changed, or its journal is damaged.
    /// </summary>
    ResumeMismatch,

    /// <summary>There is an interrupted separation, and neither resuming nor starting over was requested.</summary>
    SeparationUnfinished,

    /// <summary>Another process is separating into the same folder.</summary>
    SeparationRunning,

    /// <summary>The provenance file next to the stems is missing or damaged.</summary>
    ProvenanceInvalid,

    /// <summary>A worker died while it was separating the track: the program crashed, was killed or lost its machine.</summary>
    WorkerDied,

    /// <summary>A picture of that name exists, and overwriting was not requested.</summary>
    PictureExists,

    /// <summary>A picture could not be written: no permission, no space, or no such folder.</summary>
    PictureWriteFailed,

    /// <summary>The library that draws pictures cannot be loaded.</summary>
    PictureUnavailable,

    /// <summary>The terminal does not support pictures, or the output is redirected.</summary>
    SixelUnsupported,

    /// <summary>Estimated stems and references cannot be compared: other rates or channels, or none of the same name.</summary>
    StemsNotComparable,

    /// <summary>Slurm's commands were not found.</summary>
    SchedulerNotFound,

    /// <summary>Slurm refuses a job, or does not answer.</summary>
    SchedulerRefused,

    /// <summary>A folder is not a job's folder, or is damaged.</summary>
    ClusterJobInvalid,

    /// <summary>The folder for a job is not empty.</summary>
    ClusterJobExists,

    /// <summary>Tasks of a job are waiting or running, so it cannot be submitted again.</summary>
    ClusterJobRunning,

    /// <summary>An execution provider other than the CPU failed while running: its device is gone, or it cannot run a chunk.</summary>
    ExecutionProviderFailed,

    /// <summary>An execution provider's results for a model differ from the CPU's by more than its precision allows.</summary>
    ProviderRefused,

    /// <summary>
    /// A plug-in library of execution providers cannot be used: there is none, it is another kind of file, lacks what it needs, or is
    /// incompatible with the loaded ONNX Runtime.
    /// </summary>
    ProviderLibraryInvalid,

    /// <summary>
    /// A package with an execution provider cannot be used: it is not there, damaged, unsafe, or for something else; or the provider is not
    /// installed.
    /// </summary>
    ProviderPackageInvalid,

    /// <summary>
    /// An execution provider cannot be installed, replaced or removed: no permission, no space, one is there, or it is in use.
    /// </summary>
    ProviderWriteFailed,
}
