using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Stems;

/// <summary>
/// Makes a final file of one or several staged stems: rate, channels, level, encoding, labels. The one step between the floats of the
/// separation and what users get; equal input gives equal bytes, so it can be repeated after an interruption. Thread-safe.
/// </summary>
/// <param name="format">How stems are written.</param>
/// <param name="shape">Rate, length and channels of the files; of a file with all stems, of each stem in it.</param>
internal sealed class StemFinisher(StemFormat format, StemShape shape)
{
    private const float ClampLimit = 0.99f;

    private const int BlockSamples = 32768;

    /// <summary>The factor for all stems of a set, so that none clips and they still sum to the mix at that level; 1 for none.</summary>
    /// <param name="peak">Greatest absolute sample of all stems.</param>
    public float GainFor(float peak) => format.ClipInEffect == ClipMode.Rescale ? 1 / Math.Max(1.01f * peak, 1) : 1;

    /// <summary>
    /// Whether the peaks that <see cref="GainFor"/> needs are others than those of the staged stems: another rate has other samples, which
    /// can lie higher between those there were.
    /// </summary>
    public bool NeedsPeaks =>
        format.ClipInEffect == ClipMode.Rescale && (shape.SampleRate != DemucsAudio.SampleRate || shape.Channels != 2);

    /// <summary>The greatest absolute sample of a stem as its file will have it, before any gain.</summary>
    /// <param name="staged">Full path of the <see cref="StemSampleFile"/>.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it cannot be read.</exception>
    public float PeakOf(string staged, CancellationToken cancellationToken)
    {
        using ConvertedStemReader stem = new(staged, shape);
        float[] block = new float[BlockSamples];
        float peak = 0;
        for (int count; (count = stem.Read(block)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            peak = Math.Max(peak, SamplePeak.Of(block.AsSpan(0, shape.Channels * count)));
        }
        return peak;
    }

    /// <summary>Finishes one file. When this returns, the disk has it.</summary>
    /// <param name="staged">Full paths of the <see cref="StemSampleFile"/>s in it, which are equally long; their channels come one after
    /// another.</param>
    /// <param name="names">Their names.</param>
    /// <param name="target">Full path of the file to make: a temporary name, which must not exist.</param>
    /// <param name="number">The file's number in its set: each gets its own dither, or the noises would add up instead of averaging where
    /// stems are summed.</param>
    /// <param name="labels">What the file says about the music.</param>
    /// <param name="gain">A factor for every sample.</param>
    /// <param name="cancellationToken">Ends the work; the target then stays unchanged.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.FFmpegNotFound"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public StemFileRecord Finish(
        IReadOnlyList<string> staged,
        IReadOnlyList<string> names,
        string target,
        int number,
        StemLabels labels,
        float gain,
        CancellationToken cancellationToken
    )
    {
        float peak;
        double rms;
        long clipped;
        ConvertedStemReader[] stems = new ConvertedStemReader[staged.Count];
        try
        {
            // Floats are not dithered, which the encoders know.
            using IStemEncoder encoder = StemEncoder.Create(
                format,
                target,
                shape.SampleRate,
                shape.Channels,
                format.Dither ? number : null,
                labels,
                names,
                cancellationToken
            );
            for (int n = 0; n < stems.Length; n++)
                stems[n] = new ConvertedStemReader(staged[n], shape);
            (peak, rms, clipped) = Encode(stems, encoder, gain, cancellationToken);
            encoder.Complete();
            clipped += encoder.ClippedSamples;
        }
        finally
        {
            foreach (ConvertedStemReader? stem in stems)
                stem?.Dispose();
        }
        try
        {
            return new StemFileRecord(new FileInfo(target).Length, DurableFiles.Hash(target, cancellationToken), peak, rms, clipped);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(target, e);
        }
    }

    private (float Peak, double Rms, long Clipped) Encode(
        ConvertedStemReader[] stems,
        IStemEncoder encoder,
        float gain,
        CancellationToken cancellationToken
    )
    {
        double squares = 0;
        float peak = 0;
        long samples = 0,
            clipped = 0;
        float[] one = new float[BlockSamples],
            frames = stems.Length == 1 ? one : new float[stems.Length * BlockSamples];
        for (int count; (count = stems is [ConvertedStemReader only] ? only.Read(one) : ReadSideBySide(stems, one, frames)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Span<float> block = frames.AsSpan(0, shape.Channels * stems.Length * count);
            peak = Math.Max(peak, SamplePeak.Of(block));
            squares += SampleSquares.Sum(block);
            samples += block.Length;
            if (format.ClipInEffect == ClipMode.Clamp)
                clipped += Clamp(block);
            encoder.Write(block, gain);
        }
        return (peak, samples > 0 ? Math.Sqrt(squares / samples) : 0, clipped);
    }

    /// <summary>The next frames of stems, which are equally long, side by side.</summary>
    private int ReadSideBySide(ConvertedStemReader[] stems, float[] one, float[] frames)
    {
        int channels = shape.Channels,
            across = channels * stems.Length,
            count = 0;
        for (int n = 0; n < stems.Length; n++)
        {
            count = stems[n].Read(one);
            for (int i = 0; i < count; i++)
                one.AsSpan(channels * i, channels).CopyTo(frames.AsSpan(across * i + channels * n));
        }
        return count;
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
