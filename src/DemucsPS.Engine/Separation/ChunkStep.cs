namespace DemucsPS.Engine.Separation;

/// <summary>What a worker has come to; told to tests, which hold it there.</summary>
internal enum ChunkStep
{
    /// <summary>The spectrogram is ready; the worker waits for a slot.</summary>
    Transformed,

    /// <summary>The worker has a slot and a model, which runs next.</summary>
    Running,

    /// <summary>The model's result is there; the slot, which on the processor lasts until this is told, ends next.</summary>
    Done,
}
