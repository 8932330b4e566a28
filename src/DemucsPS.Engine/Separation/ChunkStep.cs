namespace DemucsPS.Engine.Separation;

/// <summary>What a worker has come to; told to tests, which hold it there.</summary>
internal enum ChunkStep
{
    /// <summary>The spectrogram is ready; the worker waits for its turn.</summary>
    Transformed,

    /// <summary>It is the worker's turn, and the models run next.</summary>
    Running,

    /// <summary>The result is there; the turn ends next.</summary>
    Done,
}
