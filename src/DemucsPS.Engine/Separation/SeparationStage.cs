namespace DemucsPS.Engine.Separation;

/// <summary>The stages of a track's separation.</summary>
public enum SeparationStage
{
    /// <summary>The first pass over the source: length, mean and deviation.</summary>
    Measuring,

    /// <summary>Chunk after chunk goes through the model.</summary>
    Separating,

    /// <summary>The stems get their final format and names.</summary>
    Writing,
}
