namespace DemucsPS.Engine;

/// <summary>A parameter that an error refers to. Each front end calls its parameters by their own names, and some have no such.</summary>
public enum EngineParameter
{
    /// <summary>Chunks separated at once.</summary>
    Jobs,

    /// <summary>Chunks that a model computes at once.</summary>
    BatchSize,

    /// <summary>Threads of the runtime.</summary>
    Threads,

    /// <summary>Random shifts to average over.</summary>
    Shifts,

    /// <summary>How often a failed chunk is retried.</summary>
    RetryCount,

    /// <summary>Share of a chunk that neighbors have in common.</summary>
    Overlap,

    /// <summary>The form of the transition between chunks.</summary>
    TransitionPower,

    /// <summary>Length of a chunk.</summary>
    ChunkLength,

    /// <summary>Length of the chunks of a separation in seconds.</summary>
    Segment,

    /// <summary>The audio stream of a file.</summary>
    StreamIndex,

    /// <summary>Frames per second of the stems.</summary>
    SampleRate,

    /// <summary>Bits per sample of the stems.</summary>
    BitDepth,

    /// <summary>Bit rate of the stems.</summary>
    BitRate,

    /// <summary>Quality of the stems.</summary>
    Quality,

    /// <summary>Gains of stems.</summary>
    Mixdown,

    /// <summary>The separator of several values of a tag in file names.</summary>
    ValueSeparator,

    /// <summary>Which share of a batch is separated.</summary>
    Shard,

    /// <summary>How long a run may take.</summary>
    TimeLimit,

    /// <summary>How long a task of a job should take.</summary>
    TaskLength,

    /// <summary>Samples in a frame of a spectrogram.</summary>
    FrameSize,

    /// <summary>Samples from one frame of a spectrogram to the next.</summary>
    HopSize,

    /// <summary>Width of a picture.</summary>
    Width,

    /// <summary>Height of a picture.</summary>
    Height,

    /// <summary>Pixels an inch of a picture.</summary>
    Dpi,

    /// <summary>The lowest level of a picture's colors.</summary>
    MinDb,

    /// <summary>The highest level of a picture's colors.</summary>
    MaxDb,

    /// <summary>The lowest frequency of a spectrogram.</summary>
    MinFrequency,

    /// <summary>The highest frequency of a spectrogram.</summary>
    MaxFrequency,

    /// <summary>Where a spectrogram begins.</summary>
    Start,

    /// <summary>How much a spectrogram shows.</summary>
    Duration,

    /// <summary>Length of the windows in which stems are measured.</summary>
    Window,

    /// <summary>Seconds from one such window to the next.</summary>
    Hop,

    /// <summary>The figures that are measured.</summary>
    Metric,

    /// <summary>Names of stems to be written.</summary>
    Stem,

    /// <summary>Names for the stems of a model.</summary>
    StemName,

    /// <summary>The one stem beside the sum of all others.</summary>
    TwoStems,

    /// <summary>How that sum is made.</summary>
    TwoStemsMethod,

    /// <summary>The template for the names of stems' files.</summary>
    FileNameTemplate,

    /// <summary>Which channels of a file make tracks.</summary>
    ChannelLayout,

    /// <summary>The plug-in library of an execution provider.</summary>
    ProviderLibrary,

    /// <summary>Options of an execution provider.</summary>
    ProviderOption,

    /// <summary>CPUs for a task of a job.</summary>
    CpusPerTask,

    /// <summary>Tasks of a job that run at once.</summary>
    Throttle,

    /// <summary>Further options of sbatch.</summary>
    SbatchOption,

    /// <summary>Seconds of work per second of audio.</summary>
    RealTimeFactor,

    /// <summary>The maximum number of tasks of a job.</summary>
    MaxTasks,
}
