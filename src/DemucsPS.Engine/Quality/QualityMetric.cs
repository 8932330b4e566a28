namespace DemucsPS.Engine.Quality;

/// <summary>Figures of how close an estimated stem is to the reference; all in dB, more is better.</summary>
[Flags]
public enum QualityMetric
{
    /// <summary>No figure.</summary>
    None = 0,

    /// <summary>Signal to distortion ratio of each window (BSS Eval v4).</summary>
    Sdr = 1,

    /// <summary>
    /// Image to spatial distortion ratio of each window (BSS Eval v4): level, delay, tone and place of the stem's own sound.
    /// </summary>
    Isr = 2,

    /// <summary>Signal to interference ratio of each window (BSS Eval v4): sound of other stems.</summary>
    Sir = 4,

    /// <summary>Signal to artifacts ratio of each window (BSS Eval v4): sound of no stem.</summary>
    Sar = 8,

    /// <summary>The music demixing challenge's signal to distortion ratio over the whole track.</summary>
    NSdr = 16,

    /// <summary>Scale-invariant signal to distortion ratio over the whole track.</summary>
    SiSdr = 32,

    /// <summary>All of them.</summary>
    All = Sdr | Isr | Sir | Sar | NSdr | SiSdr,
}
