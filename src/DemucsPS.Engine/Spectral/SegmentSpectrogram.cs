using System.Numerics;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Spectral;

/// <summary>
/// The spectrogram that Demucs models take and give, for segments of one length: 4096-point frames every 1024 samples under a periodic
/// Hann window, scaled by 1/√4096, reflected at both ends, without the Nyquist bin. The tensor of a stereo segment is
/// [left real, left imaginary, right real, right imaginary][2048 bins][T frames], T = ⌈segment/1024⌉, in C order.
/// </summary>
/// <remarks>
/// Source of the formulas: <c>HTDemucs._spec</c>, <c>_ispec</c> and <c>demucs.spec</c> of facebookresearch/demucs. The official code reflects the
/// segment by 1,536 (and what is missing to a whole frame) and drops the two outer frames of a centred transform; the frames that stay
/// start at sample 1024·t − 1,536 of the segment. Going back, all four frames that overlap a kept sample exist (the official code adds
/// two zero frames a side), so the window-square sum is the constant 3/2. Samples before 1,536 and after 1024·T − 1,536 would need frames that were
/// dropped, so a round trip returns them attenuated, here as there.
/// Not thread-safe: an instance owns its scratch; make one a thread. No call allocates.
/// </remarks>
public sealed class SegmentSpectrogram
{
    /// <summary>Samples in a frame (n_fft).</summary>
    public const int FrameSize = 4096;

    /// <summary>Samples from one frame to the next.</summary>
    public const int Hop = 1024;

    /// <summary>Frequency bins kept: 0 … 2047, bin k at k·sr/4096 Hz.</summary>
    public const int Bins = FrameSize / 2;

    /// <summary>Planes of the stereo tensor: real and imaginary parts of both channels.</summary>
    public const int Planes = 4;

    /// <summary>Samples at a segment's start, and before sample 1024·T at its end, that a round trip gives back attenuated; also what the first frame is reflected by.</summary>
    internal const int EdgeFrames = Hop / 2 * 3;

    private readonly float[] _analysisWindow;
    private readonly float[] _synthesisWindow;
    private readonly LaneFft _fft = new(FrameSize);
    private readonly Vector<float>[] _re = new Vector<float>[Bins];
    private readonly Vector<float>[] _im = new Vector<float>[Bins];
    private readonly float[] _padded;

    /// <summary>Prepares spectrograms of segments of one length.</summary>
    /// <param name="segmentFrames">Segment length in sample frames; at least 4,096. htdemucs: 343,980.</param>
    /// <exception cref="ArgumentOutOfRangeException">The segment is too short to be reflected.</exception>
    public SegmentSpectrogram(int segmentFrames)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(segmentFrames, FrameSize);
        SegmentFrames = segmentFrames;
        Frames = FrameCount(segmentFrames);
        _padded = new float[(Frames - 1) * Hop + FrameSize];
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
    internal void ForwardChannel(ReadOnlySpan<float> samples, Span<float> planes)
    {
        Span<float> outRe = planes[..(Bins * Frames)], outIm = planes[(Bins * Frames)..];
        Reflect(samples);
        Span<float> re = MemoryMarshal.Cast<Vector<float>, float>(_re.AsSpan());
        Span<float> im = MemoryMarshal.Cast<Vector<float>, float>(_im.AsSpan());
        int lanes = Vector<float>.Count;
        for (int first = 0; first < Frames; first += lanes)
        {
            // Lanes beyond the last frame keep old values; they are computed along and never read.
            int count = Math.Min(lanes, Frames - first);
            for (int lane = 0; lane < count; lane++)
            {
                ReadOnlySpan<float> frame = _padded.AsSpan((first + lane) * Hop, FrameSize);
                for (int n = 0, at = lane; n < FrameSize; n += 2, at += lanes)
                {
                    re[at] = frame[n] * _analysisWindow[n];
                    im[at] = frame[n + 1] * _analysisWindow[n + 1];
                }
            }
            _fft.Forward(_re, _im);
            for (int bin = 0; bin < Bins; bin++)
            {
                re.Slice(bin * lanes, count).CopyTo(outRe[(bin * Frames + first)..]);
                im.Slice(bin * lanes, count).CopyTo(outIm[(bin * Frames + first)..]);
            }
        }
    }

    /// <summary>One channel of <see cref="AddInverse"/>.</summary>
    /// <param name="planes">The channel's half of the tensor: real, then imaginary parts.</param>
    /// <param name="samples"><see cref="SegmentFrames"/> samples: weight·inverse is added.</param>
    /// <param name="weight">Factor of what is added.</param>
    internal void AddInverseChannel(ReadOnlySpan<float> planes, Span<float> samples, float weight = 1)
    {
        ReadOnlySpan<float> inRe = planes[..(Bins * Frames)], inIm = planes[(Bins * Frames)..];
        Array.Clear(_padded);
        Span<float> re = MemoryMarshal.Cast<Vector<float>, float>(_re.AsSpan());
        Span<float> im = MemoryMarshal.Cast<Vector<float>, float>(_im.AsSpan());
        int lanes = Vector<float>.Count;
        for (int first = 0; first < Frames; first += lanes)
        {
            // Lanes beyond the last frame keep old values; they are computed along and never read.
            int count = Math.Min(lanes, Frames - first);
            for (int bin = 0; bin < Bins; bin++)
            {
                inRe.Slice(bin * Frames + first, count).CopyTo(re[(bin * lanes)..]);
                inIm.Slice(bin * Frames + first, count).CopyTo(im[(bin * lanes)..]);
            }
            _fft.Inverse(_re, _im);
            for (int lane = 0; lane < count; lane++)
            {
                Span<float> frame = _padded.AsSpan((first + lane) * Hop, FrameSize);
                for (int n = 0, at = lane; n < FrameSize; n += 2, at += lanes)
                {
                    frame[n] += re[at] * _synthesisWindow[n];
                    frame[n + 1] += im[at] * _synthesisWindow[n + 1];
                }
            }
        }
        ReadOnlySpan<float> kept = _padded.AsSpan(EdgeFrames, SegmentFrames);
        for (int i = 0; i < samples.Length; i++)
            samples[i] += weight * kept[i];
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
}
