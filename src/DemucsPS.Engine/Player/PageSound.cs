using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Player;

/// <summary>How the sound of a page gets into it: what browsers decode, and how much of it they can hold.</summary>
internal sealed class PageSound
{
    /// <summary>
    /// Bytes of all tracks of a page once a browser has decoded them, which it does into 32-bit floats: more than phones and old machines
    /// have, and they link.
    /// </summary>
    public const long MaxDecodedBytes = 1L << 30;

    /// <summary>The maximum for explicit embedding: about the memory a browser gives one page.</summary>
    public const long MostDecodedBytes = 3L << 30;

    /// <summary>Bytes of all tracks as 16-bit samples up to which nothing is lost; FLAC makes about two thirds of it.</summary>
    public const long MaxLosslessBytes = 80L << 20;

    private const int OpusBitRate = 160;

    // Files that browsers can play, by their content; a name alone is not enough.
    private static readonly Dictionary<string, (string Type, string[] Codecs)> s_playable = new(StringComparer.OrdinalIgnoreCase)
    {
        [".wav"] = ("audio/wav", ["PCM", "float 32"]),
        [".flac"] = ("audio/flac", ["FLAC"]),
        [".mp3"] = ("audio/mpeg", ["mp3"]),
        [".m4a"] = ("audio/mp4", ["aac"]),
        [".opus"] = ("audio/ogg", ["opus"]),
        [".ogg"] = ("audio/ogg", ["opus", "vorbis", "flac"]),
        [".oga"] = ("audio/ogg", ["opus", "vorbis", "flac"]),
    };

    private readonly string? _ffmpeg;
    private readonly StemFormat _format;
    private readonly bool _keepsFlac;

    private PageSound(StemFormat format, string? ffmpeg, bool keepsFlac)
    {
        _format = format;
        _ffmpeg = ffmpeg;
        _keepsFlac = keepsFlac;
    }

    /// <summary>The format of embedded sound, as text.</summary>
    public string Format => _format.File.ToString();

    /// <summary>Decides.</summary>
    /// <param name="wanted">What was requested.</param>
    /// <param name="seconds">Of all tracks.</param>
    /// <param name="sampleRate">Frames per second of the page.</param>
    /// <param name="ffmpeg">What there is of it.</param>
    /// <param name="path">The page, for messages.</param>
    /// <returns>Null if it is linked.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: there is too much to embed.</exception>
    public static PageSound? Choose(PlayerAudio wanted, double seconds, int sampleRate, string? ffmpeg, string path)
    {
        double samples = seconds * sampleRate * 2 * sizeof(short);
        if (wanted == PlayerAudio.Linked || (wanted == PlayerAudio.Auto && !IsHeldAtOnce(seconds, sampleRate)))
            return null;
        if (Decoded(seconds, sampleRate) > MostDecodedBytes)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                FormattableString.Invariant(
                    $"The tracks of '{path}' have {seconds / 60:F0} minutes of sound in total, too much for a browser. Link the files instead of embedding them."
                ),
                path
            );
        IReadOnlySet<string> encoders = ffmpeg is null ? new HashSet<string>() : FFmpegProgram.At(ffmpeg).Encoders;
        bool isSmall = samples <= MaxLosslessBytes;
        StemFileFormat? format =
            isSmall && encoders.Contains(FFmpegEncoders.NameOf(StemFileFormat.Flac)) ? StemFileFormat.Flac
            : !isSmall && encoders.Contains(FFmpegEncoders.NameOf(StemFileFormat.Opus)) ? StemFileFormat.Opus
            : isSmall || wanted == PlayerAudio.Embedded ? StemFileFormat.Wav
            : null;
        return format switch
        {
            null => null,
            StemFileFormat.Opus => new PageSound(
                new StemFormat { File = StemFileFormat.Opus, BitRate = OpusBitRate },
                ffmpeg,
                keepsFlac: false
            ),
            { } lossless => new PageSound(new StemFormat { File = lossless, Sample = WavSampleFormat.Pcm16 }, ffmpeg, keepsFlac: true),
        };
    }

    /// <summary>Whether all of a page can be in the memory of any browser.</summary>
    /// <param name="seconds">Of all tracks.</param>
    /// <param name="sampleRate">Frames per second of the page.</param>
    public static bool IsHeldAtOnce(double seconds, int sampleRate) => Decoded(seconds, sampleRate) <= MaxDecodedBytes;

    /// <summary>
    /// The MIME type of a file that browsers can play; null for other files, for parts of files, and for streams other than the first.
    /// </summary>
    public static string? PlayableType(MeteredTrack track) =>
        track.Source is { Range: null, Channels: null, StreamIndex: 0 }
        && track.Reader.SourceChannels <= 2
        && s_playable.TryGetValue(Path.GetExtension(track.Source.Path), out (string Type, string[] Codecs) known)
        && known.Codecs.Any(codec => track.Reader.Codec.StartsWith(codec, StringComparison.OrdinalIgnoreCase))
            ? known.Type
            : null;

    /// <summary>The file to embed for a track: its own, or a new one in a folder.</summary>
    /// <param name="track">The track, which was read.</param>
    /// <param name="folder">Full path of a folder that is deleted afterwards.</param>
    /// <param name="sampleRate">Frames per second of the page.</param>
    /// <param name="read">Receives seconds that were encoded.</param>
    /// <param name="cancellationToken">Ends the encoding.</param>
    /// <returns>Full path, media type, and by what factor the samples are smaller than the track's.</returns>
    /// <exception cref="DemucsException">The track cannot be read any more, or encoding failed.</exception>
    public (string Path, string Type, float Scale) FileOf(
        MeteredTrack track,
        string folder,
        int sampleRate,
        Action<double> read,
        CancellationToken cancellationToken
    )
    {
        // One that was made at more than 24 bits and many channels' rates is not a gain; as it is, its samples need not even be decoded
        // here. Of one that is damaged, or several in one, programs make different things.
        if (_keepsFlac && PlayableType(track) is "audio/flac" and { } flac && track.Reader.CanJump)
        {
            read((double)track.Frames / sampleRate);
            return (track.Source.Path, flac, 1);
        }
        string path = Path.Combine(folder, Guid.NewGuid().ToString("N") + _format.Extension);
        // Integers end at full scale; what lies beyond is made smaller here and larger again by the page.
        float scale = track.Peaks.Peak > 1 ? 1 / track.Peaks.Peak : 1;
        using StereoTrackReader reader = StereoTrackReader.Open(track.Source, sampleRate);
        using IStemEncoder encoder =
            _format.File == StemFileFormat.Wav
                ? WavWriter.Create(path, sampleRate, 2, _format.Sample)
                : FFmpegEncoder.Start(_format, _ffmpeg!, path, sampleRate, 2, ditherSeed: null, StemLabels.None, [], cancellationToken);
        const int BlockFrames = 1 << 13;
        float[] left = new float[BlockFrames],
            right = new float[BlockFrames],
            both = new float[2 * BlockFrames];
        for (int count; (count = reader.Read(left, right)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int i = 0; i < count; i++)
            {
                both[2 * i] = left[i];
                both[2 * i + 1] = right[i];
            }
            encoder.Write(both.AsSpan(0, 2 * count), scale);
            read((double)count / sampleRate);
        }
        encoder.Complete();
        return (
            path,
            _format.File switch
            {
                StemFileFormat.Flac => "audio/flac",
                StemFileFormat.Opus => "audio/ogg",
                _ => "audio/wav",
            },
            scale
        );
    }

    private static double Decoded(double seconds, int sampleRate) => seconds * sampleRate * 2 * sizeof(float);
}
