namespace DemucsPS.Engine.Models.Contracts;

/// <summary>
/// What crosses the border of a model; L frames a segment, T = ⌈L/1024⌉ spectrogram frames, S stems, B a batch of 1 or left open.
/// </summary>
public enum ModelContractKind
{
    /// <summary>
    /// The spectrogram is computed outside. In: waveform [B,2,L] and spectrogram [B,4,2048,T] (left real, left imaginary, right real, right
    /// imaginary), or with the parts last [B,2,2048,T,2]. Out: waveforms [B,S,2,L] and spectrograms [B,S,4,2048,T] or [B,S,2,2048,T,2].
    /// </summary>
    Split,

    /// <summary>
    /// The same with real and imaginary parts as tensors of their own: in twice [B,2,2048,T] and [B,2,L], out twice [B,S,2,2048,T] and
    /// [B,S,2,L].
    /// </summary>
    RealImaginaryApart,

    /// <summary>The spectrogram is computed inside: in [B,2,L], out [B,S,2,L]. What the frequency branch does cannot be seen.</summary>
    WaveformOnly,
}
