using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Tests.Tracks;

public sealed class ChunkSpectrogramTests
{
    private const int Bin = 100;

    [Fact]
    public void A_full_scale_sine_reads_0_dB_in_its_bin_and_silence_the_floor()
    {
        ChunkSpectrogram spectrogram = Tone();
        Assert.Equal((2048, 8, false), (spectrogram.Bins, spectrogram.Frames, spectrogram.IsEdited));
        Assert.Equal(0, spectrogram.MagnitudeDb(0, Bin, 3), 0.01);
        Assert.Equal(-6.02, spectrogram.MagnitudeDb(0, Bin + 1, 3), 0.05);
        Assert.InRange(spectrogram.MagnitudeDb(0, 1000, 3), -200, -100);
        Assert.Equal(Bin, spectrogram.BinOf(Bin * spectrogram.BinWidth));
        Assert.Equal(spectrogram.MagnitudeDb(0, Bin, 5), spectrogram.GetFrame(0, 5)[Bin]);
        Assert.Equal(spectrogram.MagnitudeDb(0, Bin, 5), spectrogram.GetBin(0, Bin)[5]);
        Assert.Equal(512 / 44100.0, spectrogram.FrameTime(0).TotalSeconds, 1e-6);
        Assert.Throws<ArgumentOutOfRangeException>(() => spectrogram.MagnitudeDb(0, 2048, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => spectrogram.MagnitudeDb(2, 0, 0));
        ChunkSpectrogram silence = ChunkSpectrogram.Compute(
            AudioTrack.FromSamples("silence", new float[8192], new float[8192]).Split(length: SmallModels.Segment).First()
        );
        Assert.All(silence.GetFrame(1, 4), db => Assert.Equal(-200, db));
    }

    [Fact]
    public void The_round_trip_gives_the_chunk_back()
    {
        SegmentSamples samples = Tone().ToSamples();
        Assert.Equal(8192, samples.Frames);
        Assert.Equal((1536, 8 * 1024 - 1536), (samples.ExactFrom, samples.ExactEnd));
        Assert.InRange(samples.DifferenceDb, -200, -95);
        for (int i = samples.ExactFrom; i < samples.ExactEnd; i++)
            Assert.Equal(samples.Chunk.GetSample(0, i), samples.GetSample(0, i), 1e-5f);
        // The last chunk is centered in its segment, so all of it is exact; but the track ends in the middle of a wave, and a click has
        // something at Nyquist.
        AudioChunk last = AudioTrack.FromSamples("tone", Sine(9000), Sine(9000)).Split(0, SmallModels.Segment).Last();
        SegmentSamples end = ChunkSpectrogram.Compute(last).ToSamples();
        Assert.Equal((0, last.Length), (end.ExactFrom, end.ExactEnd));
        Assert.InRange(end.DifferenceDb, -200, -70);
    }

    [Fact]
    public void Edits_give_copies()
    {
        ChunkSpectrogram spectrogram = Tone();
        double center = Bin * spectrogram.BinWidth;
        ChunkSpectrogram softer = spectrogram.WithGain(center, center, -20);
        Assert.True(softer.IsEdited);
        Assert.Equal(-20, softer.MagnitudeDb(1, Bin, 3), 0.01);
        Assert.Equal(spectrogram.MagnitudeDb(1, Bin + 1, 3), softer.MagnitudeDb(1, Bin + 1, 3));
        Assert.Equal(0, spectrogram.MagnitudeDb(1, Bin, 3), 0.01);
        Assert.Equal(-200, spectrogram.WithGain(0, 22050, double.NegativeInfinity).MagnitudeDb(0, Bin, 3));
        Assert.Equal(spectrogram.RawTensor().ToArray(), spectrogram.WithTensor(spectrogram.RawTensor()).RawTensor().ToArray());
        foreach (
            Action wrong in new Action[]
            {
                () => spectrogram.WithGain(2, 1, 0),
                () => spectrogram.WithGain(1, 2, double.NaN),
                () => spectrogram.WithTensor(new float[3]),
            }
        )
            Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(wrong).Error);
    }

    private static ChunkSpectrogram Tone() =>
        ChunkSpectrogram.Compute(AudioTrack.FromSamples("tone", Sine(8192), Sine(8192)).Split(length: SmallModels.Segment).First());

    private static float[] Sine(int frames) => [.. Enumerable.Range(0, frames).Select(i => (float)Math.Sin(2 * Math.PI * Bin * i / 4096))];
}
