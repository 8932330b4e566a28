using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Pictures;

/// <summary>The spectra of samples in memory.</summary>
/// <param name="left">Left channel at 44,100 Hz.</param>
/// <param name="right">Right channel, as long.</param>
/// <param name="start">Where they begin in their track, in seconds.</param>
internal sealed class MemorySpectra(ReadOnlyMemory<float> left, ReadOnlyMemory<float> right, double start = 0) : SampledSpectra
{
    /// <inheritdoc/>
    public override double Start => start;

    /// <inheritdoc/>
    protected override int Rate => DemucsAudio.SampleRate;

    /// <inheritdoc/>
    protected override long Frames => left.Length;

    /// <inheritdoc/>
    protected override IDisposable? OpenAt(long frame, CancellationToken cancellationToken, out IStereoSource source)
    {
        source = new Reader(left[(int)frame..], right[(int)frame..]);
        return null;
    }

    private sealed class Reader(ReadOnlyMemory<float> left, ReadOnlyMemory<float> right) : IStereoSource
    {
        private int _read;

        public int Read(Span<float> intoLeft, Span<float> intoRight)
        {
            int count = Math.Min(intoLeft.Length, left.Length - _read);
            left.Span.Slice(_read, count).CopyTo(intoLeft);
            right.Span.Slice(_read, count).CopyTo(intoRight);
            _read += count;
            return count;
        }
    }
}
