using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Makes the final file of a staged stem: level, rate, encoding. The one step between the floats of the separation and what users get; equal input gives equal bytes, so it
/// can be repeated after an interruption.
/// </summary>
/// <param name="format">How stems are written.</param>
internal sealed class StemFinisher(StemFormat format)
{
    private const float ClampLimit = 0.99f;

    private readonly float[] _block = new float[32768];

    /// <summary>The factor for all stems of a set, so that none clips and they still sum to the mix at that level; 1 for none.</summary>
    /// <param name="peak">Greatest absolute sample of all stems.</param>
    public float GainFor(float peak) => format.ClipInEffect == ClipMode.Rescale ? 1 / Math.Max(1.01f * peak, 1) : 1;

    /// <summary>Finishes one stem. When this returns, the disk has the file.</summary>
    /// <param name="staged">Full path of the <see cref="StagedStem"/>.</param>
    /// <param name="target">Full path of the file to make: a temporary name, which must not exist.</param>
    /// <param name="number">The stem's number in its set: each gets a dither of its own, or the noises would add up instead of averaging where stems are summed.</param>
    /// <param name="gain">A factor for every sample.</param>
    /// <param name="cancellationToken">Ends the work; the target is left as it is then.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public FinishedStem Finish(string staged, string target, int number, float gain, CancellationToken cancellationToken)
    {
        double squares = 0;
        long samples = 0, clipped = 0;
        // Floats are not dithered, which the writer knows.
        using (WavWriter writer = WavWriter.Create(target, Separator.SampleRate, 2, format.Sample, format.Dither ? number : null))
        using (StagedStemReader reader = new(staged))
        {
            for (int frames; (frames = reader.Read(_block)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Span<float> block = _block.AsSpan(0, 2 * frames);
                foreach (float sample in block)
                    squares += (double)sample * sample;
                samples += block.Length;
                if (format.ClipInEffect == ClipMode.Clamp)
                    clipped += Clamp(block);
                writer.Write(block, gain);
            }
            writer.Complete();
            clipped += writer.ClippedSamples;
        }
        try
        {
            return new FinishedStem(new FileInfo(target).Length, DurableFiles.Hash(target, cancellationToken), samples > 0 ? Math.Sqrt(squares / samples) : 0, clipped);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DurableFiles.Failed(target, e);
        }
    }

    private static long Clamp(Span<float> samples)
    {
        long clamped = 0;
        foreach (ref float sample in samples)
        {
            if (Math.Abs(sample) > ClampLimit)
                clamped++;
            sample = Math.Clamp(sample, -ClampLimit, ClampLimit);
        }
        return clamped;
    }
}
