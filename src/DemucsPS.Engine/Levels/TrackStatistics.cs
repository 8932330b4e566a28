using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Levels;

/// <summary>
/// What the first pass over a track finds. Mean and deviation are those of r = (left + right)/2 over the whole track, the deviation with N
/// − 1, in double: Demucs normalizes the mix by them before anything else (<c>demucs.separate</c>).
/// </summary>
/// <param name="Frames">Length of the track in frames at the rate of the separation.</param>
/// <param name="Mean">μ.</param>
/// <param name="Deviation">σ; 0 for a track of a single frame.</param>
/// <param name="Peak">Greatest absolute sample of both channels.</param>
internal readonly record struct TrackStatistics(long Frames, double Mean, double Deviation, float Peak)
{
    private const int BlockFrames = 32768;

    /// <summary>Length of the track in frames at its source's own rate.</summary>
    public long SourceFrames { get; init; } = Frames;

    /// <summary>The parts whose sound the file has lost.</summary>
    public IReadOnlyList<TrackGap> Gaps { get; init; } = [];

    /// <summary>Reads a source to its end.</summary>
    /// <param name="source">The track, at its start.</param>
    /// <param name="path">Its file, for messages.</param>
    /// <param name="read">Receives the number of frames read so far, after each block.</param>
    /// <param name="cancellationToken">Ends the pass.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: no frames, or a sample that is not a finite
    /// number.</exception>
    public static TrackStatistics Measure(
        IStereoSource source,
        string path,
        Action<long>? read = null,
        CancellationToken cancellationToken = default
    )
    {
        float[] left = new float[BlockFrames],
            right = new float[BlockFrames];
        long frames = 0;
        double mean = 0,
            squares = 0;
        float peak = 0;
        for (int count; (count = source.Read(left, right)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            double sum = 0;
            float blockPeak = 0;
            for (int i = 0; i < count; i++)
            {
                sum += (double)left[i] + right[i];
                blockPeak = Math.Max(blockPeak, Math.Max(Math.Abs(left[i]), Math.Abs(right[i])));
            }
            // Math.Max and sums carry NaN along, so one look a block finds any sample that is not a number.
            if (!float.IsFinite(blockPeak) || !double.IsFinite(sum))
                throw NotFinite(left.AsSpan(0, count), right.AsSpan(0, count), frames, path);
            peak = Math.Max(peak, blockPeak);

            // Blocks are joined by the update of Chan, Golub and LeVeque (1979), which keeps its precision over hours.
            double blockMean = sum / 2 / count,
                blockSquares = 0;
            for (int i = 0; i < count; i++)
            {
                double d = ((double)left[i] + right[i]) / 2 - blockMean;
                blockSquares += d * d;
            }
            double delta = blockMean - mean;
            long total = frames + count;
            squares += blockSquares + delta * delta * ((double)frames * count / total);
            mean += delta * count / total;
            frames = total;
            read?.Invoke(frames);
        }
        if (frames == 0)
            throw new DemucsException(
                DemucsError.AudioTrackCorrupt,
                $"'{path}' contains no audio frames. Check that the file is complete.",
                path
            );
        return new TrackStatistics(frames, mean, frames > 1 ? Math.Sqrt(squares / (frames - 1)) : 0, peak);
    }

    private static DemucsException NotFinite(ReadOnlySpan<float> left, ReadOnlySpan<float> right, long before, string path)
    {
        int i = 0;
        while (float.IsFinite(left[i]) && float.IsFinite(right[i]))
            i++;
        return new DemucsException(
            DemucsError.AudioTrackCorrupt,
            $"'{path}' has samples that are NaN or infinite, the first at frame {before + i}. Repair the file, or export it again.",
            path
        );
    }
}
