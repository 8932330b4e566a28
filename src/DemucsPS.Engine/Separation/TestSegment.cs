namespace DemucsPS.Engine.Separation;

/// <summary>A segment of sound that every machine makes alike, by which models, providers and precisions are compared.</summary>
internal static class TestSegment
{
    /// <summary>
    /// Music-like sound of mean 0 and deviation 1, the same on every machine: a bass note, a chord with vibrato above it and decaying
    /// bursts of noise twice a second.
    /// </summary>
    public static (float[] Left, float[] Right) Create(int frames)
    {
        float[][] channels = [new float[frames], new float[frames]];
        uint noise = 1;
        for (int i = 0; i < frames; i++)
        {
            double t = (double)i / DemucsAudio.SampleRate,
                vibrato = 0.004 * Math.Sin(2 * Math.PI * 5 * t);
            double bass = Math.Sin(2 * Math.PI * 55 * t) + 0.5 * Math.Sin(2 * Math.PI * 110 * t);
            double voice = 0.0;
            for (int partial = 1; partial <= 6; partial++)
                voice += Math.Sin(2 * Math.PI * 330 * partial * (t + vibrato / 5)) / partial;
            double chord = Math.Sin(2 * Math.PI * 220 * t) + Math.Sin(2 * Math.PI * 277.2 * t);
            double stroke = Math.Exp(-30 * (t % 0.5));
            for (int channel = 0; channel < 2; channel++)
            {
                // Numerical Recipes' quick generator: noise needs no better one.
                noise = 1664525 * noise + 1013904223;
                double burst = stroke * (noise / 2147483648.0 - 1);
                channels[channel][i] = (float)(bass + 0.6 * voice + (channel == 0 ? 0.5 : 0.3) * chord + 1.5 * burst);
            }
        }
        double mean = channels.SelectMany(c => c).Average(x => (double)x);
        double deviation = Math.Sqrt(channels.SelectMany(c => c).Average(x => (x - mean) * (x - mean)));
        foreach (float[] channel in channels)
        {
            for (int i = 0; i < frames; i++)
                channel[i] = (float)((channel[i] - mean) / deviation);
        }
        return (channels[0], channels[1]);
    }

    /// <summary>
    /// Left and right of each stem of a segment; null, and what the matter is, if the model does not give finite values for it.
    /// </summary>
    /// <param name="bag">The models.</param>
    /// <param name="left">The left channel.</param>
    /// <param name="right">The right channel.</param>
    /// <param name="place">Its place among the segments that the models compute at once.</param>
    /// <param name="failure">What the matter is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static float[][]? Separate(
        ModelBag bag,
        float[] left,
        float[] right,
        int place,
        out string? failure,
        CancellationToken cancellationToken
    )
    {
        using ModelSlots slots = new(1, bag.Contract, bag.BatchSize);
        ChunkWorker worker = new(
            bag,
            [.. Enumerable.Range(0, bag.Contract.Stems.Count)],
            new ChannelTransforms(bag.Contract.SegmentFrames),
            slots
        );
        worker.Enter(new ChunkBatch(bag, slots, ChunkWorker.Allocate(bag), members: 1), place);
        left.CopyTo(worker.InputLeft);
        right.CopyTo(worker.InputRight);
        try
        {
            worker.Separate(cancellationToken);
        }
        catch (DemucsException e) when (e.Error == DemucsError.DemucsModelInvalid)
        {
            failure = e.Message;
            return null;
        }
        failure = null;
        return
        [
            .. Enumerable.Range(0, bag.Contract.Stems.Count).SelectMany(n => new[] { worker.Left(n).ToArray(), worker.Right(n).ToArray() }),
        ];
    }

    /// <summary>
    /// The ratio of signal to difference over all stems and both channels, in dB: how well one session's stems agree with another's.
    /// </summary>
    /// <param name="expected">Left and right of each stem.</param>
    /// <param name="actual">The same of the other session.</param>
    public static double Agreement(float[][] expected, float[][] actual)
    {
        double signal = 0,
            difference = 0;
        for (int channel = 0; channel < expected.Length; channel++)
        {
            for (int i = 0; i < expected[channel].Length; i++)
            {
                double error = (double)expected[channel][i] - actual[channel][i];
                signal += (double)expected[channel][i] * expected[channel][i];
                difference += error * error;
            }
        }
        return difference == 0 ? double.PositiveInfinity : 10 * Math.Log10(signal / difference);
    }
}
