using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>
/// A tensor between two layers: [batch, channels, rows, columns] in the branch of the spectrogram, where rows are frequencies, and [batch,
/// channels, columns] in that of the waveform. Columns are times.
/// </summary>
/// <param name="Value">The tensor.</param>
/// <param name="Channels">Its channels.</param>
/// <param name="Rows">Its frequencies; null in the branch of the waveform.</param>
/// <param name="Columns">Its times.</param>
internal sealed record Signal(OnnxValue Value, int Channels, int? Rows, int Columns)
{
    /// <summary>The axis of time.</summary>
    public int TimeAxis => Rows is null ? 2 : 3;

    /// <summary>Its shape, the batch not among it.</summary>
    public long[] Shape => Rows is { } rows ? [Channels, rows, Columns] : [Channels, Columns];

    /// <summary>What has one value for each channel, as a shape that spreads over it.</summary>
    public long[] PerChannel(int channels) => Rows is null ? [1, channels, 1] : [1, channels, 1, 1];

    /// <summary>A kernel of so many taps along time, or one of a single tap, in as many axes as it has.</summary>
    public long[] Kernel(int taps) => Rows is null ? [taps] : [1, taps];
}
