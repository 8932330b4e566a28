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
}
