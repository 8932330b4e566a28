namespace DemucsPS.Engine.Audio;

/// <summary>
/// Reads any audio file as what the models expect: two channels at one rate, planar. Mono is duplicated; of more than two
/// channels the first two are taken, with a warning; other rates are resampled with the windowed sinc that official Demucs
/// uses (NUMERICS, "The pipeline, in order", steps 1 and 2).
/// </summary>
public sealed class StereoTrackReader : IStereoSource, IDisposable
{
    private const int BlockFrames = 4096;
    private readonly AudioReader _reader;
    private readonly Resampler? _resampler;
    private readonly float[] _block;

    // Frames of _block that the resampler has not taken yet.
    private int _blockStart;
    private int _blockEnd;
    private bool _sourceEnded;

    private StereoTrackReader(AudioReader reader, int sampleRate)
    {
        _reader = reader;
        SampleRate = sampleRate;
        _block = new float[BlockFrames * reader.Channels];
        if (reader.SampleRate != sampleRate)
            _resampler = new Resampler(reader.SampleRate, sampleRate, Math.Min(reader.Channels, 2));
        if (reader.Channels > 2)
            reader.AddWarning($"'{reader.SourcePath}' has {reader.Channels} channels; only the first two are used, as left and right.");
    }

    /// <summary>The full path of the file.</summary>
    public string SourcePath => _reader.SourcePath;

    /// <summary>What the samples are stored as, for people.</summary>
    public string Codec => _reader.Codec;

    /// <summary>The file's own rate, in frames per second.</summary>
    public int SourceSampleRate => _reader.SampleRate;

    /// <summary>The file's own number of channels.</summary>
    public int SourceChannels => _reader.Channels;

    /// <summary>The frames that the file declares, at its own rate; null when it declares none. Not a promise.</summary>
    public long? SourceFrameCount => _reader.FrameCount;

    /// <summary>The rate of the frames that <see cref="Read"/> gives, in frames per second.</summary>
    public int SampleRate { get; }

    /// <summary>
    /// The frames that <see cref="Read"/> gives in all if the file holds what it declares: ⌊frames · rate / own rate⌋. Null
    /// when it declares none.
    /// </summary>
    public long? FrameCount => _reader.FrameCount is long frames
        ? Resampler.OutputLength(frames, _reader.SampleRate, SampleRate)
        : null;

    /// <summary>Sentences for the user about what is odd with the file; complete once <see cref="Read"/> has returned 0.</summary>
    public IReadOnlyList<string> Warnings => _reader.Warnings;

    /// <summary>What the file says about its music: <see cref="AudioReader.Tags"/>.</summary>
    public IReadOnlyDictionary<string, string> Tags => _reader.Tags;

    /// <summary>Opens a track's file with <see cref="AudioFile.Open(string)"/>.</summary>
    /// <param name="source">The track.</param>
    /// <param name="sampleRate">The rate wanted, 8,000 to 384,000 frames per second.</param>
    /// <returns>The reader; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The path is not absolute, or the rate is out of range.</exception>
    /// <exception cref="DemucsException">As <see cref="AudioFile.Open(string)"/>.</exception>
    public static StereoTrackReader Open(TrackSource source, int sampleRate = 44100)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 8_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sampleRate, 384_000);
        AudioReader reader = AudioFile.Open(source.Path);
        try
        {
            return new StereoTrackReader(reader, sampleRate);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Reads the next frames.</summary>
    /// <param name="left">Receives the left channel, nominal range [-1, 1].</param>
    /// <param name="right">Receives the right channel; as long as <paramref name="left"/>.</param>
    /// <returns>The number of frames read: as many as fit, fewer only at the end of the track, 0 when nothing is left.</returns>
    /// <remarks>The samples do not depend on how a track is cut into calls, not in a single bit.</remarks>
    /// <exception cref="ArgumentException">The spans are empty or differ in length.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: the file is damaged here.</exception>
    public int Read(Span<float> left, Span<float> right)
    {
        if (left.IsEmpty || left.Length != right.Length)
            throw new ArgumentException($"The spans hold {left.Length} and {right.Length} frames; they need the same number, at least 1.");
        return _resampler is null ? ReadDirectly(left, right) : ReadResampled(_resampler, left, right);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _reader.Dispose();

    private int ReadDirectly(Span<float> left, Span<float> right)
    {
        int channels = _reader.Channels;
        int second = Math.Min(channels, 2) - 1;
        int done = 0;
        while (done < left.Length)
        {
            int frames = _reader.Read(_block.AsSpan(0, Math.Min(BlockFrames, left.Length - done) * channels));
            if (frames == 0)
                break;
            for (int i = 0; i < frames; i++)
            {
                left[done + i] = _block[i * channels];
                right[done + i] = _block[(i * channels) + second];
            }

            done += frames;
        }

        return done;
    }

    private int ReadResampled(Resampler resampler, Span<float> left, Span<float> right)
    {
        int channels = _reader.Channels;
        int done = 0;
        while (done < left.Length)
        {
            int frames = resampler.Read(left[done..], right[done..]);
            done += frames;
            if (frames > 0)
                continue;
            if (_sourceEnded)
                break;

            if (_blockStart == _blockEnd)
            {
                _blockStart = 0;
                _blockEnd = _reader.Read(_block);
                if (_blockEnd == 0)
                {
                    _sourceEnded = true;
                    resampler.Complete();
                    continue;
                }
            }

            _blockStart += resampler.Write(_block.AsSpan(_blockStart * channels, (_blockEnd - _blockStart) * channels), channels);
        }

        return done;
    }
}
