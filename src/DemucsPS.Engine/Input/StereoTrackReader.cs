using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Resampling;

namespace DemucsPS.Engine.Input;

/// <summary>
/// Reads a track of any audio file as what the models expect: two channels at one rate, planar. Mono is duplicated; of more than
/// two channels the pair that the track names is taken, or the first two, with a warning; other rates are resampled with the
/// windowed sinc that official Demucs uses (NUMERICS, "The pipeline, in order", steps 1 and 2).
/// </summary>
internal sealed class StereoTrackReader : IStereoSource, IDisposable
{
    private const int BlockFrames = 4096;
    private readonly AudioReader _reader;
    private readonly TrackSource _source;
    private readonly int _first;
    private readonly int _second;
    private readonly int _taken;
    private readonly Resampler? _resampler;
    private readonly float[] _block;

    // Frames of _block that the resampler has not taken yet.
    private int _blockStart;
    private int _blockEnd;
    private bool _sourceEnded;

    private StereoTrackReader(AudioReader reader, TrackSource source, int sampleRate)
    {
        _reader = reader;
        _source = source;
        (_first, _second) = ChannelsOf(source, reader.Channels);
        _taken = _first == _second ? 1 : 2;
        SampleRate = sampleRate;
        _block = new float[BlockFrames * reader.Channels];
        if (reader.SampleRate != sampleRate)
            _resampler = new Resampler(reader.SampleRate, sampleRate, _taken);
        if (source.IsPreEmphasized)
            reader.AddWarning(
                $"'{source.Name}' of '{reader.SourcePath}' has pre-emphasis according to its CUE sheet (FLAGS PRE). Unless the CD ripper removed it, the treble is up to 9.5 dB too loud, in the file and in the stems. Remove it with 'sox IN OUT deemph' or ffmpeg's filter 'aemphasis=type=cd'."
            );
        if (reader.Channels > 2 && source.Channels is null)
            reader.AddWarning(
                $"'{reader.SourcePath}' has {reader.Channels} channels. Only the first two are used, as left and right. Use the channel layout 'Pairs' to separate all of them."
            );
    }

    /// <summary>The full path of the file.</summary>
    public string SourcePath => _reader.SourcePath;

    /// <summary>What the samples are stored as, for people.</summary>
    public string Codec => _reader.Codec;

    /// <summary>The file's own rate, in frames per second.</summary>
    public int SourceSampleRate => _reader.SampleRate;

    /// <summary>The file's own number of channels.</summary>
    public int SourceChannels => _reader.Channels;

    /// <summary>True when both channels are the same one of the file.</summary>
    public bool IsMono => _taken == 1;

    /// <summary>The frames that the file declares, at its own rate; null when it declares none. Not a promise.</summary>
    public long? SourceFrameCount => _reader.FrameCount;

    /// <summary>The frames read so far, at the file's own rate: the length of the track once <see cref="Read"/> has returned 0.</summary>
    public long SourceFramesRead { get; private set; }

    /// <summary>The rate of the frames that <see cref="Read"/> gives, in frames per second.</summary>
    public int SampleRate { get; }

    /// <summary>
    /// The frames that <see cref="Read"/> gives in all if the file contains what it declares: ⌊frames · rate / own rate⌋. Null
    /// when it declares none.
    /// </summary>
    public long? FrameCount => _reader.FrameCount is long frames ? Resampler.OutputLength(frames, _reader.SampleRate, SampleRate) : null;

    /// <summary>Sentences for the user about what is odd with the file; complete once <see cref="Read"/> has returned 0.</summary>
    public IReadOnlyList<string> Warnings => _reader.Warnings;

    /// <summary>As <see cref="AudioReader.Gaps"/>; at the file's own rate.</summary>
    public IReadOnlyList<TrackGap> Gaps => _reader.Gaps;

    /// <summary>What the file, or the CUE sheet that the track is from, says about its music: <see cref="AudioReader.Tags"/>.</summary>
    public IReadOnlyDictionary<string, string> Tags => _source.Tags.Over(_reader.Tags);

    /// <summary>As <see cref="AudioReader.Picture"/>.</summary>
    internal string? Picture => _reader.Picture;

    /// <summary>The two channels of a file that a track is.</summary>
    /// <param name="source">The track.</param>
    /// <param name="channels">How many the file has.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: it has not those that the track names.</exception>
    internal static (int First, int Second) ChannelsOf(TrackSource source, int channels)
    {
        (int first, int second) = source.Channels is { } pair ? (pair.Left, pair.Right) : (0, Math.Min(channels, 2) - 1);
        return Math.Min(first, second) >= 0 && Math.Max(first, second) < channels
            ? (first, second)
            : throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{source.Path}' has {channels} channels, so it has no channels {first} and {second} (counted from 0).",
                source.Path
            );
    }

    /// <summary>Opens a track's file as <see cref="AudioFile.Open(string)"/> does, at the track's first frame.</summary>
    /// <param name="source">The track.</param>
    /// <param name="sampleRate">The rate wanted, 8,000 to 384,000 frames per second.</param>
    /// <returns>The reader; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The path is not absolute, or the rate is out of range.</exception>
    /// <exception cref="DemucsException">
    /// As <see cref="AudioFile.Open(string)"/>. <see cref="DemucsError.ParameterInvalid"/>: the file has no such stream or channel.
    /// <see cref="DemucsError.AudioTrackCorrupt"/>: it ends before the track begins.
    /// </exception>
    public static StereoTrackReader Open(TrackSource source, int sampleRate = 44100)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 8_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sampleRate, 384_000);
        return Over(AudioFile.Open(source), source, sampleRate);
    }

    /// <summary>The same of a reader that is open, and is closed with this one.</summary>
    internal static StereoTrackReader Over(AudioReader reader, TrackSource source, int sampleRate)
    {
        try
        {
            return new StereoTrackReader(reader, source, sampleRate);
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

    /// <summary>As <see cref="AudioReader.CanJump"/>: not where the rate is changed, since that needs what was before.</summary>
    internal bool CanJump => _resampler is null && _reader.CanJump;

    /// <summary>As <see cref="AudioReader.Jump"/>.</summary>
    internal long Jump(long frames) => _reader.Jump(frames);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _reader.Dispose();

    private int ReadDirectly(Span<float> left, Span<float> right)
    {
        int done = 0;
        while (done < left.Length)
        {
            int frames = ReadBlock(Math.Min(BlockFrames, left.Length - done));
            if (frames == 0)
                break;
            for (int i = 0; i < frames; i++)
            {
                left[done + i] = _block[i * _taken];
                right[done + i] = _block[(i * _taken) + _taken - 1];
            }

            done += frames;
        }

        return done;
    }

    private int ReadResampled(Resampler resampler, Span<float> left, Span<float> right)
    {
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
                _blockEnd = ReadBlock(BlockFrames);
                if (_blockEnd == 0)
                {
                    _sourceEnded = true;
                    resampler.Complete();
                    continue;
                }
            }

            _blockStart += resampler.Write(_block.AsSpan(_blockStart * _taken, (_blockEnd - _blockStart) * _taken), _taken);
        }

        return done;
    }

    /// <summary>Reads frames into the block and keeps the channels that are taken.</summary>
    private int ReadBlock(int wanted)
    {
        int channels = _reader.Channels;
        int frames = _reader.Read(_block.AsSpan(0, wanted * channels));
        SourceFramesRead += frames;
        if (channels == _taken && _first <= _second)
            return frames;
        for (int i = 0; i < frames; i++)
        {
            (float first, float second) = (_block[(i * channels) + _first], _block[(i * channels) + _second]);
            _block[i * _taken] = first;
            _block[(i * _taken) + _taken - 1] = second;
        }

        return frames;
    }
}
