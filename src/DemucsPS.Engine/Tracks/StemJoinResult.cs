namespace DemucsPS.Engine.Tracks;

/// <summary>
/// What happened to the chunks of one stem at the end of their stream: a stem, an error or, for a stem that was given before, a warning
/// alone.
/// </summary>
/// <param name="Track">The track.</param>
/// <param name="Stem">The stem, if it could be joined.</param>
/// <param name="Error">Why it could not.</param>
/// <param name="Warning">What the user should know of it.</param>
public sealed record StemJoinResult(AudioTrack Track, Stem? Stem, DemucsException? Error, string? Warning);
