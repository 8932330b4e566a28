using System.Numerics;

namespace DemucsPS.Engine.Player;

/// <summary>
/// The waveform of a track: least and greatest sample of each bucket of frames, over both channels. Constant memory: when there are too
/// many buckets, two become one. Coarser ones for the whole view can be made of these.
/// </summary>
internal sealed class WavePeaks
{
    /// <summary>Most buckets; at least half as many are left of a track that has them.</summary>
    public const int MaxBuckets = 1 << 16;

    private const int LeastFrames = 256;

    private readonly float[] _least = new float[MaxBuckets],
        _greatest = new float[MaxBuckets];
    private int _buckets;
    private int _inBucket;

    /// <summary>Frames of a bucket.</summary>
    public int BucketFrames { get; private set; } = LeastFrames;

    /// <summary>Greatest absolute sample.</summary>
    public float Peak { get; private set; }

    /// <summary>Buckets so far, the last of which may be short.</summary>
    public int Buckets => _inBucket > 0 ? _buckets + 1 : _buckets;

    /// <summary>Takes the next frames.</summary>
    public void Add(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        while (!left.IsEmpty)
        {
            if (_buckets == MaxBuckets)
                Halve();
            int frames = Math.Min(BucketFrames - _inBucket, left.Length);
            (float least, float greatest) =
                _inBucket == 0 ? (float.PositiveInfinity, float.NegativeInfinity) : (_least[_buckets], _greatest[_buckets]);
            foreach ((float low, float high) in (ReadOnlySpan<(float, float)>)[Extremes(left[..frames]), Extremes(right[..frames])])
                (least, greatest) = (Math.Min(least, low), Math.Max(greatest, high));
            (_least[_buckets], _greatest[_buckets]) = (least, greatest);
            Peak = Math.Max(Peak, Math.Max(Math.Abs(least), Math.Abs(greatest)));
            _inBucket += frames;
            if (_inBucket == BucketFrames)
            {
                _buckets++;
                _inBucket = 0;
            }
            left = left[frames..];
            right = right[frames..];
        }
    }

    /// <summary>
    /// All buckets: two signed bytes each, least and greatest, in steps of 1/127 of full scale, rounded away from zero so that no sound
    /// looks like silence.
    /// </summary>
    public byte[] ToBytes()
    {
        byte[] bytes = new byte[2 * Buckets];
        for (int i = 0; i < Buckets; i++)
        {
            bytes[2 * i] = (byte)(sbyte)Math.Clamp(Math.Floor(_least[i] * 127), -127, 127);
            bytes[2 * i + 1] = (byte)(sbyte)Math.Clamp(Math.Ceiling(_greatest[i] * 127), -127, 127);
        }
        return bytes;
    }

    private static (float Least, float Greatest) Extremes(ReadOnlySpan<float> samples)
    {
        Vector<float> least = new(float.PositiveInfinity),
            greatest = new(float.NegativeInfinity);
        int i = 0;
        for (; i <= samples.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> some = new(samples[i..]);
            least = Vector.Min(least, some);
            greatest = Vector.Max(greatest, some);
        }
        (float low, float high) = (float.PositiveInfinity, float.NegativeInfinity);
        for (int lane = 0; lane < Vector<float>.Count; lane++)
            (low, high) = (Math.Min(low, least[lane]), Math.Max(high, greatest[lane]));
        for (; i < samples.Length; i++)
            (low, high) = (Math.Min(low, samples[i]), Math.Max(high, samples[i]));
        return (low, high);
    }

    private void Halve()
    {
        for (int i = 0; i < MaxBuckets / 2; i++)
        {
            _least[i] = MathF.Min(_least[2 * i], _least[2 * i + 1]);
            _greatest[i] = MathF.Max(_greatest[2 * i], _greatest[2 * i + 1]);
        }
        _buckets = MaxBuckets / 2;
        BucketFrames *= 2;
    }
}
