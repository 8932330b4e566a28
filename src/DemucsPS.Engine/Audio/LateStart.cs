namespace DemucsPS.Engine.Audio;

/// <summary>What becomes of the time before the sound of a file whose sound begins later than the file, such as that of a film.</summary>
public enum LateStart
{
    /// <summary>It is silence, so that stems keep time with the film.</summary>
    Silence,

    /// <summary>It is cut: stems begin with the sound.</summary>
    Cut,
}
