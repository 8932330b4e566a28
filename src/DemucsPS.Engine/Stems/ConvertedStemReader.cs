using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Resampling;
using DemucsPS.Engine.Encoders;

namespace DemucsPS.Engine.Stems;

/// <summary>Reads a <see cref="StemSampleFile"/> in the rate, length and channels of its final file.</summary>
internal sealed class ConvertedStemReader : IDisposable
{
    private const int BlockFrames = 16384;

    private readonly StemSampleReader _file;
    private readonly IStereoSource? _source;
    private readonly int _channels;
    private readonly float[] _left = new float[BlockFrames];
    private readonly float[] _right = new float[BlockFrames];

    /// <param name="path">Full path of a staged stem that is whole.</param>
    /// <param name="shape">What to give.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it cannot be read.</exception>
    public ConvertedStemReader(string path, StemShape shape)
    {
        _file = new StemSampleReader(path);
        _channels = shape.Channels;
        // Most stems are used unchanged.
        if (shape.SampleRate == DemucsAudio.SampleRate && shape.Channels == 2)
            return;
        Planes planes = new(_file);
        _source =
            shape.SampleRate == DemucsAudio.SampleRate
                ? planes
                : new ResampledSource(planes, DemucsAudio.SampleRate, shape.SampleRate, shape.Frames);
    }

    /// <summary>Reads the next frames.</summary>
    /// <param name="interleaved">Receives whole frames.</param>
    /// <returns>The number of frames read; 0 at the end.</returns>
    public int Read(Span<float> interleaved)
    {
        int wanted = Math.Min(BlockFrames, interleaved.Length / _channels);
        if (_source is null)
            return _file.Read(interleaved[..(2 * wanted)]);
        int frames = _source.Read(_left.AsSpan(0, wanted), _right.AsSpan(0, wanted));
        for (int i = 0; i < frames; i++)
        {
            if (_channels == 1)
                interleaved[i] = (_left[i] + _right[i]) / 2;
            else
                (interleaved[2 * i], interleaved[2 * i + 1]) = (_left[i], _right[i]);
        }
        return frames;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>The frames of the file, channel by channel.</summary>
    private sealed class Planes(StemSampleReader file) : IStereoSource
    {
        private readonly float[] _block = new float[2 * BlockFrames];

        public int Read(Span<float> left, Span<float> right)
        {
            int frames = file.Read(_block.AsSpan(0, 2 * Math.Min(BlockFrames, left.Length)));
            for (int i = 0; i < frames; i++)
                (left[i], right[i]) = (_block[2 * i], _block[2 * i + 1]);
            return frames;
        }
    }
}
