using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Audio;
using TemporaryFolder = DemucsPS.Tests.Shared.TemporaryFolder;

namespace DemucsPS.Engine.Tests.Encoders;

public sealed class StemEncodingTests
{
    private static readonly StemRequest s_vocals = new() { Stems = ["vocals"] };

    private static readonly Dictionary<string, string> s_usual = new()
    {
        ["title"] = "A Song",
        ["artist"] = "Somebody",
        ["album"] = "A Record",
        ["albumartist"] = "Several",
        ["date"] = "2001",
        ["track"] = "3/12",
        ["genre"] = "Rock",
        ["comment"] = "well",
    };

    [Theory]
    [LongInlineData(StemFileFormat.Flac, 16, false)]
    [InlineData(StemFileFormat.Flac, 16, true)]
    [InlineData(StemFileFormat.Flac, 24, false)]
    [LongInlineData(StemFileFormat.Flac, 24, true)]
    [InlineData(StemFileFormat.Alac, 16, false)]
    [InlineData(StemFileFormat.Alac, 24, true)]
    public void Lossless_files_decode_to_the_samples_of_the_wave_file(StemFileFormat file, int bits, bool dither)
    {
        ExternalTool.FindOrSkip("ffmpeg");
        using EncodedSong song = new();
        IReadOnlyDictionary<string, string> wave = song.Separate(StemFormat.Create(StemFileFormat.Wav, bits, dither: dither));
        SeparationResult plain = song.Result!;
        IReadOnlyDictionary<string, string> encoded = song.Separate(StemFormat.Create(file, bits, dither: dither));
        Assert.Equal(plain.Gain, song.Result!.Gain);
        Assert.Equal(
            plain.Stems.Select(s => (s.StemName, s.Peak, s.ClippedSamples)),
            song.Result.Stems.Select(s => (s.StemName, s.Peak, s.ClippedSamples))
        );
        Assert.Equal(wave.Keys, encoded.Keys);
        foreach ((string stem, string path) in wave)
        {
            float[] expected = EncodedSong.Samples(path);
            Assert.Equal(2 * EncodedSong.Frames, expected.Length);
            Assert.Equal(expected, EncodedSong.Samples(encoded[stem]));
        }
    }

    [Fact]
    public void Samples_beyond_full_scale_are_counted_in_flac_as_in_wave_files()
    {
        ExternalTool.FindOrSkip("ffmpeg");
        using EncodedSong song = new();
        song.Separate(StemFormat.Create(StemFileFormat.Wav, 16, clip: ClipMode.None));
        SeparationResult plain = song.Result!;
        song.Separate(StemFormat.Create(StemFileFormat.Flac, 16, clip: ClipMode.None));
        Assert.Contains(plain.Stems, s => s.ClippedSamples > 0);
        Assert.Equal(plain.Stems.Select(s => s.ClippedSamples), song.Result!.Stems.Select(s => s.ClippedSamples));
    }

    [Theory]
    [InlineData(StemFileFormat.Mp3, null, null, 20)]
    [InlineData(StemFileFormat.Mp3, 128, null, 10)]
    [LongInlineData(StemFileFormat.Mp3, null, 0, 20)]
    [LongInlineData(StemFileFormat.Aac, null, null, 20)]
    [InlineData(StemFileFormat.Opus, null, null, 15)]
    public void Files_with_losses_line_up_to_the_sample(StemFileFormat file, int? bitRate, int? quality, double decibels)
    {
        ExternalTool.FindOrSkip("ffmpeg");
        using EncodedSong song = new();
        StemRequest bass = new() { Stems = ["bass"] };
        float[] expected = EncodedSong.Samples(song.Separate(StemFormat.Create(StemFileFormat.Wav, 24), bass)["bass"]);
        string path = song.Separate(StemFormat.Create(file, bitRate: bitRate, quality: quality), bass)["bass"];
        List<float> left = [],
            right = [];
        using (StereoTrackReader reader = StereoTrackReader.Open(new TrackSource(path)))
        {
            Assert.Equal(file == StemFileFormat.Opus ? 48000 : 44100, reader.SourceSampleRate);
            float[] l = new float[4096],
                r = new float[4096];
            for (int read; (read = reader.Read(l, r)) > 0;)
            {
                left.AddRange(l.AsSpan(0, read));
                right.AddRange(r.AsSpan(0, read));
            }
        }
        // Opus: 44,100 Hz, 48,000 Hz and back; a frame may be lost in rounding at either step.
        int tolerance = file == StemFileFormat.Opus ? 1 : 0;
        Assert.InRange(left.Count, EncodedSong.Frames - tolerance, EncodedSong.Frames + tolerance);
        if (file == StemFileFormat.Aac)
            Assert.Equal(EncodedSong.Frames, EncodedSong.Probe(path).GetProperty("streams")[0].GetProperty("duration_ts").GetInt64());
        float[] mid = [.. Enumerable.Range(0, Math.Min(left.Count, EncodedSong.Frames)).Select(i => left[i] + right[i])];
        float[] reference = [.. Enumerable.Range(0, mid.Length).Select(i => expected[2 * i] + expected[2 * i + 1])];
        Assert.Equal(0, SignalLag.Of(reference, mid, 20000, 20000, 1500));
        double noise = reference.Zip(mid, (a, b) => (double)(a - b) * (a - b)).Sum(),
            signal = reference.Sum(a => (double)a * a);
        Assert.InRange(10 * Math.Log10(signal / noise), decibels, 200);
    }

    [Fact]
    public void Equal_stems_give_equal_files()
    {
        ExternalTool.FindOrSkip("ffmpeg");
        using EncodedSong song = new();
        StemFileFormat[] all = [StemFileFormat.Flac, StemFileFormat.Mp3, StemFileFormat.Aac, StemFileFormat.Alac, StemFileFormat.StemMp4];
        foreach (StemFileFormat file in all[..TestSet.Size(2, all.Length)])
        {
            StemRequest choice = file == StemFileFormat.StemMp4 ? new() { StemMp4 = true } : new() { Stems = ["drums"] };
            byte[][] runs =
            [
                .. Enumerable.Range(0, 2).Select(_ => File.ReadAllBytes(song.Separate(StemFormat.Create(file), choice).Values.First())),
            ];
            Assert.Equal(runs[0], runs[1]);
        }
    }

    [Theory]
    [InlineData("song.flac", StemFileFormat.Flac)]
    [InlineData("song.flac", StemFileFormat.Mp3)]
    [InlineData("song.mp3", StemFileFormat.Aac)]
    [LongInlineData("song.m4a", StemFileFormat.Alac)]
    [InlineData("song.m4a", StemFileFormat.Opus)]
    [InlineData("song.flac", StemFileFormat.Wav)]
    [InlineData("song.flac", StemFileFormat.StemMp4)]
    public void Tags_and_cover_survive(string source, StemFileFormat file)
    {
        ExternalTool.FindOrSkip("ffmpeg");
        using EncodedSong song = new();
        song.Convert(source, s_usual, cover: true);
        string path = song.Separate(StemFormat.Create(file), file == StemFileFormat.StemMp4 ? new StemRequest { StemMp4 = true } : s_vocals)
            .Values.Single();
        JsonElement probe = EncodedSong.Probe(path);
        Dictionary<string, string> tags = EncodedSong.Tags(probe);
        Assert.Equal(file == StemFileFormat.StemMp4 ? "A Song" : "A Song (vocals)", tags["title"]);
        foreach (string field in new[] { "artist", "album", "date", "track", "genre" })
            Assert.Equal(s_usual[field], tags[field]);
        // INFO chunks have no field for it.
        Assert.Equal(file != StemFileFormat.Wav, tags.GetValueOrDefault("album_artist") == "Several");
        Assert.DoesNotMatch(@"Lav[fc]\d", tags.GetValueOrDefault("encoder") ?? "");
        JsonElement[] pictures =
        [
            .. probe.GetProperty("streams").EnumerateArray().Where(s => s.GetProperty("codec_type").GetString() == "video"),
        ];
        if (file == StemFileFormat.Wav)
        {
            Assert.Empty(pictures);
            return;
        }
        Assert.Equal("png", Assert.Single(pictures).GetProperty("codec_name").GetString());
        Assert.Equal(1, pictures[0].GetProperty("disposition").GetProperty("attached_pic").GetInt32());
        Assert.Equal(
            File.ReadAllBytes(song.Folder["cover.png"]),
            CoverArt.Read(path, TrackHeader.Read(new TrackSource(path)).Picture!, ExternalTool.FindOrSkip("ffmpeg"))!.Data.ToArray()
        );
        // What the product itself reads.
        using AudioReader reader = AudioFile.Open(path);
        Assert.Equal(tags["title"], reader.Tags["title"]);
        Assert.Equal("Several", reader.Tags["albumartist"]);
    }

    [Theory]
    [InlineData(StemFileFormat.Wav)]
    [InlineData(StemFileFormat.Flac)]
    [InlineData(StemFileFormat.Mp3)]
    [InlineData(StemFileFormat.Aac)]
    [InlineData(StemFileFormat.Opus)]
    public void Hostile_tags_are_only_text(StemFileFormat file)
    {
        ExternalTool.FindOrSkip("ffmpeg");
        Dictionary<string, string> hostile = new()
        {
            ["title"] = "a=b;c#d\\e\n[STREAM]\ntitle=x\n;FFMETADATA1 \u202E\u05E9\u05DC\u05D5\u05DD 'q' \"q\" `x` $(y) %d ../../z -y",
            ["artist"] = new string('x', 300),
            ["album"] = "  Stream #0:5: Video: png (attached pic)",
            ["comment"] = "one\n  Stream #0:7: Video: png (attached pic)\nthree",
        };
        using EncodedSong song = new();
        song.Convert("song.flac", hostile, cover: false);
        string path = song.Separate(StemFormat.Create(file), s_vocals, template: "{artist}/{album}/{title} ({stem})")["vocals"];
        Assert.True(File.Exists(path));
        Assert.StartsWith(song.Folder["out0"] + Path.DirectorySeparatorChar, path, StringComparison.Ordinal);
        Dictionary<string, string> tags = EncodedSong.Tags(EncodedSong.Probe(path));
        Assert.Equal(hostile["title"] + " (vocals)", tags["title"]);
        Assert.Equal(hostile["artist"], tags["artist"]);
        Assert.Equal(hostile["album"].Trim(), tags["album"]);
        Assert.Equal(hostile["comment"], tags.GetValueOrDefault("comment") ?? tags["description"]);
        Assert.DoesNotContain("x", tags.Keys);
    }

    [Fact]
    public void Stems_have_no_tags_where_they_are_not_wanted_or_the_source_has_none()
    {
        ExternalTool.FindOrSkip("ffmpeg");
        using EncodedSong song = new();
        Assert.DoesNotContain(
            "title",
            EncodedSong.Tags(EncodedSong.Probe(song.Separate(StemFormat.Create(StemFileFormat.Flac), s_vocals)["vocals"])).Keys
        );
        song.Convert("song.flac", s_usual, cover: true);
        JsonElement probe = EncodedSong.Probe(song.Separate(StemFormat.Create(StemFileFormat.Flac), s_vocals, copyTags: false)["vocals"]);
        Assert.DoesNotContain("artist", EncodedSong.Tags(probe).Keys);
        Assert.Single(probe.GetProperty("streams").EnumerateArray());
        song.Convert(
            "untitled.flac",
            new Dictionary<string, string>
            {
                ["artist"] = "Somebody",
                ["replaygain_track_gain"] = "-3 dB",
                ["isrc"] = "x",
            },
            cover: false
        );
        Dictionary<string, string> tags = EncodedSong.Tags(
            EncodedSong.Probe(song.Separate(StemFormat.Create(StemFileFormat.Flac), s_vocals)["vocals"])
        );
        Assert.Equal("untitled (vocals)", tags["title"]);
        Assert.Equal(["artist", "title"], tags.Keys.Except(["encoder"]).Order());
    }

    [Fact]
    public void A_stem_mp4_has_the_mix_four_stems_and_the_atom()
    {
        ExternalTool.FindOrSkip("ffmpeg");
        using EncodedSong song = new();
        song.Convert("song.flac", s_usual, cover: true);
        // As loud as they are: the mix and the stems are wanted at the same gain.
        IReadOnlyDictionary<string, string> wave = song.Separate(StemFormat.Create(StemFileFormat.Wav, 32), copyTags: false);
        string path = song.Separate(StemFormat.Create(StemFileFormat.StemMp4), new StemRequest { StemMp4 = true })["stems"];
        float gain = song.Result!.Gain;
        Assert.InRange(gain, 0.01f, 0.99f);
        Assert.EndsWith(Path.Combine("model", "song.stem.mp4"), path, StringComparison.Ordinal);

        JsonElement[] streams = [.. EncodedSong.Probe(path).GetProperty("streams").EnumerateArray()];
        JsonElement[] audio = [.. streams.Where(s => s.GetProperty("codec_type").GetString() == "audio")];
        Assert.Equal(5, audio.Length);
        Assert.All(audio, s => Assert.Equal("aac", s.GetProperty("codec_name").GetString()));
        Assert.All(audio, s => Assert.Equal(EncodedSong.Frames, s.GetProperty("duration_ts").GetInt64()));
        Assert.Equal([1, 0, 0, 0, 0], audio.Select(s => s.GetProperty("disposition").GetProperty("default").GetInt32()));

        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        string[] signals = [song.Source, wave["drums"], wave["bass"], wave["other"], wave["vocals"]];
        for (int i = 0; i < 5; i++)
        {
            string decoded = song.Folder[$"stream{i}.wav"];
            ExternalTool.Run(ffmpeg, "-v", "error", "-i", path, "-map", $"0:a:{i}", "-c:a", "pcm_f32le", decoded);
            float[] got = EncodedSong.Samples(decoded),
                signal = EncodedSong.Samples(signals[i]);
            Assert.InRange(got.Length, 2 * EncodedSong.Frames, 2 * (EncodedSong.Frames + 1023));
            double noise = signal.Zip(got, (a, b) => Math.Pow(a * gain - b, 2)).Sum(),
                level = signal.Sum(a => Math.Pow(a * gain, 2));
            Assert.InRange(10 * Math.Log10(level / noise), 15, 200);
        }

        using JsonDocument atom = JsonDocument.Parse(Child(Child(Child(File.ReadAllBytes(path), "moov"), "udta"), "stem"));
        Assert.Equal(1, atom.RootElement.GetProperty("version").GetInt32());
        Assert.Equal(
            ["drums", "bass", "other", "vocals"],
            atom.RootElement.GetProperty("stems").EnumerateArray().Select(s => s.GetProperty("name").GetString())
        );
        Assert.All(atom.RootElement.GetProperty("stems").EnumerateArray(), s =>
            Assert.Matches("^#[0-9A-F]{6}$", s.GetProperty("color").GetString())
        );
        Assert.False(atom.RootElement.GetProperty("mastering_dsp").GetProperty("compressor").GetProperty("enabled").GetBoolean());
        Assert.False(atom.RootElement.GetProperty("mastering_dsp").GetProperty("limiter").GetProperty("enabled").GetBoolean());
    }

    [Fact]
    public void The_atom_is_added_where_there_is_no_user_data()
    {
        byte[] Box(string type, params byte[] content)
        {
            byte[] box = [0, 0, 0, 0, .. Encoding.ASCII.GetBytes(type), .. content];
            BinaryPrimitives.WriteInt32BigEndian(box, box.Length);
            return box;
        }
        byte[] start = [.. Box("ftyp", 1, 2, 3, 4), .. Box("mdat", 5, 6)];
        MemoryStream file = new();
        file.Write([.. start, .. Box("moov", Box("mvhd", 9))]);
        StemAtom.Append(file, "x.stem.mp4", ["mix", "a", "b", "c", "d"]);
        Assert.Equal(start, file.ToArray().Take(start.Length));
        Assert.Equal([9], Child(Child(file.ToArray(), "moov"), "mvhd"));
        Assert.Equal(StemAtom.Json(["a", "b", "c", "d"]), Child(Child(Child(file.ToArray(), "moov"), "udta"), "stem"));
        foreach (
            byte[] bad in new[]
            {
                Box("moov", 1),
                [.. Box("moov", Box("mvhd", 9)), .. Box("mdat", 1)],
                [.. Box("moov"), 0, 0],
                [0, 0, 0, 99, .. "moov"u8],
                [],
            }
        )
        {
            MemoryStream other = new();
            other.Write(bad);
            Assert.Equal(
                DemucsError.StemWriteFailed,
                Assert.Throws<DemucsException>(() => StemAtom.Append(other, "x", ["mix", "a", "b", "c", "d"])).Error
            );
        }
    }

    [Fact]
    public void Without_ffmpeg_every_format_but_wave_says_what_to_install()
    {
        foreach (StemFileFormat file in Enum.GetValues<StemFileFormat>().Except([StemFileFormat.Wav]))
        {
            DemucsException error = Assert.Throws<DemucsException>(() => FFmpegEncoders.Find(file, null));
            Assert.Equal(DemucsError.FFmpegNotFound, error.Error);
            Assert.Contains("apt install ffmpeg", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_ffmpeg_without_the_encoder_is_refused_before_any_work()
    {
        string poor = Script("echo ' A....D flac                 FLAC (Free Lossless Audio Codec)'", out TemporaryFolder folder);
        using (folder)
        {
            Assert.Equal(poor, FFmpegEncoders.Find(StemFileFormat.Flac, poor));
            DemucsException error = Assert.Throws<DemucsException>(() => FFmpegEncoders.Find(StemFileFormat.Opus, poor));
            Assert.Equal(DemucsError.FFmpegNotFound, error.Error);
            Assert.Contains("'libopus'", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("echo '[error] the words of ffmpeg' >&2; exit 1", "the words of ffmpeg")]
    [InlineData(
        "echo \"Unrecognized option 'movie_timescale'.\" >&2; exit 1",
        "Unrecognized option 'movie_timescale'. Install a newer ffmpeg: 4.0 or newer is needed."
    )]
    [InlineData("head -c 100000 > /dev/null; kill -9 $$", "failed with exit code")]
    [InlineData("cat > /dev/null", "ffmpeg wrote nothing")]
    [InlineData("head -c 100000 > /dev/null; exit 0", "ffmpeg ended before it had taken all samples. Check that")]
    public void An_ffmpeg_that_fails_dies_or_writes_nothing_is_an_error(string script, string because)
    {
        string ffmpeg = Script(script, out TemporaryFolder folder);
        using (folder)
        {
            using FFmpegEncoder encoder = Start(ffmpeg, folder, CancellationToken.None);
            DemucsException error = Assert.Throws<DemucsException>(() =>
            {
                for (int i = 0; i < 100; i++)
                    encoder.Write(new float[20000], 1);
                encoder.Complete();
            });
            Assert.Equal(DemucsError.StemWriteFailed, error.Error);
            Assert.Contains("song.flac", error.Message, StringComparison.Ordinal);
            Assert.Contains(because, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Canceling_ends_an_ffmpeg_that_hangs()
    {
        string ffmpeg = Script("exec sleep 600", out TemporaryFolder folder);
        using (folder)
        {
            using CancellationTokenSource stop = new();
            using FFmpegEncoder encoder = Start(ffmpeg, folder, stop.Token);
            Stopwatch time = Stopwatch.StartNew();
            stop.CancelAfter(300);
            Assert.ThrowsAny<OperationCanceledException>(() =>
            {
                while (time.Elapsed < TimeSpan.FromMinutes(5))
                    encoder.Write(new float[20000], 1);
            });
        }
    }

    private static FFmpegEncoder Start(string ffmpeg, TemporaryFolder folder, CancellationToken cancellationToken) =>
        FFmpegEncoder.Start(
            StemFormat.Create(StemFileFormat.Flac),
            ffmpeg,
            folder["song.flac"],
            44100,
            2,
            null,
            StemLabels.None,
            ["vocals"],
            cancellationToken
        );

    /// <summary>A program in place of ffmpeg.</summary>
    private static string Script(string text, out TemporaryFolder folder)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("The program is a shell script.");
        folder = new TemporaryFolder();
        // Written by another process, as Audio.TemporaryFolder.WriteProgram says.
        ExternalTool.Filter(
            "/bin/sh",
            Encoding.UTF8.GetBytes("#!/bin/sh\n" + text + "\n"),
            "-c",
            "cat > \"$0\" && chmod 500 \"$0\"",
            folder["ffmpeg"]
        );
        return folder["ffmpeg"];
    }

    /// <summary>The content of a box among others.</summary>
    private static byte[] Child(byte[] boxes, string type)
    {
        for (int at = 0; at < boxes.Length;)
        {
            int size = BinaryPrimitives.ReadInt32BigEndian(boxes.AsSpan(at));
            Assert.InRange(size, 8, boxes.Length - at);
            if (Encoding.ASCII.GetString(boxes, at + 4, 4) == type)
                return boxes[(at + 8)..(at + size)];
            at += size;
        }
        Assert.Fail($"There is no box '{type}'.");
        return [];
    }
}
