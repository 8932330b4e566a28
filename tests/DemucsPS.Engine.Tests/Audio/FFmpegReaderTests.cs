using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class FFmpegReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("plain.wav")]
    [InlineData("with spaces.wav")]
    [InlineData("-i leading dash.wav")]
    [InlineData("quotes ' and `.wav")]
    [InlineData("brackets [1] (2) {3}.wav")]
    [InlineData("per%20cent %d %03d %s.wav")]
    [InlineData("emoji 🎸 ümläut 音楽.wav")]
    [InlineData("dollar $HOME; rm -rf & #.wav")]
    public void Odd_file_names_work(string name) => ReadsBackThroughFFmpeg(name);

    [Theory]
    [InlineData("colon: concat:a|b.wav")]
    [InlineData("http:something.wav")]
    [InlineData("double \" quote.wav")]
    [InlineData("back\\slash and * ?.wav")]
    [InlineData("two\nlines.wav")]
    public void File_names_that_Windows_forbids_work_elsewhere(string name)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Windows does not allow such names.");
        ReadsBackThroughFFmpeg(name);
    }

    [Fact]
    public void Rate_and_channels_are_those_of_the_source_and_the_codec_is_named()
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        string wav = _folder.Write("source.wav", WavBytes.Pcm16(22050, 1, Sine(22050)));
        string mp3 = _folder.File("song.mp3");
        string m4a = _folder.File("song.m4a");
        ExternalTool.Run(ffmpeg, "-v", "error", "-i", wav, "-metadata", "title=[error] not one", mp3);
        ExternalTool.Run(ffmpeg, "-v", "error", "-i", wav, "-c:a", "aac", m4a);
        foreach ((string path, string codec) in ((string, string)[])[(mp3, "mp3"), (m4a, "aac")])
        {
            using AudioReader reader = AudioFile.Open(path);
            Assert.Equal($"{codec} via ffmpeg", reader.Codec);
            Assert.Equal(22050, reader.SampleRate);
            Assert.Equal(1, reader.Channels);
            Assert.Null(reader.FrameCount);
            Assert.InRange(reader.ReadAll().Length, 22050, 22050 + 2048);
            Assert.Empty(reader.Warnings);
        }
    }

    [Fact]
    public void A_wave_file_of_another_codec_goes_through_ffmpeg()
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        string wav = _folder.Write("source.wav", WavBytes.Pcm16(22050, 2, Sine(4000)));
        string adpcm = _folder.File("adpcm.wav");
        ExternalTool.Run(ffmpeg, "-v", "error", "-i", wav, "-c:a", "adpcm_ms", adpcm);
        using AudioReader reader = AudioFile.Open(adpcm);
        Assert.Equal("adpcm_ms via ffmpeg", reader.Codec);
        Assert.InRange(reader.ReadAll().Length / 2, 2000, 4000);
    }

    [Fact]
    public void A_file_that_is_no_audio_is_unsupported_in_the_words_of_ffmpeg()
    {
        ExternalTool.FindOrSkip("ffmpeg");
        byte[] noise = new byte[5000];
        new Random(9).NextBytes(noise);
        string path = _folder.Write("noise.xyz", noise);
        DemucsException exception = Assert.Throws<DemucsException>(() => AudioFile.Open(path));
        Assert.Equal(DemucsError.AudioFormatUnsupported, exception.Error);
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
        Assert.Contains("ffmpeg reports: ", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_film_without_sound_is_unsupported()
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        string path = _folder.File("silent.mkv");
        ExternalTool.Run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "color=size=16x16:duration=0.2", path);
        foreach (Action open in new Action[] { () => AudioFile.Open(path), () => TrackHeader.Read(new TrackSource(path)) })
        {
            DemucsException exception = Assert.Throws<DemucsException>(open);
            Assert.Equal(DemucsError.AudioFormatUnsupported, exception.Error);
            Assert.StartsWith($"'{path}'", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_mp3_that_is_cut_off_gets_a_warning()
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        string wav = _folder.Write("source.wav", WavBytes.Pcm16(44100, 1, Sine(5 * 44100))),
            whole = _folder.File("song.mp3"),
            silent = _folder.File("silent.mp3");
        ExternalTool.Run(ffmpeg, "-v", "error", "-i", wav, whole);
        // Without a length in its head nobody can tell.
        ExternalTool.Run(ffmpeg, "-v", "error", "-i", wav, "-write_xing", "0", silent);
        byte[] bytes = File.ReadAllBytes(whole);
        Assert.Empty(WarningsOf(whole));
        Assert.Contains(
            "without a LAME tag",
            Assert.Single(WarningsOf(_folder.Write("cut silent.mp3", File.ReadAllBytes(silent)[..(bytes.Length / 2)]))),
            StringComparison.Ordinal
        );
        string warning = Assert.Single(WarningsOf(_folder.Write("cut.mp3", bytes[..(bytes.Length / 2)])), w =>
            w.Contains("cut off", StringComparison.Ordinal)
        );
        Assert.Matches(@"^'.*cut\.mp3' is cut off: it declares 5\.\d s, but has 2\.\d s\.", warning);

        static IReadOnlyList<string> WarningsOf(string path)
        {
            using AudioReader reader = AudioFile.Open(path);
            reader.ReadAll();
            return reader.Warnings;
        }
    }

    [Fact]
    public void Damage_that_ffmpeg_reports_becomes_a_warning()
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        string wav = _folder.Write("source.wav", WavBytes.Pcm16(44100, 1, Sine(88200)));
        string encoded = _folder.File("song.aac");
        ExternalTool.Run(ffmpeg, "-v", "error", "-i", wav, encoded);
        byte[] bytes = File.ReadAllBytes(encoded);
        new Random(3).NextBytes(bytes.AsSpan(bytes.Length / 2, 3000));
        string damaged = _folder.Write("damaged.aac", bytes);
        using AudioReader reader = AudioFile.Open(damaged);
        Assert.NotEmpty(reader.ReadAll());
        Assert.Single(reader.Warnings, w => w.Contains("seems to be damaged. ffmpeg reports: ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_program_that_fails_midway_is_an_error_after_the_frames_that_came()
    {
        string header = Header();
        string program = Script($"{header}; head -c 4000 /dev/zero; echo '[error] the disk is on fire' >&2; exit 3");
        using FFmpegReader reader = FFmpegReader.Open(_folder.Write("a.xyz", [1]), program);
        Assert.Equal(1000, reader.Read(new float[2000]));
        DemucsException exception = Assert.Throws<DemucsException>(() => reader.Read(new float[2000]));
        Assert.Equal(DemucsError.AudioTrackCorrupt, exception.Error);
        Assert.Contains("code 3. ffmpeg reports: the disk is on fire.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_ends_without_frames_is_an_error()
    {
        string path = _folder.Write("a.xyz", [1]);
        Assert.Equal(DemucsError.AudioTrackCorrupt, Assert.Throws<DemucsException>(() => FFmpegReader.Open(path, Script(Header()))).Error);
        Assert.Equal(
            DemucsError.AudioFormatUnsupported,
            Assert.Throws<DemucsException>(() => FFmpegReader.Open(path, Script("exit 1"))).Error
        );
    }

    [Fact]
    public void A_flood_of_messages_neither_blocks_nor_fills_the_error()
    {
        string program = Script(
            "i=0; while [ $i -lt 20000 ]; do echo \"[error] message number $i of very many that nobody will ever read\"; i=$((i+1)); done >&2; exit 1"
        );
        DemucsException exception = Assert.Throws<DemucsException>(() => FFmpegReader.Open(_folder.Write("a.xyz", [1]), program));
        Assert.InRange(exception.Message.Length, 3000, 6000);
        Assert.Contains("message number 19999", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dispose_ends_a_program_that_would_go_on_for_ever()
    {
        string marker = _folder.File("pid");
        string program = Script($"echo $$ > '{marker}'; {Header()}; cat /dev/zero");
        FFmpegReader reader = FFmpegReader.Open(_folder.Write("a.xyz", [1]), program);
        Assert.Equal(100, reader.Read(new float[100]));
        int id = int.Parse(File.ReadAllText(marker), System.Globalization.CultureInfo.InvariantCulture);
        reader.Dispose();
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.Read(new float[100]));
        Assert.False(
            Directory.Exists($"/proc/{id}") && !File.ReadAllText($"/proc/{id}/stat").Contains(" Z ", StringComparison.Ordinal),
            "the program is still running"
        );
    }

    [Fact]
    public void A_program_that_cannot_be_started_is_named()
    {
        string program = _folder.WriteProgram("not a program", [0, 1, 2]);
        DemucsException exception = Assert.Throws<DemucsException>(() => FFmpegReader.Open(_folder.Write("a.xyz", [1]), program));
        Assert.Equal(DemucsError.FFmpegNotFound, exception.Error);
        Assert.Contains(program, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_is_killed_midway_is_an_error_and_not_a_short_track()
    {
        using FFmpegReader reader = FFmpegReader.Open(
            _folder.Write("a.xyz", [1]),
            Script($"{Header()}; head -c 4000 /dev/zero; kill -9 $$")
        );
        Assert.Equal(1000, reader.Read(new float[2000]));
        Assert.Equal(DemucsError.AudioTrackCorrupt, Assert.Throws<DemucsException>(() => reader.Read(new float[2000])).Error);
    }

    [Fact]
    public void A_stream_can_be_chosen_and_one_that_is_not_there_lists_those_that_are()
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        string one = _folder.Write("one.wav", WavBytes.Pcm16(22050, 1, Sine(5000)));
        string two = _folder.Write("two.wav", WavBytes.Pcm16(48000, 2, Sine(6000)));
        string film = _folder.File("film.mkv");
        ExternalTool.Run(
            ffmpeg,
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "color=size=16x16:duration=0.1",
            "-i",
            one,
            "-i",
            two,
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-map",
            "2:a",
            "-c:a",
            "pcm_s16le",
            "-metadata:s:a:0",
            "title=first",
            "-metadata:s:a:1",
            "title=second",
            "-metadata:s:a:1",
            "language=deu",
            film
        );
        using AudioReader first = AudioFile.Open(new TrackSource(film));
        Assert.Equal((22050, 1, "first"), (first.SampleRate, first.Channels, first.Tags["title"]));
        using AudioReader second = AudioFile.Open(new TrackSource(film) { StreamIndex = 1 });
        Assert.Equal((48000, 2, "second"), (second.SampleRate, second.Channels, second.Tags["title"]));
        Assert.Equal(Sine(6000).Select(value => value / 32768f), second.ReadAll());
        DemucsException error = Assert.Throws<DemucsException>(() => AudioFile.Open(new TrackSource(film) { StreamIndex = 2 }));
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains("has no audio stream 2; streams are counted from 0. It has 0: pcm_s16le", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "; 1: (ger) pcm_s16le",
            error.Message.Replace("(deu)", "(ger)", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
        Assert.Contains("48000 Hz", error.Message, StringComparison.Ordinal);
    }

    /// <summary>What encoders put before and behind the music is taken off again as far as the file says what it is.</summary>
    [Theory]
    [InlineData("song.mp3", "-c:a", "libmp3lame", "-b:a", "192k")]
    [LongInlineData("vbr.mp3", "-c:a", "libmp3lame", "-q:a", "2")]
    [InlineData("song.ogg", "-c:a", "libvorbis", "-q:a", "6")]
    [InlineData("song.opus", "-c:a", "libopus", "-b:a", "160k")]
    [InlineData("song.flac")]
    [LongInlineData("song.aiff")]
    [LongInlineData("song.wv")]
    [InlineData("alac.m4a", "-c:a", "alac")]
    [InlineData("song.m4a", "-c:a", "aac", "-b:a", "192k")]
    [LongInlineData("film.mp4", "-c:a", "aac", "-b:a", "192k")]
    [LongInlineData("fine clock.m4a", "-c:a", "aac", "-b:a", "192k", "-movie_timescale", "48000")]
    public void Encoded_music_begins_and_ends_where_the_source_does(string name, params string[] options)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        // The rate that Opus has, and a length that no block size divides.
        Random random = new(4);
        double low = 0;
        int[] samples =
        [
            .. Enumerable
                .Range(0, 48000 + 12_345)
                .Select(i => (int)(6000 * (low = (0.8 * low) + (random.NextDouble() - 0.5)) + 6000 * Math.Sin(i * i * 1e-6))),
        ];
        string wav = _folder.Write("source.wav", WavBytes.Pcm16(48000, 1, samples));
        string path = _folder.File(name);
        ExternalTool.Run(ffmpeg, ["-v", "error", "-i", wav, .. options, path]);
        using AudioReader reader = AudioFile.Open(path);
        Assert.Equal(48000, reader.SampleRate);
        float[] decoded = reader.ReadAll();
        Assert.Equal(samples.Length, decoded.Length);
        Assert.Empty(reader.Warnings);
        float[] source = [.. samples.Select(sample => sample / 32768f)];
        foreach (int start in new[] { 4000, samples.Length - 12_000 })
            Assert.Equal(0, SignalLag.Of(source, decoded, start, 8000, 3000));
    }

    /// <summary>
    /// What a file does not tell is named. The lags are those of the codecs: 1,105 = 576 of LAME and 529 of the decoder; 1,024 of ffmpeg's
    /// AAC; 481 and 256 of the filters of layer 2 and AC-3. ffmpeg's WMA
    /// lies a block early where its decoder is left alone (findings/ffmpeg-wma-start.sh).
    /// </summary>
    [Theory]
    [InlineData("no tag.mp3", 1105, "without a LAME tag", "-write_xing", "0")]
    [InlineData("song.aac", 1024, "without a container", "-c:a", "aac")]
    [InlineData("song.wma", 0, "Windows Media Audio")]
    [LongInlineData("song.mp2", 481, "layer 1 or 2")]
    [LongInlineData("song.ac3", 256, "Dolby Digital")]
    [LongInlineData("song.avi", 1105, "in an AVI file", "-c:a", "libmp3lame")]
    [LongInlineData("one.wma", 0, "Windows Media Audio", "-c:a", "wmav1")]
    [LongInlineData("slow.wma", 0, "Windows Media Audio", "-ar", "22050")]
    [LongInlineData("slower.wma", 0, "Windows Media Audio", "-ar", "16000")]
    [LongInlineData("slow one.wma", 0, "Windows Media Audio", "-c:a", "wmav1", "-ar", "32000")]
    public void Where_a_file_does_not_say_where_its_music_begins_or_ends_that_is_named(
        string name,
        int late,
        string words,
        params string[] options
    )
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        int rate = options.Contains("-ar") ? int.Parse(options[^1], System.Globalization.CultureInfo.InvariantCulture) : 44100;
        Random random = new(4);
        double low = 0;
        int[] samples = [.. Enumerable.Range(0, 40_001).Select(_ => (int)(9000 * (low = (0.9 * low) + (random.NextDouble() - 0.5))))];
        string path = _folder.File(name);
        ExternalTool.Run(ffmpeg, ["-v", "error", "-i", _folder.Write("source.wav", WavBytes.Pcm16(rate, 1, samples)), .. options, path]);
        using AudioReader reader = AudioFile.Open(path);
        float[] decoded = reader.ReadAll();
        Assert.Contains(words, Assert.Single(reader.Warnings), StringComparison.Ordinal);
        Assert.InRange(decoded.Length, samples.Length, samples.Length + late + 3072);
        float[] source = [.. samples.Select(sample => sample / 32768f)];
        // At the very beginning, too.
        foreach (int start in new[] { 0, samples.Length - 12_000 })
            Assert.Equal(late, SignalLag.Of(source, decoded, start, 8000, 3000));
    }

    [Fact]
    public void Samples_that_ffmpeg_is_known_to_misread_are_refused()
    {
        string line = "echo '[info]   Stream #0:0 -> #0:0 (pcm_f24le (native) -> pcm_f32le (native))' >&2";
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            FFmpegReader.Open(_folder.Write("a.avi", [1]), Script($"{line}; {Header()}; head -c 4000 /dev/zero"))
        );
        Assert.Equal(DemucsError.AudioFormatUnsupported, refused.Error);
        Assert.Contains("ffmpeg reads such files wrongly (pcm_f24le via ffmpeg)", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("goes on", null, false)]
    [InlineData("[error] file:/a.mp3: Invalid data", "file:/a.mp3: Invalid data")]
    [InlineData("[mp3float @ 0x55660a3ff980] [error] Header missing", "mp3float: Header missing")]
    [InlineData("[fatal] gone", "gone")]
    [InlineData("[info]   title : [error] not one", null)]
    [InlineData("[mp3 @ 0x1] [warning] Estimating duration", null)]
    [InlineData("ffmpeg: error while loading shared libraries: libx.so", "ffmpeg: error while loading shared libraries: libx.so")]
    [InlineData("  ", null)]
    public void Error_lines_are_told_from_others(string line, string? expected, bool afterError = true) =>
        Assert.Equal(expected, FFmpegLog.ErrorIn(line, afterError));

    [Theory]
    [InlineData("[info]   Stream #0:1 -> #0:0 (mp3 (mp3float) -> pcm_f32le (native))", "mp3")]
    [InlineData("[info]   Stream #0:0 -> #0:0 (adpcm_ms (native) -> pcm_f32le (native))", "adpcm_ms")]
    [InlineData("[info]   Stream #0:0: Audio: mp3", null)]
    [InlineData("[error]  Stream #0:0 -> #0:0 (mp3", null)]
    [InlineData("[info]  Stream #0:0 -> #0:0 (", null)]
    public void The_codec_is_taken_from_the_stream_that_is_decoded(string line, string? expected) =>
        Assert.Equal(expected, FFmpegLog.CodecIn(line));

    [Theory]
    [InlineData("[info]   Stream #0:1[0x2](eng): Audio: aac (LC), 48000 Hz, stereo", "(eng) aac (LC), 48000 Hz, stereo")]
    [InlineData("[info]   Stream #0:0: Audio: mp3, 44100 Hz, mono", "mp3, 44100 Hz, mono")]
    [InlineData("[info]   Stream #0:0: Video: h264", null)]
    [InlineData("[info]   Stream #0:1 -> #0:0 (mp3 (mp3float) -> pcm_f32le (native))", null)]
    [InlineData("[info]     Stream #0:1[0x2](eng): Audio: aac (LC), 48000 Hz, stereo", "(eng) aac (LC), 48000 Hz, stereo")]
    [InlineData("[info]       Stream #0:0: Audio: a tag", null)]
    [InlineData("[info]     title : Stream #0:0: Audio: x", null)]
    public void Audio_streams_are_listed(string line, string? expected) => Assert.Equal(expected, FFmpegLog.AudioStreamIn(line));

    /// <summary>The addresses differ, so ffmpeg itself has not left any out of the first; of the last it has.</summary>
    [Fact]
    public void Error_lines_that_repeat_are_told_once_with_their_number()
    {
        string[] lines =
        [
            .. Enumerable.Range(0, 12).Select(i => $"[mp3float @ 0x{i:x}] [error] Header missing"),
            "[error] Invalid data.",
            "[mp3float @ 0x1] [error] Header missing",
            "[mp3 @ 0x2] [warning] It may be damaged",
            "    Last message repeated 7 times",
            "[mp3float @ 0x1] [error] Header missing",
            "[mjpeg @ 0x3] [error] attached picture: no JPEG",
            "    Last message repeated 3 times",
            "[error] The end.",
            "    Last message repeated 2 times",
        ];
        FFmpegLog log = new(new MemoryStream(WavBytes.Text(string.Join('\n', lines))));
        Assert.True(log.WaitForEnd(TimeSpan.FromMinutes(1)));
        Assert.Equal(
            "mp3float: Header missing (12 times). Invalid data. mp3float: Header missing (2 times). The end (3 times).",
            log.Errors
        );
    }

    private static int[] Sine(int count) => [.. Enumerable.Range(0, count).Select(i => (int)(8000 * Math.Sin(i * 0.07)))];

    private static string Header()
    {
        byte[] bytes = WavBytes.FileNamed("RIFF", WavBytes.Format(WavBytes.Float, 1, 44100, 32), WavBytes.Chunk("data", [], 0xFFFFFFFF));
        return "printf '" + string.Concat(bytes.Select(value => "\\" + Convert.ToString(value, 8).PadLeft(3, '0'))) + "'";
    }

    private string Script(string commands)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("A shell script stands in for ffmpeg, and Windows runs none.");
        return _folder.WriteProgram(Guid.NewGuid() + ".sh", WavBytes.Text("#!/bin/sh\n" + commands + "\n"));
    }

    private void ReadsBackThroughFFmpeg(string name)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        int[] samples = Sine(5000);
        string path = _folder.Write(name, WavBytes.Pcm16(22050, 1, samples));
        using FFmpegReader reader = FFmpegReader.Open(path, ffmpeg);
        Assert.Equal(samples.Select(value => value / 32768f), reader.ReadAll());
        Assert.Equal("pcm_s16le via ffmpeg", reader.Codec);
        Assert.Equal(0, reader.Read(new float[10]));
        Assert.Empty(reader.Warnings);
    }
}
