namespace DemucsPS.Engine.Player;

/// <summary>How far a player page is.</summary>
/// <param name="Done">Seconds of sound read and encoded, over all tracks.</param>
/// <param name="Total">Of how many; 0 if unknown.</param>
public readonly record struct PlayerProgress(double Done, double Total);
