using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Encoded;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Audio.Flac;
using DemucsPS.Engine.Audio.Resampling;

namespace DemucsPS.Engine.Input;

/// <summary>What a track's file says before it is decoded.</summary>
/// <param name="Source">The track.</param>
internal sealed record TrackHeader(TrackSource Source)
{
    /// <summary>Frames per second of the file; null if unknown.</summary>
    public int? SampleRate { get; private init; }

    /// <summary>Whether both channels of the track are the same one of the file.</summary>
    public bool IsMono { get; private init; }

    /// <summary>Length of the track in frames at the file's own rate; null if unknown. A claim, not a promise.</summary>
    public long? Frames { get; private init; }

    /// <summary>Whether <see cref="Frames"/> is nearly right, or only claimed, and decoding tells how many there are.</summary>
    public bool IsEstimate { get; private init; }

    /// <summary>How many frames after its file, at its own rate, the sound begins; 0 for most.</summary>
    public long Late { get; private init; }

    /// <summary>How many frames of silence are in front of it for that, <see cref="Frames"/> among them.</summary>
    public long Silence => Source.LateStart == LateStart.Silence ? Late : 0;

    /// <summary>What the file, or the CUE sheet that the track is from, says about its music: <see cref="AudioReader.Tags"/>.</summary>
    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    /// <summary>As <see cref="AudioReader.Picture"/>.</summary>
    public string? Picture { get; private init; }

    /// <summary>As <see cref="AudioReader.Codec"/>.</summary>
    public required string Codec { get; init; }

    /// <summary>Whether the system's decoders read it: their samples need not be the same elsewhere.</summary>
    public bool IsReadBySystem { get; private init; }

    /// <summary>
    /// Length of the track in frames at another rate, as <see cref="StereoTrackReader.FrameCount"/> gives it; null if unknown.
    /// </summary>
    public long? FramesAt(int rate) => Frames is { } frames && SampleRate is { } own ? Resampler.OutputLength(frames, own, rate) : null;

    /// <summary>Reads the header of a track's file.</summary>
    /// <exception cref="ArgumentException">The path is not absolute.</exception>
    /// <exception cref="DemucsException">As <see cref="StereoTrackReader.Open"/>, as far as known without decoding.</exception>
    public static TrackHeader Read(TrackSource source) => AudioFile.ReadHeader(source, FFmpegLocator.Find);

    /// <summary>That of a file with a built-in decoder.</summary>
    /// <param name="source">The track.</param>
    /// <param name="reader">All of the file.</param>
    internal static TrackHeader Create(TrackSource source, AudioReader reader)
    {
        (int first, int second) = StereoTrackReader.ChannelsOf(source, reader.Channels);
        return new TrackHeader(source)
        {
            Tags = source.Tags.Over(reader.Tags),
            SampleRate = reader.SampleRate,
            IsMono = first == second,
            Picture = reader.Picture,
            Codec = reader.Codec,
            IsReadBySystem = reader is EncodedReader,
        }
        // Where the samples of a WAV file end, its length shows; how many a FLAC file decodes to, its header claims.
        .WithFrames(reader.FrameCount, isEstimate: reader is FlacReader);
    }

    /// <summary>That of a file which ffmpeg decodes.</summary>
    /// <param name="source">The track.</param>
    /// <param name="probe">What ffmpeg says of it.</param>
    /// <param name="late">How many frames after its file the sound begins.</param>
    internal static TrackHeader Create(TrackSource source, FFmpegProbe probe, long late)
    {
        long? exact = probe.SampleRate is { } rate ? Mp4Length.Read(source.Path, source.StreamIndex, rate) : null;
        return new TrackHeader(source)
        {
            Tags = source.Tags.Over(probe.Tags),
            SampleRate = probe.SampleRate,
            IsMono = source.Channels is { } pair ? pair.Left == pair.Right : probe.IsMono,
            Picture = probe.Picture,
            Late = late,
            Codec = FFmpegReader.CodecOf(probe.Codec),
        }
        // A file's length has the time before its sound in it, a track's not.
        .WithFrames(
            exact is { } frames
                ? frames + (source.LateStart == LateStart.Silence ? late : 0)
                : (long?)(probe.Duration?.TotalSeconds * probe.SampleRate) - (source.LateStart == LateStart.Silence ? 0 : late),
            isEstimate: exact is null
        );
    }

    /// <param name="total">Frames of the file; null if unknown.</param>
    /// <param name="isEstimate">Whether that is nearly right.</param>
    private TrackHeader WithFrames(long? total, bool isEstimate)
    {
        if (Source.Range is not { } range)
            return this with { Frames = total > 0 ? total : null, IsEstimate = total > 0 && isEstimate };
        // One that the file ends before is refused where it is opened.
        long? rest = total is { } frames ? frames - range.Start : range.Length;
        long? length = rest is { } known ? Math.Min(known, range.Length ?? long.MaxValue) : null;
        return this with { Frames = length > 0 ? length : null, IsEstimate = length > 0 && isEstimate && length != range.Length };
    }
}
