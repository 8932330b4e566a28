using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Spectral;

/// <summary>
/// The power of successive frames of a stereo track in each frequency bin, under a periodic Hann window: the mean over both channels, 1 for
/// a sine at full scale in the middle of a bin in both.
/// </summary>
/// <remarks>
/// A sine of amplitude A in the middle of a bin gives |X| = A/2 · Σ window. Not thread-safe: an instance owns its scratch; make one a
/// thread. No call allocates.
/// </remarks>
internal sealed class FramePowers
{
    private readonly LaneFft _fft;
    private readonly float[] _window;
    private readonly float _scale;

    // Sample n of the frames of a channel is a vector; first the left channel's, then the right one's.
    private readonly float[] _turned;
    private readonly float[] _powers;

    /// <summary>Prepares for frames of one length.</summary>
    /// <param name="frameSize">Samples in a frame: a power of two, at least 4.</param>
    public FramePowers(int frameSize)
    {
        _fft = new LaneFft(frameSize);
        FrameSize = frameSize;
        _window = new float[frameSize];
        double sum = 0;
        for (int n = 0; n < frameSize; n++)
            sum += _window[n] = (float)(0.5 - 0.5 * Math.Cos(2 * Math.PI * n / frameSize));
        _scale = (float)(4 / (sum * sum) / 2);
        _turned = new float[2 * frameSize * FramesAtOnce];
        _powers = new float[Bins * FramesAtOnce];
    }

    /// <summary>Frames that one call takes at most.</summary>
    public static int FramesAtOnce { get; } = Vector<float>.Count;

    /// <summary>Samples in a frame.</summary>
    public int FrameSize { get; }

    /// <summary>
    /// Frequency bins: half the frame's samples. Bin k is centered on k·rate/<see cref="FrameSize"/>; the Nyquist bin is not kept.
    /// </summary>
    public int Bins => FrameSize / 2;

    /// <summary>Computes the powers of up to <see cref="FramesAtOnce"/> frames.</summary>
    /// <param name="left">Left channel: (count − 1)·hop + <see cref="FrameSize"/> samples.</param>
    /// <param name="right">Right channel, as many.</param>
    /// <param name="hop">Samples from one frame to the next.</param>
    /// <param name="count">Frames.</param>
    /// <returns>The power of bin k in frame t at k·<see cref="FramesAtOnce"/> + t. Overwritten by the next call.</returns>
    public ReadOnlySpan<float> Compute(ReadOnlySpan<float> left, ReadOnlySpan<float> right, int hop, int count)
    {
        Turn(left, hop, count, _turned.AsSpan(0, FrameSize * FramesAtOnce));
        Turn(right, hop, count, _turned.AsSpan(FrameSize * FramesAtOnce));
        Array.Clear(_powers);
        _fft.Forward(2, new WindowedFrames(_turned, _window), new AddedPowers(_powers, _scale));
        return _powers;
    }

    private static void Turn(ReadOnlySpan<float> samples, int hop, int count, Span<float> turned)
    {
        int lanes = FramesAtOnce;
        for (int t = 0; t < count; t++)
        {
            ReadOnlySpan<float> frame = samples.Slice(t * hop, turned.Length / lanes);
            for (int n = 0, at = t; n < frame.Length; n++, at += lanes)
                turned[at] = frame[n];
        }
    }

    /// <summary>Both channels are groups of frames. Lanes beyond the last frame keep old values, whose results are ignored.</summary>
    private readonly ref struct WindowedFrames(float[] turned, float[] window) : ILaneReader
    {
        private readonly ref float _turned = ref MemoryMarshal.GetArrayDataReference(turned);
        private readonly ref float _window = ref MemoryMarshal.GetArrayDataReference(window);
        private readonly int _size = window.Length;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Load(int group, int index, out Vector<float> first, out Vector<float> second)
        {
            int n = 2 * index,
                at = (group * _size + n) * Vector<float>.Count;
            first = Vector.LoadUnsafe(ref _turned, (nuint)at) * new Vector<float>(Unsafe.Add(ref _window, n));
            second = Vector.LoadUnsafe(ref _turned, (nuint)(at + Vector<float>.Count)) * new Vector<float>(Unsafe.Add(ref _window, n + 1));
        }
    }

    private readonly ref struct AddedPowers(float[] powers, float scale) : ILaneWriter
    {
        private readonly ref float _powers = ref MemoryMarshal.GetArrayDataReference(powers);
        private readonly Vector<float> _scale = new(scale);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(int group, int index, Vector<float> first, Vector<float> second)
        {
            ref float at = ref Unsafe.Add(ref _powers, index * Vector<float>.Count);
            (Vector.LoadUnsafe(ref at) + (first * first + second * second) * _scale).StoreUnsafe(ref at);
        }
    }
}
