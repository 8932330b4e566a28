using System.Diagnostics;
using System.Text;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Audio.Id3;
using DemucsPS.Engine.Audio.Mpeg;
using DemucsPS.Engine.Audio.Tags;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Models.Quantization;
using DemucsPS.Engine.Models.Weights;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Tests.Audio;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tests.Models.Preparation;
using DemucsPS.Engine.Tests.Models.Weights;
using static DemucsPS.Engine.Tests.Audio.Wav.DialectBytes;
using static DemucsPS.Engine.Tests.Audio.WavBytes;
using TemporaryFolder = DemucsPS.Tests.Shared.TemporaryFolder;

namespace DemucsPS.Engine.Tests.Fuzzing;

/// <summary>
/// Every parser that reads foreign bytes, against damaged files: it ends, with a result or a <see cref="DemucsException"/>, within its
/// allowance of memory. The inputs are the
/// same in every run; the short set takes the first of them.
/// </summary>
public sealed class ParserFuzzTests
{
    private const int LongSet = 10_000,
        ShortSet = 400;
    private const string SomePath = "/music/damaged";

    private static readonly TemporaryFolder s_folder = TemporaryFolder.OfProcess();

    private static readonly TimeSpan s_longestParse = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(60);

    private static readonly ParserTarget[] s_targets =
    [
        new("WAV", WavFiles(), ReadAudio, 4 << 20),
        new("RIFX and Wave64", DialectFiles(), ReadAudio, 4 << 20),
        new(
            "WAV files that are joined",
            [
                Join(Pcm16(44100, 2, 1, 2, 3, 4), Pcm16(44100, 2, 1, 2)),
                Join([.. Enumerable.Repeat(Pcm16(44100, 1, 1, 2, 3), 20)]),
                Join(Pcm16(44100, 2, 1, 2), DialectFiles()[0]),
            ],
            ReadAudio,
            4 << 20
        ),
        new("AIFF-C", AiffCFiles(), ReadAudio, 4 << 20),
        new(
            "AU and CAF",
            [
                Join(Text("dns."), U32(24), U32(64), U32(3), U32(44100), U32(2), new byte[64]),
                Join(Text("dns."), U32(24), U32(64), U32(7), U32(44100), U32(2), new byte[64]),
            ],
            ReadAudio,
            24 << 20
        ),
        new(
            "ID3",
            [
                Id3Bytes.Tag(4, Id3Bytes.Text("TIT2", "A song"), Id3Bytes.Frame("APIC", new byte[300]), Id3Bytes.Text("TPE1", "A\0B")),
                Id3Bytes.Tag(3, 0x80, Id3Bytes.Text("TIT2", 1, Text("ÿþA\0")), Id3Bytes.Frame("PRIV", new byte[60])),
                Id3Bytes.Tag(2, Id3Bytes.Text("TT2", "A song")),
            ],
            ReadId3,
            2 << 20
        ),
        new("FLAC", FlacFiles(), ReadAudio, 24 << 20) { Mend = FlacMending.Mend },
        new(
            "AIFF",
            [
                AiffBytes.Make(48000, 2, 24, [.. Enumerable.Range(-1000, 2000)], 4, ("NAME", "A song"u8.ToArray())),
                AiffBytes.Make(44100, 1, 16, [.. Enumerable.Range(-500, 1000)]),
            ],
            ReadAudio,
            4 << 20
        ),
        new("ONNX", OnnxFiles(), static bytes => PreparedModel.Prepare(bytes), 32 << 20),
        new("weights of ONNX", [SmallModels.WithOutsideWeights("ü.data"), .. OnnxFiles()], ReadWeightsNames, 4 << 20),
        new(
            "ONNX in 8 bits",
            [
                SmallGraph.Build([32, 32], [32, 128], static (graph, x) =>
                    graph.Node("MatMul", [x, graph.Constant(new float[32 * 128], [32, 128])])
                ),
            ],
            ReduceToInt8,
            32 << 20
        ),
        new(
            "ffmpeg tags",
            [
                Encoding.UTF8.GetBytes(
                    ";FFMETADATA1\ntitle=A song\\\nof two lines\nARTIST=B\\=C\n[STREAM]\ntrack=3/12\n[CHAPTER]\ntitle=no\n"
                ),
            ],
            static bytes => FFmpegTags.Parse(Encoding.UTF8.GetString(bytes), new AudioTagBuilder()),
            8 << 20
        ),
        new(
            "ffmpeg log",
            [
                Encoding.UTF8.GetBytes(
                    "[mp3 @ 0x55d0] [error] Header missing\n[info]   Stream #0:1 -> #0:0 (mp3 (mp3float) -> pcm_f32le (native))\n[fatal] no\nrest\n"
                ),
            ],
            static bytes => new FFmpegLog(new MemoryStream(bytes)).WaitForEnd(Timeout.InfiniteTimeSpan),
            4 << 20
        ),
        new(
            "catalog",
            [Fixture("src", "DemucsPS.Engine", "Models", "Catalog", "catalog.json")],
            static bytes => CatalogReader.Read(bytes, SomePath, allowBuiltIn: true),
            16 << 20
        ),
        new("FLAC, several and numbered", [SeveralFlacFiles()], ReadAudio, 24 << 20) { Mend = FlacMending.Mend },
        new(
            "MP3",
            [Mp3File()],
            static bytes =>
                MpegDamage
                    .Find(new ByteSource(new MemoryStream(bytes), SomePath))
                    ?.WriteMended(new ByteSource(new MemoryStream(bytes), SomePath), Stream.Null),
            4 << 20
        ),
        new(
            "tags and pictures",
            TaggedFiles(),
            static bytes => FileTags.Read(new ByteSource(new MemoryStream(bytes), SomePath), wantsPicture: true),
            16 << 20
        ),
        new(
            "tags of MP4",
            [FileTagBytes.Movie(("\u00A9ART", 1, ["A"u8.ToArray(), "B"u8.ToArray()]), ("covr", 13, [FileTagBytes.Png]))],
            static bytes => Mp4Tags.Read(bytes, new AudioTagBuilder()),
            8 << 20
        ),
        new(
            "second files",
            [SecondMp4()],
            static bytes => ConcatenatedFile.Find(new ByteSource(new MemoryStream(bytes), SomePath)),
            1 << 20
        ),
        new(
            "journal",
            [Fixture("tests", "fixtures", "records", "journal.json")],
            static bytes => SeparationJournal.Read(Saved(bytes)),
            16 << 20
        ),
        new(
            "provenance",
            [Fixture("tests", "fixtures", "records", "provenance.json")],
            static bytes => SeparationProvenance.Read(Saved(bytes)),
            16 << 20
        ),
        new(
            "playlist",
            [
                Encoding.UTF8.GetBytes(
                    "#EXTM3U\n#EXTINF:12,Somebody - A song\nA song.flac\r\nfile:///music/b%20c.wav\n100%25%20%C3%A9%E9.mp3\nfile://localhost/%00#?%zz.wav\n..\\d.wav\nhttp://example.org/e.mp3\n"
                ),
            ],
            static bytes => Playlist.Read(Saved(bytes), static refused => Assert.NotEmpty(refused.Message)),
            8 << 20
        ),
        new(
            "CUE sheet",
            [
                Encoding.Latin1.GetBytes(
                    "PERFORMER \"Somebody\"\r\nTITLE \"An album\"\r\nFILE \"a.flac\" WAVE\r\n  TRACK 01 AUDIO\r\n    TITLE \"\u00c9t\u00e9\"\r\n    INDEX 01 00:00:00\r\n  TRACK 02 AUDIO\r\n    INDEX 00 03:58:10\r\n    INDEX 01 04:00:74\r\n"
                ),
                Encoding.UTF8.GetBytes(
                    "REM GENRE \"New \"Wave\"\"\nTITLE An album\nFILE \"a \"b\".wav\" WAVE\n  TRACK 01 AUDIO\n    FLAGS DCP PRE\n    TITLE \"12\" \\\"Mix\\\"\"\n    INDEX 00 00:00:00\n    INDEX 01 00:31:00\nFILE c%20d.wav WAVE\n  TRACK 02 AUDIO\n    INDEX 01 00:02:00\n"
                ),
            ],
            static bytes => CueSheet.Read(Saved(bytes), static sentence => Assert.NotEmpty(sentence)),
            8 << 20
        ),
        new("safetensors", SafetensorsFiles(), ReadSafetensors, 4 << 20) { Mend = SafetensorsBytes.Mend },
        new(
            "bag of models",
            [
                Encoding.UTF8.GetBytes(
                    "models: ['f7e0c4bc', 'd12395a8']\nweights: [\n  [1., 0., 0.],  # drums\n  [0., 1., 1.],\n]\nsegment: 7\n"
                ),
                Encoding.UTF8.GetBytes("---\nmodels:\n  - a\n  - b\nweights:\n- - 1\n  - 0\n- [0, 1]\n"),
            ],
            static bytes => BagFile.Parse(bytes, SomePath),
            4 << 20
        ),
        new(
            "times of ffmpeg",
            [
                Encoding.UTF8.GetBytes(
                    "#software: Lavf59.27.100\n#tb 0: 1/44100\n#media_type 0: audio\n#tb 1: 1/90000\n1, 126000, 129600, 3600, 131, 0x7d96282c, S=2, 1, 40\n0, 85073, 85073, 1152, 9216, 0x37287eab\n"
                ),
            ],
            static bytes =>
                Assert.InRange(FFmpegStart.Late(Encoding.UTF8.GetString(bytes), 44100, bytes.Length % 2 == 0, 0.5, 0), 0, long.MaxValue),
            4 << 20
        ),
        new("ASF", [AsfObjects()], static bytes => AsfHeader.DelayOf(bytes, 0), 4 << 20),
        new("MP4", [Movie(), MovieBegunLate()], static bytes => Mp4Length.LengthOf(bytes, 0, 44100), 1 << 20),
    ];

    public static TheoryData<string> Targets => new(s_targets.Select(t => t.Name));

    [Theory]
    [MemberData(nameof(Targets))]
    public void No_input_crashes_a_parser_hangs_it_or_fills_the_memory(string name)
    {
        ParserTarget target = s_targets.Single(t => t.Name == name);
        int inputs = TestSet.Size(ShortSet, LongSet);

        // Whole files first: a parser that refuses everything would pass all the rest.
        foreach (byte[] file in target.Corpus)
            target.Parse(file);
        byte[] current = [];
        long started = Stopwatch.GetTimestamp();
        string? failure = null;
        int read = 0;
        Thread worker = new(() =>
        {
            for (int number = 0; number < inputs && failure is null; number++)
            {
                byte[] input = new ByteMutator(number).Next(target.Corpus);
                if (number % 2 == 1)
                    input = target.Mend(input);
                Volatile.Write(ref current, input);
                Interlocked.Exchange(ref started, Stopwatch.GetTimestamp());
                failure = Failure(target, input, out bool refused) is { } what ? $"{target.Name}, input {number}: {what}" : null;
                read += refused ? 0 : 1;
            }
        });
        worker.IsBackground = true;
        worker.Start();
        while (!worker.Join(TimeSpan.FromSeconds(1)))
            Assert.False(
                Stopwatch.GetElapsedTime(Interlocked.Read(ref started)) > s_hang,
                $"{target.Name} hangs on this input: {Convert.ToBase64String(Volatile.Read(ref current))}"
            );
        Assert.Null(failure);
        // Where hardly anything is read to its end, the damage is too great to reach what lies behind a file's first bytes.
        Assert.True(read > inputs / 100, $"{target.Name}: only {read} of {inputs} inputs were read.");
    }

    [Fact]
    public void A_parser_with_a_fault_is_found()
    {
        ParserTarget crash = new(
            "crash",
            [
                [1],
            ],
            static bytes => bytes[bytes.Length] = 0,
            1 << 20
        );
        ParserTarget large = new(
            "large",
            [
                [1],
            ],
            static bytes => GC.KeepAlive(new byte[bytes.Length << 21]),
            1 << 20
        );
        ParserTarget silent = new(
            "silent",
            [
                [1],
            ],
            static _ => throw new DemucsException(DemucsError.AudioTrackCorrupt, ""),
            1 << 20
        );
        Assert.Contains(nameof(IndexOutOfRangeException), Failure(crash, [1], out _));
        Assert.Contains("bytes allocated", Failure(large, [1], out _));
        Assert.Contains(nameof(DemucsException), Failure(silent, [1], out _));
        Assert.Null(
            Failure(
                crash with
                {
                    Parse = static _ => throw new DemucsException(DemucsError.AudioTrackCorrupt, "It is damaged."),
                },
                [1],
                out bool told
            )
        );
        Assert.True(told);
    }

    private static string? Failure(ParserTarget target, byte[] input, out bool refused)
    {
        refused = false;
        // One slow run may be the machine's fault; three are the parser's.
        TimeSpan quickest = TimeSpan.MaxValue;
        for (int run = 0; run < 3 && quickest > s_longestParse; run++)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread(),
                start = Stopwatch.GetTimestamp();
            try
            {
                target.Parse(input);
            }
            catch (DemucsException e) when (e.Message.Length > 0)
            {
                refused = true;
            }
            catch (Exception e)
            {
                return $"{e}\n{Convert.ToBase64String(input)}";
            }
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            quickest = elapsed < quickest ? elapsed : quickest;
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            if (allocated > target.Allowance)
                return $"{allocated:N0} bytes allocated, {target.Allowance:N0} are allowed\n{Convert.ToBase64String(input)}";
        }
        return quickest > s_longestParse ? $"{quickest.TotalSeconds:F1} s\n{Convert.ToBase64String(input)}" : null;
    }

    private static void ReadAudio(byte[] bytes)
    {
        using AudioReader? reader = AudioFile.OpenBuiltIn(new ByteSource(new MemoryStream(bytes), SomePath));
        if (reader is null)
            return;
        float[] block = new float[1024 * reader.Channels];
        int frames;
        while ((frames = reader.Read(block)) > 0)
            Assert.InRange(frames, 1, 1024);
    }

    private static void ReadId3(byte[] bytes)
    {
        AudioTagBuilder tags = new();
        ByteSource source = new(new MemoryStream(bytes), SomePath);
        Assert.InRange(Id3v2.Read(source, bytes.Length, tags), 0, bytes.Length);
        Assert.InRange(source.Position, 0, bytes.Length);
        tags.Build();
    }

    private static byte[] Fixture(params string[] path) => System.IO.File.ReadAllBytes(Path.Combine([RepositoryFiles.Root, .. path]));

    // For parsers that take a path. One a thread: parsers are tested side by side.
    private static string Saved(byte[] bytes)
    {
        string path = s_folder[$"{Environment.CurrentManagedThreadId}"];
        System.IO.File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>The objects of a WMA file's header: one stream, and the name of the encoder.</summary>
    private static byte[] AsfObjects()
    {
        byte[] stream = Join(
            new Guid("F8699E40-5B4D-11CF-A8FD-00805F5C442B").ToByteArray(),
            new byte[38],
            U16(0x161),
            U16(2),
            U32(44100),
            new byte[10]
        );
        byte[] name = Encoding.Unicode.GetBytes("WM/EncodingSettings\0"),
            value = Encoding.Unicode.GetBytes("Lavf59.27.100\0");
        return Join(
            Object("B7DC0791-A9B7-11CF-8EE6-00C00C205365", stream),
            Object(
                "D2D0A440-E307-11D2-97F0-00A0C95EA850",
                Join(U16(1), U16((ushort)name.Length), name, U16(0), U16((ushort)value.Length), value)
            )
        );

        static byte[] Object(string id, byte[] content) =>
            Join(new Guid(id).ToByteArray(), BitConverter.GetBytes(24L + content.Length), content);
    }

    /// <summary>As <see cref="Movie"/>, with an empty edit before the other.</summary>
    private static byte[] MovieBegunLate()
    {
        byte[] movie = Movie();
        int edits = movie.AsSpan().IndexOf("elst"u8) + 8,
            track = movie.AsSpan().IndexOf("trak"u8) - 4,
            list = edits - 12,
            both = list - 8;
        byte[] late = [.. movie[..(edits + 4)], 0, 0, 1, 0xF4, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1, 0, 0, .. movie[(edits + 4)..]];
        late[edits + 3] = 2;
        foreach (int box in new[] { track, list, both })
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(
                late.AsSpan(box),
                System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(late.AsSpan(box)) + 12
            );
        return late;
    }

    /// <summary>The 'moov' box's content of a file with one audio track: clocks, a handler and an edit list.</summary>
    private static byte[] Movie()
    {
        byte[] header = Box("mvhd", U32Big(0), U32Big(0), U32Big(0), U32Big(1000), U32Big(1000));
        byte[] handler = Box("hdlr", U32Big(0), U32Big(0), Text("soun"), new byte[12]);
        byte[] clock = Box("mdhd", U32Big(0), U32Big(0), U32Big(0), U32Big(44100), U32Big(45124));
        byte[] edits = Box("edts", Box("elst", U32Big(0), U32Big(1), U32Big(1000), U32Big(1024), U32Big(0x10000)));
        return Join(header, Box("trak", edits, Box("mdia", clock, handler)));

        static byte[] U32Big(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

        static byte[] Box(string name, params byte[][] content) =>
            Join(U32Big((uint)(8 + content.Sum(c => c.Length))), Text(name), Join(content));
    }

    private static byte[][] SafetensorsFiles()
    {
        SafetensorsBytes file = SafetensorsBytes.Small();
        for (int i = 0; i < 5; i++)
            file.With($"crosstransformer.layers.{i}.norm1.bias", (WeightType)(i % 3), [i, 2], new float[2 * i]);
        // Mostly tensors, since few headers that are damaged are headers still.
        file.With("freq_emb.embedding.weight", WeightType.Float16, [32, 64], new float[2048]);
        return [file.ToBytes(), SafetensorsBytes.Small().ToBytes()];
    }

    private static void ReadSafetensors(byte[] bytes)
    {
        using HTDemucsWeights weights = HTDemucsWeights.Open(new MemoryStream(bytes), SomePath, static warning => Assert.NotEmpty(warning));
        weights.Identify();
        foreach (WeightTensor tensor in weights.Tensors)
            weights.Read(tensor.Name, [.. tensor.Shape]);
        weights.RefuseUnused();
    }

    /// <summary>Two streams with a tag between, whose frames are numbered: what is between frames is told by it.</summary>
    private static byte[] SeveralFlacFiles()
    {
        byte[] file = FlacBits.Stream(
            FlacBits.StreamInfo(1, 16, 160, maxBlockSize: 16),
            [
                .. Enumerable
                    .Range(0, 10)
                    .Select(i =>
                        FlacBits.Frame(
                            16,
                            0,
                            bits => bits.Verbatim(Enumerable.Range(16 * i, 16).Select(s => (long)s), 16),
                            bitsCode: 4,
                            rateCode: 9,
                            number: [(byte)i]
                        )
                    ),
            ]
        );
        return Join(file, Text("TAG"), new byte[125], file);
    }

    private static byte[] Mp3File()
    {
        byte[] file = [.. "ID3\u0004\0\0\0\0\0\u0005zeros"u8, .. new byte[8 * 417]];
        new Random(1).NextBytes(file.AsSpan(15));
        for (int i = 0; i < 8; i++)
            FileTagBytes.Big(0xFFFB_9000).CopyTo(file, 15 + (417 * i));
        return file;
    }

    private static byte[][] TaggedFiles()
    {
        byte[] block = FileTagBytes.PictureBlock("image/png", FileTagBytes.Png);
        byte[] comments = FileTagBytes.Comments("ARTIST=A", "ARTIST=B", "METADATA_BLOCK_PICTURE=" + Convert.ToBase64String(block));
        return
        [
            FileTagBytes.Flac((4, comments), (6, block)),
            FileTagBytes.Ogg(true, comments, 300),
            FileTagBytes.Ogg(false, comments),
            FileTagBytes.Id3(
                4,
                FileTagBytes.TextFrame(4, "TPE1", 3, "A", "B"),
                FileTagBytes.PictureFrame(4, "image/png", FileTagBytes.Png)
            ),
            FileTagBytes.Id3(3, FileTagBytes.TextFrame(3, "TPE1", 1, "A", "B"), FileTagBytes.PictureFrame(3, "", FileTagBytes.Png)),
            FileTagBytes.Id3(2, FileTagBytes.TextFrame(2, "TP1", 0, "A", "B"), FileTagBytes.PictureFrame(2, "PNG", FileTagBytes.Png)),
        ];
    }

    private static byte[] SecondMp4()
    {
        byte[] mp4 = Join(
            FileTagBytes.Box("ftyp", new byte[8]),
            FileTagBytes.Box("mdat", new byte[20]),
            FileTagBytes.Box("moov", new byte[20])
        );
        return Join(mp4, mp4);
    }

    private static byte[][] WavFiles()
    {
        byte[] samples = Join([.. Enumerable.Range(0, 96).Select(i => U16(i * 341))]);
        byte[] info = Chunk("LIST", Join(Text("INFO"), Chunk("INAM", Text("A song\0")), Chunk("IART", Text("Somebody"))));
        return
        [
            Pcm16(44100, 2, [.. Enumerable.Range(0, 64)]),
            File(Format(Pcm, 1, 8000, 8), Chunk("data", samples)),
            File(Format(Pcm, 2, 48000, 24), info, Chunk("data", samples)),
            File(
                Format(Float, 2, 96000, 32),
                Chunk("fact", U32(24)),
                Chunk("data", Join([.. Enumerable.Range(0, 48).Select(i => F32(i / 50f))])),
                info
            ),
            File(Format(Float, 1, 44100, 64), Chunk("data", Join([.. Enumerable.Range(0, 24).Select(i => F64(i / 50.0))]))),
            File(ExtensibleFormat(Pcm, 6, 48000, 32, 20), Chunk("data", samples)),
            FileNamed(
                "RF64",
                Chunk("ds64", Join(U64(500), U64(192), U64(48), U32(0))),
                Format(Pcm, 2, 44100, 16),
                Chunk("data", samples, 0xFFFFFFFF)
            ),
        ];
    }

    private static byte[][] DialectFiles()
    {
        byte[] samples = Join([.. Enumerable.Range(0, 96).Select(i => U16(i * 341))]);
        byte[] id3 = Id3Bytes.Tag(3, Id3Bytes.Text("TIT2", "A song"));
        return
        [
            BigFile(
                BigFormat(Pcm, 2, 44100, 16),
                BigChunk("data", samples),
                BigChunk("LIST", Join(Text("INFO"), BigChunk("INAM", Text("A song\0"))))
            ),
            BigFile(BigChunk("junk", [1]), BigExtensibleFormat(Pcm, 2, 48000, 24, 20, asSoxDoes: true), BigChunk("data", samples)),
            BigFile(BigChunk("data", samples), BigFormat(Float, 1, 48000, 64)),
            BigFile(BigFormat(7, 1, 8000, 8), BigChunk("data", samples), BigChunk("id3 ", id3)),
            Wave64File(Wave64Chunk("fmt ", ExtensibleFormat(Pcm, 2, 48000, 32, 24)[8..]), Wave64Chunk("data", samples)),
            Wave64File(
                Wave64Chunk("data", samples),
                Wave64Chunk("junk", [1]),
                Wave64Chunk("fmt ", Format(Pcm, 2, 48000, 16)[8..]),
                Wave64Chunk("id3 ", id3)
            ),
        ];
    }

    private static byte[][] AiffCFiles() =>
        [
            AiffBytes.Make(
                48000,
                2,
                24,
                [.. Enumerable.Range(-200, 400)],
                4,
                ("NAME", "A song"u8.ToArray()),
                "AIFC",
                "sowt",
                isLittle: true
            ),
            AiffBytes.Make(48000, 1, 32, new byte[400], 100, "fl32", text: ("ID3 ", Id3Bytes.Tag(4, Id3Bytes.Text("TIT2", "A song")))),
            AiffBytes.Make(8000, 1, 8, new byte[201], 201, "ulaw"),
        ];

    private static byte[][] FlacFiles()
    {
        string[] names =
        [
            "8-bit-mono-level-0.flac",
            "16-bit-stereo-level-8.flac",
            "16-bit-eight-channels.flac",
            "24-bit-order-32.flac",
            "32-bit-stereo-level-8.flac",
            "constant.flac",
        ];
        byte[][] files =
        [
            .. names.Select(name =>
            {
                using Stream stream = typeof(ParserFuzzTests).Assembly.GetManifestResourceStream(name)!;
                byte[] bytes = new byte[stream.Length];
                stream.ReadExactly(bytes);
                return bytes;
            }),
        ];
        // Forms that change, for what converts them, and no beginning.
        byte[] Frame(int channels, int rateCode, int bitsCode, int width) =>
            FlacBits.Frame(
                200,
                channels - 1,
                bits =>
                {
                    for (int channel = 0; channel < channels; channel++)
                        bits.Verbatim(Enumerable.Range(0, 200).Select(i => (long)(i - 100)), width);
                },
                bitsCode,
                rateCode
            );
        byte[] changing = Join(Frame(2, 9, 4, 16), Frame(1, 10, 4, 16), Frame(3, 7, 1, 8), Frame(2, 9, 6, 24));
        return [.. files, FlacBits.Stream(FlacBits.StreamInfo(2, 16, 800), changing), changing];
    }

    private static void ReadWeightsNames(byte[] bytes)
    {
        try
        {
            using MemoryStream model = new(bytes);
            ExternalWeights.Names(model);
        }
        catch (InvalidDataException e)
        {
            // As loading says it.
            throw new DemucsException(DemucsError.DemucsModelInvalid, e.Message, null, e);
        }
    }

    private static void ReduceToInt8(byte[] bytes)
    {
        try
        {
            GraphModel graph = GraphModel.Parse(bytes);
            Int8Products.Apply(graph, null);
            graph.ToBytes();
        }
        catch (InvalidDataException e)
        {
            // As preparation says it.
            throw new DemucsException(DemucsError.DemucsModelInvalid, e.Message, null, e);
        }
    }

    private static byte[][] OnnxFiles() =>
        [
            // Graphs that the rewrites take and graphs that they leave alone.
            SmallGraph.GroupNormalization([1, 4, 6], [1, 1, 24], plain: true),
            SmallGraph.GroupNormalization([1, 4, 2, 6], [1, 2, 24], plain: false),
            Fixture("tests", "fixtures", "small.onnx"),
            BaselineModel.Build(),
        ];
}
