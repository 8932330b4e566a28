namespace DemucsPS.Engine.Models.Contracts;

/// <summary>What a model's input or output is.</summary>
internal enum TensorRole
{
    /// <summary>Input: the segment's samples.</summary>
    Waveform,

    /// <summary>Input: the segment's spectrogram.</summary>
    Spectrogram,

    /// <summary>Output: the stems' samples; the time branch where there are stem spectrograms.</summary>
    StemWaveform,

    /// <summary>Output: the stems' spectrograms, the frequency branch.</summary>
    StemSpectrogram,
}
