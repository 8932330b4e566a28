using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Spectral;

/// <summary>
/// The spectrogram that Demucs models take and give, for segments of one length: 4096-point frames every 1024 samples under a periodic
/// Hann window, scaled by 1/√4096, reflected at both ends, without the Nyquist bin. The tensor of a stereo segment is
/// [left real, left imaginary, right real, right imaginary][2048 bins][T frames], T = ⌈segment/1024⌉, in C order.
/// </summary>
/// <remarks>
/// Source of the formulas: <c>HTDemucs._spec</c>, <c>_ispec</c> and <c>demucs.spec</c> of facebookresearch/demucs. The official code
/// reflects the segment by 1,536 (and what is missing to a whole frame) and drops the two outer frames of a centered transform; the frames
/// that stay start at sample 1024·t − 1,536 of the segment. Going back, all four frames that overlap a kept sample exist (the official code
/// adds two zero frames a side), so the window-square sum is the constant 3/2. Samples before 1,536 and after 1024·T − 1,536 would need
/// frames that were dropped, so a round trip returns them attenuated, here as there. Not thread-safe: an instance owns its scratch; make
/// one a thread. No call allocates.
/// </remarks>
internal sealed class SegmentSpectrogram
{
    /// <summary>Samples in a frame (n_fft).</summary>
    public const int FrameSize = 4096;

    /// <summary>Samples from one frame to the next.</summary>
    public const int Hop = 1024;

    /// <summary>Frequency bins kept: 0 … 2047, bin k at k·sr/4096 Hz.</summary>
    public const int Bins = FrameSize / 2;

    /// <summary>Planes of the stereo tensor: real and imaginary parts of both channels.</summary>
    public const int Planes = 4;

    /// <summary>
    /// Samples at a segment's start, and before sample 1024·T at its end, that a round trip gives back attenuated; also what the first
    /// frame is reflected by.
    /// </summary>
    internal const int EdgeFrames = Hop / 2 * 3;

    private static readonly int s_framesAtOnce = LaneFft.MaxGroups * Vector<float>.Count;

    // Those of as many frames, and one more: with rows of 20 floats, samples that are far apart do not fall on the same few lines of the
    // cache.
    private static readonly int s_hopsAtOnce = s_framesAtOnce + FrameSize / Hop;

    private readonly float[] _analysisWindow;
    private readonly float[] _synthesisWindow;
    private readonly LaneFft _fft = new(FrameSize);
    private readonly float[] _padded;

    // Some hops of the padded segment, turned: sample n of the t-th frame is in column t + n / Hop of row n % Hop, so one sample of
    // successive frames is a vector.
    private readonly float[] _turned = new float[Hop * s_hopsAtOnce];
    private readonly int _hops;

    /// <summary>Prepares spectrograms of segments of one length.</summary>
    /// <param name="segmentFrames">Segment length in sample frames; at least 4,096. htdemucs: 343,980.</param>
    /// <exception cref="ArgumentOutOfRangeException">The segment is too short to be reflected.</exception>
    public SegmentSpectrogram(int segmentFrames)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(segmentFrames, FrameSize);
        SegmentFrames = segmentFrames;
        Frames = FrameCount(segmentFrames);
        _hops = Frames - 1 + FrameSize / Hop;
        _padded = new float[_hops * Hop];
        _analysisWindow = new float[FrameSize];
        _synthesisWindow = new float[FrameSize];
        double scale = Math.Sqrt(FrameSize);
        for (int n = 0; n < FrameSize; n++)
        {
            double hann = 0.5 - 0.5 * Math.Cos(2 * Math.PI * n / FrameSize);
            _analysisWindow[n] = (float)(hann / scale);
            // √4096 undoes the scaling, 1/4096 is the inverse transform's, 1/1.5 the sum of the squared windows.
            _synthesisWindow[n] = (float)(hann * scale / FrameSize / 1.5);
        }
    }

    /// <summary>Segment length in sample frames.</summary>
    public int SegmentFrames { get; }

    /// <summary>Spectrogram frames of a segment, T = ⌈segment/1024⌉.</summary>
    public int Frames { get; }

    /// <summary>Elements of the tensor of a stereo segment: 4·2048·T.</summary>
    public int TensorLength => Planes * Bins * Frames;

    /// <summary>Spectrogram frames of a segment of that many sample frames: ⌈segment/1024⌉.</summary>
    public static int FrameCount(int segmentFrames) => (segmentFrames + Hop - 1) / Hop;

    /// <summary>Computes the spectrogram of a stereo segment.</summary>
    /// <param name="left">Left channel, <see cref="SegmentFrames"/> samples.</param>
    /// <param name="right">Right channel, as many.</param>
    /// <param name="tensor">Receives <see cref="TensorLength"/> values.</param>
    public void Forward(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> tensor)
    {
        Check(left.Length, SegmentFrames, nameof(left));
        Check(right.Length, SegmentFrames, nameof(right));
        Check(tensor.Length, TensorLength, nameof(tensor));
        ForwardChannel(left, tensor[..(tensor.Length / 2)]);
        ForwardChannel(right, tensor[(tensor.Length / 2)..]);
    }

    /// <summary>Computes the stereo segment of a spectrogram (the inverse of <see cref="Forward"/>) and adds it, weighted.</summary>
    /// <param name="tensor"><see cref="TensorLength"/> values.</param>
    /// <param name="left">Left channel, <see cref="SegmentFrames"/> samples: weight·inverse is added.</param>
    /// <param name="right">Right channel, as many.</param>
    /// <param name="weight">Factor of what is added.</param>
    public void AddInverse(ReadOnlySpan<float> tensor, Span<float> left, Span<float> right, float weight = 1)
    {
        Check(left.Length, SegmentFrames, nameof(left));
        Check(right.Length, SegmentFrames, nameof(right));
        Check(tensor.Length, TensorLength, nameof(tensor));
        AddInverseChannel(tensor[..(tensor.Length / 2)], left, weight);
        AddInverseChannel(tensor[(tensor.Length / 2)..], right, weight);
    }

    /// <summary>One channel of <see cref="Forward"/>.</summary>
    /// <param name="samples"><see cref="SegmentFrames"/> samples.</param>
    /// <param name="planes">Receives the channel's half of the tensor: real, then imaginary parts.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void ForwardChannel(ReadOnlySpan<float> samples, Span<float> planes)
    {
        Reflect(samples);
        for (int first = 0; first < Frames; first += s_framesAtOnce)
        {
            int groups = first + Vector<float>.Count < Frames ? LaneFft.MaxGroups : 1;
            Turn(first);
            _fft.Forward(
                groups,
                new WindowedFrames(_turned, _analysisWindow),
                new TensorBins(planes[..(Bins * Frames)], planes[(Bins * Frames)..], Frames, first)
            );
        }
    }

    /// <summary>One channel of <see cref="AddInverse"/>.</summary>
    /// <param name="planes">The channel's half of the tensor: real, then imaginary parts.</param>
    /// <param name="samples"><see cref="SegmentFrames"/> samples: weight·inverse is added.</param>
    /// <param name="weight">Factor of what is added.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void AddInverseChannel(ReadOnlySpan<float> planes, Span<float> samples, float weight = 1)
    {
        Array.Clear(_padded);
        for (int first = 0; first < Frames; first += s_framesAtOnce)
        {
            int groups = first + Vector<float>.Count < Frames ? LaneFft.MaxGroups : 1;
            Array.Clear(_turned);
            _fft.Inverse(
                groups,
                new GivenBins(planes[..(Bins * Frames)], planes[(Bins * Frames)..], Frames, first),
                new AddedFrames(_turned, _synthesisWindow)
            );
            AddTurned(first);
        }
        ReadOnlySpan<float> kept = _padded.AsSpan(EdgeFrames, SegmentFrames);
        Vector<float> factor = new(weight);
        int at = 0;
        for (; at <= samples.Length - Vector<float>.Count; at += Vector<float>.Count)
            (new Vector<float>(samples[at..]) + factor * new Vector<float>(kept[at..])).CopyTo(samples[at..]);
        for (; at < samples.Length; at++)
            samples[at] += weight * kept[at];
    }

    /// <summary>Turns the hops from a frame's first one on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Turn(int firstHop)
    {
        int hops = Math.Min(s_hopsAtOnce, _hops - firstHop);
        ref float to = ref MemoryMarshal.GetArrayDataReference(_turned);
        for (int hop = 0; hop < hops; hop++)
        {
            ReadOnlySpan<float> from = _padded.AsSpan((firstHop + hop) * Hop, Hop);
            for (int n = 0; n < from.Length; n++)
                Unsafe.Add(ref to, n * s_hopsAtOnce + hop) = from[n];
        }
    }

    /// <summary>Adds turned hops where they belong.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddTurned(int firstHop)
    {
        int hops = Math.Min(s_hopsAtOnce, _hops - firstHop);
        ref float from = ref MemoryMarshal.GetArrayDataReference(_turned);
        for (int hop = 0; hop < hops; hop++)
        {
            Span<float> to = _padded.AsSpan((firstHop + hop) * Hop, Hop);
            for (int n = 0; n < to.Length; n++)
                to[n] += Unsafe.Add(ref from, n * s_hopsAtOnce + hop);
        }
    }

    private void Reflect(ReadOnlySpan<float> samples)
    {
        int last = samples.Length - 1;
        samples.CopyTo(_padded.AsSpan(EdgeFrames));
        for (int i = 1; i <= EdgeFrames; i++)
            _padded[EdgeFrames - i] = samples[i];
        int right = _padded.Length - EdgeFrames - samples.Length;
        for (int i = 1; i <= right; i++)
            _padded[EdgeFrames + last + i] = samples[last - i];
    }

    private static void Check(int actual, int expected, string name)
    {
        if (actual != expected)
            throw new ArgumentException($"Expected {expected} values, got {actual}.", name);
    }

    // References instead of spans below: they are asked for millions of elements, and slicing costs more than the arithmetic. Indices are
    // under 2,048 and groups under 2, as LaneFft promises; for those all rows, columns and planes are long enough.

    /// <summary>Samples of frames under the window. Lanes beyond the last frame are computed along and never stored.</summary>
    private readonly ref struct WindowedFrames(float[] turned, float[] window) : ILaneReader
    {
        private readonly ref float _turned = ref turned[0];
        private readonly ref float _window = ref window[0];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Load(int group, int index, out Vector<float> first, out Vector<float> second)
        {
            int n = 2 * index,
                at = n % Hop * s_hopsAtOnce + n / Hop + group * Vector<float>.Count;
            first = Vector.LoadUnsafe(ref _turned, (nuint)at) * new Vector<float>(Unsafe.Add(ref _window, n));
            second = Vector.LoadUnsafe(ref _turned, (nuint)(at + s_hopsAtOnce)) * new Vector<float>(Unsafe.Add(ref _window, n + 1));
        }
    }

    /// <summary>Adds frames under the window where they belong.</summary>
    private readonly ref struct AddedFrames(float[] turned, float[] window) : ILaneWriter
    {
        private readonly ref float _turned = ref turned[0];
        private readonly ref float _window = ref window[0];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(int group, int index, Vector<float> first, Vector<float> second)
        {
            int n = 2 * index,
                at = n % Hop * s_hopsAtOnce + n / Hop + group * Vector<float>.Count;
            ref float even = ref Unsafe.Add(ref _turned, at),
                odd = ref Unsafe.Add(ref _turned, at + s_hopsAtOnce);
            Vector
                .MultiplyAddEstimate(first, new Vector<float>(Unsafe.Add(ref _window, n)), Vector.LoadUnsafe(ref even))
                .StoreUnsafe(ref even);
            Vector
                .MultiplyAddEstimate(second, new Vector<float>(Unsafe.Add(ref _window, n + 1)), Vector.LoadUnsafe(ref odd))
                .StoreUnsafe(ref odd);
        }
    }

    /// <summary>Bins of a tensor's planes, from a frame on; lanes beyond the last frame are 0.</summary>
    private readonly ref struct GivenBins(ReadOnlySpan<float> re, ReadOnlySpan<float> im, int frames, int firstFrame) : ILaneReader
    {
        private readonly ref float _re = ref MemoryMarshal.GetReference(re);
        private readonly ref float _im = ref MemoryMarshal.GetReference(im);
        private readonly int _frames = frames;
        private readonly int _firstFrame = firstFrame;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Load(int group, int index, out Vector<float> first, out Vector<float> second)
        {
            int frame = _firstFrame + group * Vector<float>.Count,
                at = index * _frames + frame,
                count = _frames - frame;
            if (count >= Vector<float>.Count)
            {
                first = Vector.LoadUnsafe(ref _re, (nuint)at);
                second = Vector.LoadUnsafe(ref _im, (nuint)at);
            }
            else
            {
                first = LoadPart(ref Unsafe.Add(ref _re, at), count);
                second = LoadPart(ref Unsafe.Add(ref _im, at), count);
            }
        }

        private static Vector<float> LoadPart(ref float from, int count)
        {
            Span<float> part = stackalloc float[Vector<float>.Count];
            part.Clear();
            MemoryMarshal.CreateReadOnlySpan(ref from, count).CopyTo(part);
            return new Vector<float>(part);
        }
    }

    /// <summary>Puts bins into a tensor's planes, from a frame on.</summary>
    private readonly ref struct TensorBins(Span<float> re, Span<float> im, int frames, int firstFrame) : ILaneWriter
    {
        private readonly ref float _re = ref MemoryMarshal.GetReference(re);
        private readonly ref float _im = ref MemoryMarshal.GetReference(im);
        private readonly int _frames = frames;
        private readonly int _firstFrame = firstFrame;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(int group, int index, Vector<float> first, Vector<float> second)
        {
            int frame = _firstFrame + group * Vector<float>.Count,
                at = index * _frames + frame,
                count = _frames - frame;
            if (count >= Vector<float>.Count)
            {
                first.StoreUnsafe(ref _re, (nuint)at);
                second.StoreUnsafe(ref _im, (nuint)at);
            }
            else
            {
                StorePart(first, ref Unsafe.Add(ref _re, at), count);
                StorePart(second, ref Unsafe.Add(ref _im, at), count);
            }
        }

        private static void StorePart(Vector<float> values, ref float to, int count)
        {
            Span<float> part = stackalloc float[Vector<float>.Count];
            values.CopyTo(part);
            part[..count].CopyTo(MemoryMarshal.CreateSpan(ref to, count));
        }
    }
}
