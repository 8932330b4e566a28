using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Encoded;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio.Encoded;

/// <summary>
/// Files that the system's decoders read, with decoders of the tests' own: one that counts, and ffmpeg, which is shown no more than
/// another.
/// </summary>
public sealed class EncodedReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1105, 3000L, 6912, 6912, 1105, 3000, "")]
    [InlineData(0, null, 6912, 6912, 0, 6912, "is an MP3 file without a LAME tag")]
    // The encoder puts less behind the music than decoders are late.
    [InlineData(1105, 6000L, 6912, 6912, 1105, 5807, "")]
    [InlineData(1105, 3000L, 6912, 2304, 1105, 1199, "is cut off: it declares 3.0 s, but has 1.2 s")]
    [InlineData(1105, 3000L, 6912, 6912 - 529, 1105, 3000, "has 6912 frames, but Media Foundation returns 6383. Stems may be shifted")]
    [InlineData(1105, 3000L, 6912, 20_000, 1105, 3000, "has 6912 frames, but Media Foundation returns 20000. Stems may be shifted")]
    [InlineData(1105, 3000L, 6912, 500, 0, 0, "is cut off")]
    public void What_is_not_music_is_left_out_and_counted(
        int start,
        long? length,
        long decoded,
        int given,
        int first,
        int frames,
        string warning
    )
    {
        EncodedFile file = new("mp3", "audio/mpeg", "music.mp3")
        {
            Music = new MusicSpan(start, length),
            Decoded = decoded,
            SampleRate = 1000,
        };
        using EncodedReader reader = Open(file, new Counting(1000, given));
        Assert.Equal((1000, 2, "mp3 via Media Foundation"), (reader.SampleRate, reader.Channels, reader.Codec));
        Assert.Equal(length is null ? (long?)null : Math.Min(length.Value, decoded - start), reader.FrameCount);
        float[] samples = reader.ReadAll();
        Assert.Equal(frames, samples.Length / 2);
        Assert.Equal(Enumerable.Range(2 * first, 2 * frames).Select(i => (float)i), samples);
        Assert.Equal(0, reader.Read(new float[2]));
        Assert.Equal(warning.Length == 0 ? 0 : 1, reader.Warnings.Count);
        Assert.Contains(warning, string.Concat(reader.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_damage_is_refused_a_file_that_is_cut_off_is()
    {
        EncodedFile file = new("mp3", "audio/mpeg", "music.mp3")
        {
            Music = new MusicSpan(1105, 3000),
            Decoded = 6912,
            SampleRate = 1000,
        };
        using EncodedReader reader = new(
            new ByteSource(new MemoryStream(), "/music/song.mp3"),
            file,
            new Counting(1000, 2304),
            DamageHandling.Fail
        );
        Assert.Contains("is cut off", Assert.Throws<DemucsException>(() => reader.ReadAll()).Message, StringComparison.Ordinal);
        using EncodedReader warning = Open(file, new Counting(1000, 2304));
        warning.ReadAll();
        Assert.Equal((1199L, 1801L), (warning.Gaps[0].StartFrame, warning.Gaps[0].Frames));
    }

    [Fact]
    public void Frames_are_counted_at_the_rate_of_the_decoder_where_it_gives_more()
    {
        EncodedFile file = new("aac", "audio/mp4", "music.m4a")
        {
            Music = new MusicSpan(100, 1000),
            Decoded = 1200,
            SampleRate = 500,
            HasTags = true,
        };
        using (EncodedReader reader = Open(file, new Counting(1000, 2400)))
        {
            Assert.Equal(2000, reader.ReadAll().Length / 2);
            Assert.Contains("has tags that cannot be read without ffmpeg", Assert.Single(reader.Warnings), StringComparison.Ordinal);
        }
        using EncodedReader odd = Open(file, new Counting(750, 2400));
        Assert.Equal(2400, odd.ReadAll().Length / 2);
        Assert.Contains("declares 500 Hz but decodes to 750 Hz", odd.Warnings[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Ffmpeg_goes_first_and_what_nobody_reads_says_why()
    {
        string path = _folder.Write("song.mp3", Mp3());
        SystemDecoder.Opener never = (string _, EncodedFile _, Stream _, out string? reason) =>
            throw new InvalidOperationException("It is not asked for.");
        SystemDecoder.Opener refusing = (string _, EncodedFile file, Stream _, out string? reason) =>
        {
            reason = $"no decoder for {file.ContentType}";
            return null;
        };
        SystemDecoder.Opener counting = (string _, EncodedFile _, Stream _, out string? reason) =>
        {
            reason = null;
            return new Counting(44100, 2304);
        };
        if (FFmpegLocator.Find() is { } ffmpeg)
        {
            using AudioReader reader = AudioFile.Open(new TrackSource(path), () => ffmpeg, never);
            Assert.Equal("mp3 via ffmpeg", reader.Codec);
        }
        using (AudioReader reader = AudioFile.Open(new TrackSource(path), () => null, counting))
            Assert.Equal("mp3 via Media Foundation", reader.Codec);
        TrackHeader header = AudioFile.ReadHeader(new TrackSource(path), () => null, counting);
        Assert.Equal(("mp3 via Media Foundation", 44100, true), (header.Codec, header.SampleRate, header.IsReadBySystem));
        Refused(
            path,
            refusing,
            "and Media Foundation decodes MP3, M4A and WMA, but cannot decode this file: no decoder for audio/mpeg. Install ffmpeg"
        );
        Refused(path, null, "only uncompressed WAV, AIFF and FLAC are built in. Install ffmpeg");
        Refused(
            _folder.Write("song.ogg", [.. "OggS"u8, .. new byte[100]]),
            never,
            "and Media Foundation decodes MP3, M4A and WMA. Install ffmpeg"
        );
        DemucsException stream = Assert.Throws<DemucsException>(() =>
            AudioFile.Open(new TrackSource(path) { StreamIndex = 1 }, () => null, never)
        );
        Assert.Contains("it reads only the first audio stream", stream.Message, StringComparison.Ordinal);
        // Nothing of the file is kept open.
        File.Delete(path);

        static void Refused(string path, SystemDecoder.Opener? system, string words)
        {
            DemucsException e = Assert.Throws<DemucsException>(() => AudioFile.Open(new TrackSource(path), () => null, system));
            Assert.Equal(DemucsError.FFmpegNotFound, e.Error);
            Assert.Contains(words, e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Off_Windows_nothing_of_it_is_loaded()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Here it is.");
        Assert.Null(SystemDecoder.Here);
        Assert.DoesNotContain(AppDomain.CurrentDomain.GetAssemblies(), a => a.GetName().Name == "NAudio.Wasapi");
    }

    /// <summary>
    /// ffmpeg stands for any decoder: of the view of the file, which says nothing of delays, it gives all frames. Those that are left are
    /// ffmpeg's own of the file, to the last bit.
    /// </summary>
    [Theory]
    [InlineData("mp3", "-c:a", "libmp3lame", "-b:a", "128k")]
    [InlineData("m4a", "-c:a", "aac", "-b:a", "128k")]
    [LongInlineData("mp3", "-c:a", "libmp3lame", "-q:a", "4", "-ar", "22050", "-ac", "1", "-metadata", "title=A song")]
    [LongInlineData("m4a", "-c:a", "alac")]
    [LongInlineData("m4a", "-c:a", "aac", "-movflags", "+faststart", "-metadata", "title=A song")]
    [LongInlineData("mp4", "-c:a", "aac", "-movie_timescale", "44100")]
    public void The_frames_are_those_that_ffmpeg_gives(string extension, params string[] options)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg"),
            source = _folder.Write("source.wav", WavBytes.Pcm16(44100, 2, Noise(30_001 * 2))),
            song = _folder.File($"song.{extension}");
        ExternalTool.Run(ffmpeg, ["-v", "error", "-i", source, .. options, song]);
        using AudioReader expected = AudioFile.Open(song),
            actual = AudioFile.Open(new TrackSource(song), () => null, Plain);
        float[] samples = actual.ReadAll();
        Assert.InRange(samples.Length / actual.Channels, 30_001 / (44100 / actual.SampleRate), 30_001);
        Assert.Equal(expected.ReadAll(), samples);
        Assert.Equal(samples.Length / actual.Channels, actual.FrameCount);
        Assert.Equal(options.Contains("title=A song") ? 1 : 0, actual.Warnings.Count);

        IFrameSource? Plain(string path, EncodedFile file, Stream bytes, out string? reason)
        {
            reason = null;
            string seen = _folder.File($"seen-{file.FileName}"),
                wav = _folder.File("plain.wav");
            using (FileStream copy = File.Create(seen))
                bytes.CopyTo(copy);
            ExternalTool.Run(ffmpeg, "-v", "error", "-y", "-i", seen, "-c:a", "pcm_f32le", wav);
            return new Decoded(AudioFile.Open(wav));
        }
    }

    private static EncodedReader Open(EncodedFile file, IFrameSource frames) =>
        new(new ByteSource(new MemoryStream(), "/music/song.mp3"), file, frames);

    private static byte[] Mp3()
    {
        byte[] frame = new byte[417];
        ((ReadOnlySpan<byte>)[0xFF, 0xFB, 0x90, 0x00]).CopyTo(frame);
        return [.. frame, .. frame];
    }

    private static int[] Noise(int count)
    {
        Random random = new(15);
        int[] samples = new int[count];
        for (int i = 0; i < count; i++)
            samples[i] = (int)(8000 * Math.Sin(i * 0.03)) + random.Next(-3000, 3000);
        return samples;
    }

    /// <summary>Gives 0, 1, 2 and so on, and never as much as is asked for.</summary>
    private sealed class Counting(int rate, int frames) : IFrameSource
    {
        private int _at;

        public int SampleRate => rate;

        public int Channels => 2;

        public int Read(Span<float> interleaved)
        {
            int count = Math.Min(Math.Min(interleaved.Length, 1000), (2 * frames) - _at);
            for (int i = 0; i < count; i++)
                interleaved[i] = _at++;
            return count;
        }

        public void Dispose() { }
    }

    private sealed class Decoded(AudioReader wav) : IFrameSource
    {
        public int SampleRate => wav.SampleRate;

        public int Channels => wav.Channels;

        public int Read(Span<float> interleaved) => wav.Read(interleaved) * wav.Channels;

        public void Dispose() => wav.Dispose();
    }
}
