namespace DemucsPS.Engine.Audio;

/// <summary>What happens to the time before the sound of a file whose sound begins later than the file, such as that of a film.</summary>
public enum LateStart
{
    /// <summary>It is silence, so that stems stay in sync with the film.</summary>
    Silence,

    /// <summary>It is cut: stems begin with the sound.</summary>
    Cut,
}
