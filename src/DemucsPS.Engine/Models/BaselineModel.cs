using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models;

/// <summary>
/// The built-in model `baseline`: classical signal processing, not a neural network and not Demucs. It separates audibly
/// but roughly, needs no download, and takes part in everything a Demucs model takes part in: it is an ONNX graph in the same contract.
/// </summary>
/// <remarks>
/// <para> Contract: inputs `waveform` [1,2,343980] and `spectrogram` [1,4,2048,336] (left real, left imaginary, right real, right
/// imaginary), outputs `stem_spectrogram` [1,4,4,2048,336] and `stem_waveform` [1,4,2,343980], the stems in the order of
/// <see cref="Sources"/>. A stem is its waveform plus the inverse of its spectrogram. The stems sum to the mix whatever the masks are.
/// </para>
/// <para> Recipe: soft masks, each a ratio of magnitudes of the mix, so that the result scales with the input. What is short in time and
/// wide in frequency is drums; what is low, sustained and in the center is bass; what is in the center, above the bass and not a sustained
/// low partial is vocals; the rest is other.
/// </para>
/// </remarks>
internal static class BaselineModel
{
    /// <summary>The stems, in the order of the model's outputs, as they stand in its metadata.</summary>
    public const string Sources = "drums,bass,other,vocals";

    /// <summary>The description of the model for users; also in its metadata.</summary>
    public const string Description =
        "A classical signal-processing baseline (soft masks from harmonic/percussive and stereo cues), not Demucs: no neural network, no learned weights.";

    private const double SampleRate = 44_100;
    private const int TransformSize = 4096;
    private const int Hop = 1024;
    private const int Bins = TransformSize / 2;
    private const int SegmentFrames = 343_980;
    private const int SpectrogramFrames = (SegmentFrames + Hop - 1) / Hop;

    // Axes of the tensors, [batch, channel, bin, frame].
    private const int Channels = 1;
    private const int Frequency = 2;
    private const int Time = 3;

    // A partial lives longer than this, a drum's stroke does not. Longer windows would smear singing, whose pitch moves.
    private const double HarmonicSeconds = 0.2;

    // A stroke is wider than this, a partial (four bins with a Hann window) and its neighbor are not.
    private const double PercussiveHertz = 290;

    // Half of it, 0.25 s, is longer than a kick's tail and no longer than most bass notes.
    private const double SustainSeconds = 0.5;

    // Sustain is used below a few hundred hertz only, and the exact median is dear, so it is computed up to here.
    private const double SustainLimitHertz = 1380;

    // Below: kick against bass, told apart by sustain. Above: wide-band strokes against partials.
    private const double KickCrossoverHertz = 160;

    // Between the fundamentals of bass and those of singing.
    private const double BassCutoffHertz = 200;

    // Above it there is more cymbal in the center than voice.
    private const double VocalCutoffHertz = 10_000;

    // Accompaniment has its fundamentals below, singing most of its power above.
    private const double AccompanimentCutoffHertz = 400;

    // The share of a fully sustained low partial that is denied to the voice. Not all of it, for singers hold notes, too.
    private const float AccompanimentShare = 0.8f;

    // Long enough to see a position rather than the beating of two sources.
    private const double PositionSeconds = 0.2;

    // The spectrogram is scaled to a largest component of 1, so these lie 200 dB below anything; they only keep 0/0 away.
    private const float TinyPower = 1e-20f;
    private const float TinyMagnitude = 1e-10f;

    // The smallest normal float. A quieter spectrogram than this is silence.
    private const float SmallestPeak = 1.17549435e-38f;

    /// <summary>Builds the model.</summary>
    /// <returns>The bytes of an .onnx file (operator set 13): the same on every call and every machine.</returns>
    public static byte[] Build() => Build(SegmentFrames, SpectrogramFrames);

    /// <summary>Builds the model for another segment length.</summary>
    /// <param name="segmentFrames">The length of the waveform, in sample frames.</param>
    /// <param name="spectrogramFrames">The length of the spectrogram, in hops; at least 5, for its edges are mirrored.</param>
    internal static byte[] Build(int segmentFrames, int spectrogramFrames)
    {
        OnnxGraphWriter graph = new(ModelSource.BaselineName);
        graph.Metadata("sources", Sources);
        // Masks are ratios, so scaling the track to unit deviation would change nothing, and its mean would come back in every stem.
        graph.Metadata("normalization", "none");
        graph.Metadata("description", Description);

        OnnxValue waveform = graph.Input("waveform", 1, 2, segmentFrames);
        OnnxValue spectrogram = graph.Input("spectrogram", 1, 4, Bins, spectrogramFrames);

        // Squares of quiet input underflow and powers of loud input grow, so the masks are made from a scaled copy.
        graph.Section("scale");
        OnnxValue peak = graph.Max(graph.Maximum(spectrogram), -graph.Minimum(spectrogram));
        OnnxValue scaled = spectrogram / graph.Max(peak, graph.Scalar(SmallestPeak));

        // One magnitude for both channels: masks from it keep every source where it stands in the stereo picture.
        graph.Section("magnitude");
        OnnxValue power = graph.Sum(scaled * scaled, Channels);
        OnnxValue magnitude = graph.Sqrt(power);
        OnnxValue percussive = Percussive(magnitude);
        OnnxValue sustain = Sustain(magnitude, spectrogramFrames);

        graph.Section("drums");
        OnnxValue kickBand = LowPass(graph, KickCrossoverHertz);
        OnnxValue drumMask = kickBand * (1 - sustain) + (1 - kickBand) * percussive;
        OnnxValue pitched = 1 - drumMask;

        OnnxValue similarity = Similarity(scaled, power);
        // A loud neighbor in the center pulls the similarity of a wide sound up, so it counts with a power: 2 for bass, which
        // little disturbs, 6 for vocals, which share their band with all of the accompaniment.
        OnnxValue center = similarity * similarity;
        OnnxValue strictCenter = center * center * center;

        graph.Section("bass");
        OnnxValue bassBand = LowPass(graph, BassCutoffHertz) * center;
        OnnxValue bassMask = pitched * bassBand;

        // A voice moves in pitch and loudness, chords stay (the idea of two-stage separation: H. Tachibana, N. Ono, S. Sagayama,
        // TASLP 2014). The mask is smoothed, for lone bins that switch on and off are heard as chirping.
        graph.Section("vocals");
        OnnxValue accompaniment = AccompanimentShare * LowPass(graph, AccompanimentCutoffHertz) * sustain;
        OnnxValue voice = pitched * (1 - bassBand) * strictCenter * LowPass(graph, VocalCutoffHertz) * (1 - accompaniment);
        OnnxValue vocalMask = graph.MovingAverage(voice, 3, 3);

        OnnxValue stemSpectrogram = Stems(spectrogram, drumMask, bassMask, vocalMask);
        OnnxValue stemWaveform = graph.PadZeros(graph.Unsqueeze(waveform, 1), 0, 2, 0, 0, 0, 1, 0, 0);

        graph.Output("stem_spectrogram", stemSpectrogram, 1, 4, 4, Bins, spectrogramFrames);
        graph.Output("stem_waveform", stemWaveform, 1, 4, 2, segmentFrames);
        return graph.ToBytes("DemucsPS", Description);
    }

    /// <summary>
    /// Harmonic/percussive separation by median filtering (D. FitzGerald, DAFx 2010): a median along time removes strokes, one along
    /// frequency removes partials, and the Wiener-like ratio of their squares is the mask.
    /// </summary>
    private static OnnxValue Percussive(OnnxValue magnitude)
    {
        magnitude.Graph.Section("percussive");
        OnnxValue alongTime = Remedian(magnitude, Time, HarmonicSeconds * SampleRate / Hop);
        OnnxValue alongFrequency = Remedian(magnitude, Frequency, PercussiveHertz * TransformSize / SampleRate);
        OnnxValue harmonicPower = alongTime * alongTime;
        OnnxValue percussivePower = alongFrequency * alongFrequency;
        return percussivePower / (harmonicPower + percussivePower + TinyPower);
    }

    /// <summary>
    /// At the bottom a kick is as narrow as a bass note, so frequency says nothing. Time does: around a sustained sound the median over
    /// half a second is as large as the magnitude, around a kick it is what the bass would be without it.
    /// </summary>
    private static OnnxValue Sustain(OnnxValue magnitude, int frames)
    {
        OnnxGraphWriter graph = magnitude.Graph;
        graph.Section("sustain");
        int bins = (int)Math.Round(SustainLimitHertz * TransformSize / SampleRate);
        OnnxValue low = graph.Slice(magnitude, Frequency, 0, bins);
        OnnxValue sustained = MedianAlongTime(low, OddLength(SustainSeconds * SampleRate / Hop), frames);
        OnnxValue ratio = graph.Min(sustained / (low + TinyMagnitude), graph.Scalar(1));
        return graph.PadZeros(ratio * ratio, 0, 0, 0, 0, 0, 0, Bins - bins, 0);
    }

    /// <summary>
    /// Similarity of the channels (C. Avendano, WASPAA 2003): 1 where both hold the same, 0 for a sound in one channel only or out of
    /// phase. In a mono file everything is in the center and the other cues decide.
    /// </summary>
    private static OnnxValue Similarity(OnnxValue scaled, OnnxValue power)
    {
        OnnxGraphWriter graph = scaled.Graph;
        graph.Section("center");
        (OnnxValue left, OnnxValue right) = graph.Halves(scaled, Channels);
        int positionFrames = OddLength(PositionSeconds * SampleRate / Hop);
        OnnxValue common = graph.MovingAverage(2 * graph.Sum(left * right, Channels), 1, positionFrames);
        OnnxValue total = graph.MovingAverage(power, 1, positionFrames);
        return graph.Max(common / (total + TinyPower), graph.Scalar(0));
    }

    /// <summary>
    /// Masks apply to the spectrogram as it came. Bass and vocals are taken from the middle of the channels, which leaves the wide part of
    /// what sounds with them behind.
    /// </summary>
    private static OnnxValue Stems(OnnxValue spectrogram, OnnxValue drumMask, OnnxValue bassMask, OnnxValue vocalMask)
    {
        OnnxGraphWriter graph = spectrogram.Graph;
        graph.Section("stems");
        OnnxValue drums = drumMask * spectrogram;
        (OnnxValue left, OnnxValue right) = graph.Halves(spectrogram, Channels);
        OnnxValue middle = 0.5f * (left + right);
        OnnxValue bothMiddle = graph.Concat(Channels, middle, middle);
        OnnxValue bass = bassMask * bothMiddle;
        OnnxValue vocals = vocalMask * bothMiddle;
        // The rest is the mix itself in the time branch less the others in the frequency branch. So the stems sum to the mix to
        // rounding, also where the spectrogram does not hold all of it: at the segment's ends and at the Nyquist frequency.
        OnnxValue other = -(drums + bass + vocals);
        OnnxValue[] stems = [drums, bass, other, vocals];
        return graph.Concat(1, [.. stems.Select(stem => graph.Unsqueeze(stem, 1))]);
    }

    /// <summary>
    /// An approximate running median over the power of three nearest to <paramref name="length"/>: medians of three, of medians of
    /// three, of … (the remedian: P. Rousseeuw, G. Bassett, JASA 1990). ONNX has no median, and a stage of this is four cheap nodes.
    /// </summary>
    private static OnnxValue Remedian(OnnxValue value, int axis, double length)
    {
        OnnxGraphWriter graph = value.Graph;
        int span = 1;
        while (span * 3 / length < length / span)
            span *= 3;

        long[] counts = new long[8];
        counts[axis] = counts[axis + 4] = span / 2;
        OnnxValue median = graph.PadMirrored(value, counts);
        for (int step = 1; step < span; step *= 3)
        {
            // Ends count from the end, so the length of the axis is not needed.
            OnnxValue before = graph.Slice(median, axis, 0, -2 * step);
            OnnxValue here = graph.Slice(median, axis, step, -step);
            OnnxValue after = graph.Slice(median, axis, 2 * step, int.MaxValue);
            median = graph.Max(graph.Min(before, here), graph.Min(graph.Max(before, here), after));
        }
        return median;
    }

    /// <summary>
    /// The exact running median along time over an odd number of frames. Beyond the segment the frames are mirrored: were the
    /// edge repeated, a stroke there would look sustained.
    /// </summary>
    private static OnnxValue MedianAlongTime(OnnxValue value, int length, int frames)
    {
        OnnxGraphWriter graph = value.Graph;
        long[] window = new long[frames * length];
        for (int frame = 0; frame < frames; frame++)
            for (int i = 0; i < length; i++)
                window[frame * length + i] = Mirrored(frame + i - length / 2, frames);
        OnnxValue windows = graph.Gather(value, graph.Constant(window, [frames, length]), Time);
        return graph.Minimum(graph.Largest(windows, length / 2 + 1), Time + 1);
    }

    /// <summary>The index that <paramref name="index"/> has in a row of frames continued by its mirror image on both sides.</summary>
    private static int Mirrored(int index, int frames)
    {
        if (frames == 1)
            return 0;
        int period = 2 * (frames - 1);
        int phase = Math.Abs(index) % period;
        return Math.Min(phase, period - phase);
    }

    /// <summary>
    /// The power response of a second-order Butterworth low-pass for every bin, [1,1,bins,1]. Only products and quotients, which
    /// every machine rounds alike, so that the file's bytes are the same everywhere.
    /// </summary>
    private static OnnxValue LowPass(OnnxGraphWriter graph, double cutoffHertz)
    {
        float[] response = new float[Bins];
        for (int bin = 0; bin < Bins; bin++)
        {
            double ratio = bin * SampleRate / TransformSize / cutoffHertz;
            response[bin] = (float)(1 / (1 + ratio * ratio * ratio * ratio));
        }
        return graph.Constant(response, [1, 1, Bins, 1]);
    }

    /// <summary>The odd number that is nearest, for a window with a center.</summary>
    private static int OddLength(double length) => 2 * (int)(length / 2) + 1;
}
