namespace DemucsPS.Engine.Audio.Encoded;

/// <summary>All frames that a decoder gives of a file, in order.</summary>
internal interface IFrameSource : IDisposable
{
    /// <summary>Frames per second.</summary>
    int SampleRate { get; }

    /// <summary>Samples in a frame.</summary>
    int Channels { get; }

    /// <summary>Reads the next samples, channel after channel.</summary>
    /// <param name="interleaved">Receives whole frames.</param>
    /// <returns>Samples read, 0 at the end; fewer than fit do not mean the end.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: it cannot be decoded on.</exception>
    int Read(Span<float> interleaved);
}
