namespace DemucsPS.Engine.Quality;

/// <summary>
/// Figures of a stem in one window, in dB. All are null if any stem is silent in the window, which then does not count. Infinity if the
/// error is exactly zero. Metrics that were not requested are null as well.
/// </summary>
/// <param name="Start">Where the window begins.</param>
/// <param name="Duration">How long it is.</param>
/// <param name="Sdr">Signal to distortion ratio.</param>
/// <param name="Isr">Image to spatial distortion ratio.</param>
/// <param name="Sir">Signal to interference ratio.</param>
/// <param name="Sar">Signal to artifacts ratio.</param>
public sealed record FrameQuality(TimeSpan Start, TimeSpan Duration, double? Sdr, double? Isr, double? Sir, double? Sar);
