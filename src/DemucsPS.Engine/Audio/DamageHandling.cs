namespace DemucsPS.Engine.Audio;

/// <summary>
/// What happens to a track whose file has lost some of its sound: it is cut off, bytes of it are damaged, or a checksum of all of it is
/// wrong.
/// </summary>
public enum DamageHandling
{
    /// <summary>
    /// It is read anyway, with a warning: silence replaces what is lost, so that everything else keeps its time, and each gap is noted.
    /// </summary>
    Warn,

    /// <summary>It is an error, and the track is not separated.</summary>
    Fail,
}
