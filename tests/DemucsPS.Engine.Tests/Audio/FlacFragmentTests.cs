using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>Streams without their beginning.</summary>
public sealed class FlacFragmentTests : IDisposable
{
    private static readonly float[] s_samples = [.. Enumerable.Range(0, 96).Select(i => i / 32768f)];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static byte[][] Frames => [.. Enumerable.Range(0, 3).Select(i => Frame(32 * i, 32))];

    [Theory]
    [InlineData("stream.flac")]
    [InlineData("stream.bin")]
    public void A_file_that_begins_with_a_frame_is_FLAC_whatever_it_is_called(string name)
    {
        using AudioReader reader = Open(_folder.Write(name, WavBytes.Join(Frames)))!;
        Assert.Equal(s_samples, reader.ReadAll());
        Assert.Equal("FLAC 16 bit", reader.Codec);
        Assert.Equal(44100, reader.SampleRate);
        Assert.Null(reader.FrameCount);
        Assert.Contains(
            "lacks the beginning of a FLAC file: it begins with a frame.",
            Assert.Single(reader.Warnings),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_file_called_flac_that_begins_within_a_frame_is_read_from_the_next_one_on()
    {
        // A tail of a frame, and in it what looks like a header: once with a wrong frame behind it, and once with another wrong header.
        byte[] tail = WavBytes.Join(Frame(5, 20)[9..], Frame(0, 40)[..30], [0xFF, 0xFF, 0xF8, 0xC9, 0x08]);
        string path = _folder.Write("stream.FLAC", WavBytes.Join(tail, WavBytes.Join(Frames), Frame(0, 100)[..50]));
        using AudioReader reader = Open(path)!;
        Assert.Equal(s_samples, reader.ReadAll());
        Assert.Contains($"it begins with {tail.Length} bytes that are not a whole frame", reader.Warnings[0], StringComparison.Ordinal);
        Assert.Contains("cut short in a FLAC frame, after 96 frames of audio", reader.Warnings[1], StringComparison.Ordinal);
        // Under another name it is anything: who looks for frames in every file finds them, by chance or in containers.
        Assert.Null(Open(_folder.Write("stream.mp3", File.ReadAllBytes(path))));
    }

    [Fact]
    public void The_form_must_be_said_by_the_frames()
    {
        byte[] silentAboutRate = FlacBits.Frame(32, 0, bits => bits.Constant(1, 16), bitsCode: 4);
        byte[] silentAboutDepth = FlacBits.Frame(32, 0, bits => bits.Constant(1, 16), rateCode: 9);
        foreach (byte[] frame in (byte[][])[silentAboutRate, silentAboutDepth])
            Assert.Null(Open(_folder.Write("stream.flac", WavBytes.Join(frame, frame))));
    }

    [Fact]
    public void What_only_looks_like_a_frame_is_none()
    {
        byte[] wrongChecksum = [.. Frames[0]];
        wrongChecksum[^1] ^= 1;
        byte[] random = new byte[300_000];
        new Random(1).NextBytes(random);
        byte[][] others =
        [
            wrongChecksum,
            WavBytes.Join(Frames[0], [0, 0, 0]),
            Frames[0][..20],
            [0xFF, 0xF8],
            random,
            // Thousands of headers with nothing behind them.
            WavBytes.Join([.. Enumerable.Repeat(Frames[0][..9], 5000)]),
        ];
        foreach (byte[] other in others)
            Assert.Null(Open(_folder.Write("stream.flac", other)));
    }

    [Theory]
    [InlineData("OggS")]
    [InlineData("\u001AE\u00DF\u00A3")]
    [InlineData("RIFF")]
    [InlineData("\0\0\0 ftyp")]
    [InlineData("caff")]
    public void Containers_of_frames_are_left_to_ffmpeg(string mark) =>
        Assert.Null(Open(_folder.Write("stream.flac", WavBytes.Join(WavBytes.Text(mark), new byte[40], WavBytes.Join(Frames)))));

    [Theory]
    [InlineData("-8")]
    [InlineData("-0")]
    public void A_stream_of_the_flac_program_is_read_from_any_byte_on(string level)
    {
        string flac = ExternalTool.FindOrSkip("flac");
        int[] samples = FlacSignal.Make(20_000, 2, 16);
        byte[] wav = WavBytes.Pcm16(44100, 2, samples);
        byte[] file = ExternalTool.Filter(flac, wav, "-s", "-c", "-b", "1000", level, "-");
        foreach (int start in (int[])[200, 5_000, 12_345, 20_001])
        {
            using AudioReader reader = Open(_folder.Write("stream.flac", file[start..]))!;
            float[] read = reader.ReadAll();
            // Whole frames of 1000 up to the end.
            Assert.True(read.Length > 0 && read.Length % 2000 == 0);
            Assert.Equal(samples[^read.Length..].Select(sample => sample / 32768f), read);
        }
    }

    private static AudioReader? Open(string path)
    {
        ByteSource source = new(new FileStream(path, FileMode.Open, FileAccess.Read), path);
        if (AudioFile.OpenBuiltIn(source) is { } reader)
            return reader;
        Assert.Equal(0, source.Position);
        source.Dispose();
        return null;
    }

    private static byte[] Frame(int first, int count) =>
        FlacBits.Frame(
            count,
            0,
            bits => bits.Verbatim(Enumerable.Range(first, count).Select(i => (long)i), 16),
            bitsCode: 4,
            rateCode: 9,
            number: [0xFE, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80]
        );
}
