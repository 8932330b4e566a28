namespace DemucsPS.Engine.Models.Catalog;

/// <summary>A published score of a model.</summary>
/// <param name="Sdr">Signal-to-distortion ratio in dB.</param>
/// <param name="Measured">What was measured, on what, and by whom.</param>
/// <param name="Source">Where it was published.</param>
public sealed record ModelScore(double Sdr, string Measured, string Source);
