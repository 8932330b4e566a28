namespace DemucsPS.Engine.Models.Contracts;

/// <summary>The inputs and outputs of one segment among those that a model computes at once.</summary>
/// <param name="batch">Those of all.</param>
/// <param name="place">The segment's place, from 0.</param>
internal readonly struct SegmentTensors(ModelTensors batch, int place)
{
    /// <summary>Input waveform, left channel: L samples.</summary>
    public Span<float> Left
    {
        get
        {
            Span<float> waveform = batch.Of(TensorRole.Waveform, place);
            return waveform[..(waveform.Length / 2)];
        }
    }

    /// <summary>Input waveform, right channel: L samples.</summary>
    public Span<float> Right
    {
        get
        {
            Span<float> waveform = batch.Of(TensorRole.Waveform, place);
            return waveform[(waveform.Length / 2)..];
        }
    }

    /// <summary>Input spectrogram, [4][2048][T]; models that take waveforms only do not look at it.</summary>
    public Span<float> Spectrogram => batch.Of(TensorRole.Spectrogram, place);

    /// <summary>Whether the last run gave spectrograms.</summary>
    public bool HasStemSpectrograms => batch.HasStemSpectrograms;

    /// <summary>
    /// Output spectrogram of one stem (the frequency branch), [4][2048][T]; only where <see cref="HasStemSpectrograms"/>.
    /// </summary>
    /// <param name="stem">The stem's number in the model.</param>
    public ReadOnlySpan<float> StemSpectrogram(int stem) => batch.StemOf(TensorRole.StemSpectrogram, place, stem);

    /// <summary>
    /// Output waveform of one stem (the time branch, or the whole stem of a model that gives waveforms only), L samples of one channel.
    /// </summary>
    /// <param name="stem">The stem's number in the model.</param>
    /// <param name="channel">0 left, 1 right.</param>
    public ReadOnlySpan<float> StemWaveform(int stem, int channel)
    {
        ReadOnlySpan<float> waveform = batch.StemOf(TensorRole.StemWaveform, place, stem);
        return waveform.Slice(channel * (waveform.Length / 2), waveform.Length / 2);
    }
}
