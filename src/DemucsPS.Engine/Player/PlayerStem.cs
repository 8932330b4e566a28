using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Player;

/// <summary>A stem of a <see cref="PlayerVariant"/>.</summary>
/// <param name="Name">Such as <c>vocals</c>. Stems of one name in several variants share a lane.</param>
/// <param name="Source">Where its samples are.</param>
public sealed record PlayerStem(string Name, TrackSource Source)
{
    /// <summary>Whether it is made of the other stems: it is not part of their sum, and muted at the start.</summary>
    internal bool IsMixdown => Name == "mixdown";
}
