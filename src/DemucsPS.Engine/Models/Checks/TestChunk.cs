namespace DemucsPS.Engine.Models.Checks;

/// <summary>The chunks, always the same, that tests of models compute.</summary>
public enum TestChunk
{
    /// <summary>Music-like sound.</summary>
    Music,

    /// <summary>
    /// The beginning of it, a sixteenth of the chunk, and digital silence: as the last chunk of a track may be, and where long sums lose
    /// most.
    /// </summary>
    MostlySilence,

    /// <summary>The same sound with a constant added that is as large as its deviation.</summary>
    Offset,
}
