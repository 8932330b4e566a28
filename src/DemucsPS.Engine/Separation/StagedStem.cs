using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Separation;

/// <summary>Reads a stem that lies in a float file as it was separated, in the rate, length and channels of its final file.</summary>
internal sealed class StagedStem : IDisposable
{
    private const int BlockFrames = 16384;
    private readonly StereoTrackReader _file;
    private readonly IStereoSource _source;
    private readonly int _channels;
    private readonly float[] _left = new float[BlockFrames];
    private readonly float[] _right = new float[BlockFrames];

    /// <param name="path">Full path of the file: two channels at <see cref="Separator.SampleRate"/>.</param>
    /// <param name="shape">What to give.</param>
    public StagedStem(string path, StemShape shape)
    {
        _file = StereoTrackReader.Open(new TrackSource(path));
        _source = shape.SampleRate == Separator.SampleRate ? _file : new ResampledSource(_file, Separator.SampleRate, shape.SampleRate, shape.Frames);
        _channels = shape.Channels;
    }

    /// <summary>Reads the next frames.</summary>
    /// <param name="interleaved">Receives whole frames.</param>
    /// <returns>The number of frames read; 0 at the end.</returns>
    public int Read(Span<float> interleaved)
    {
        int wanted = Math.Min(BlockFrames, interleaved.Length / _channels);
        int frames = _source.Read(_left.AsSpan(0, wanted), _right.AsSpan(0, wanted));
        for (int i = 0; i < frames; i++)
        {
            if (_channels == 1)
                interleaved[i] = (_left[i] + _right[i]) / 2;
            else
                (interleaved[2 * i], interleaved[(2 * i) + 1]) = (_left[i], _right[i]);
        }

        return frames;
    }

    public void Dispose() => _file.Dispose();
}
