using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Flac;
using DemucsPS.Engine.Audio.Resampling;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>Streams whose frames change their depth, channels or rate.</summary>
public sealed class FlacFormTests : IDisposable
{
    private const string SomePath = "/music/some song.flac";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Parts_of_another_depth_keep_their_level_and_every_bit()
    {
        Part[] parts = [new(44100, 1, 16, 40), new(44100, 1, 8, 50), new(44100, 1, 24, 60), new(44100, 1, 32, 20), new(44100, 1, 16, 3)];
        using FlacReader reader = Read(Stream(parts, declareTotal: true));
        float[] expected = [.. parts.SelectMany(part => part.Samples.Select(sample => sample * MathF.Pow(2, 1 - part.Bits)))];
        Assert.Equal(173, reader.FrameCount);
        Assert.Equal(expected, reader.ReadAll(7));
        string warning = Assert.Single(reader.Warnings);
        Assert.Contains(
            "from 16 to 8 bits at 0:00:00.000 (after 40 frames); from 8 to 24 bits at 0:00:00.002 (after 90 frames); from 24 to 32 bits",
            warning,
            StringComparison.Ordinal
        );
        Assert.Contains("keep their level and all bits", warning, StringComparison.Ordinal);
    }

    // What each channel of the stream is made of: channels of the part from 0, x for silence, + for the mean.
    [Theory]
    [InlineData(1, 2, "0+1")]
    [InlineData(1, 6, "0+1")]
    [InlineData(2, 1, "0 0")]
    [InlineData(2, 6, "0 1")]
    [InlineData(3, 1, "0 0 x")]
    [InlineData(4, 2, "0 1 x x")]
    [InlineData(4, 6, "0 1 4 5")] // FL FR BL BR of FL FR FC LFE BL BR
    [InlineData(6, 1, "0 0 x x x x")]
    [InlineData(6, 4, "0 1 x x 2 3")]
    [InlineData(8, 7, "0 1 2 3 x x 5 6")] // FL FR FC LFE BL BR SL SR of FL FR FC LFE BC SL SR
    public void Parts_with_other_channels_go_to_the_channels_of_the_beginning(int channels, int other, string map)
    {
        Part[] parts = [new(44100, channels, 16, 16), new(44100, other, 16, 30), new(44100, channels, 16, 16)];
        using FlacReader reader = Read(Stream(parts));
        Assert.Equal(channels, reader.Channels);
        float[] samples = reader.ReadAll(11);
        List<float> expected = [.. parts[0].Samples.Select(sample => sample / 32768f)];
        for (int frame = 0; frame < 30; frame++)
        {
            foreach (string source in map.Split(' '))
                expected.Add(
                    source == "x" ? 0 : source.Split('+').Average(c => parts[1].Samples[(frame * other) + int.Parse(c, null)] / 32768f)
                );
        }

        Assert.Equal([.. expected, .. parts[2].Samples.Select(sample => sample / 32768f)], samples);
        Assert.Contains(
            $"from {channels} to {other} channels at 0:00:00.000 (after 16 frames); from {other} to {channels} channels at 0:00:00.001 (after 46 frames)",
            Assert.Single(reader.Warnings),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void Parts_at_another_rate_are_resampled_each_as_a_file_of_its_own(int channels)
    {
        Part[] parts =
        [
            new(32000, channels, 16, 1000),
            new(24000, channels, 16, 901),
            new(16000, channels, 16, 400),
            new(48000, channels, 16, 5000),
            new(32000, channels, 16, 77),
            new(48000, channels, 16, 1),
        ];
        byte[] file = Stream(parts, declareTotal: true);
        List<float> expected = [];
        foreach (Part part in parts)
            expected.AddRange(part.Rate == 32000 ? part.Samples.Select(sample => sample / 32768f) : Resample(part, 32000));
        Assert.Equal(1000 + 1201 + 800 + 3333 + 77 + 0, expected.Count / channels);
        // In whatever pieces, and every time the same: separation reads a track twice.
        foreach (int blockFrames in (int[])[100_000, 1000, 7, 1])
        {
            using FlacReader reader = Read(file);
            Assert.Equal(7379, reader.FrameCount);
            Assert.Equal(expected, reader.ReadAll(blockFrames));
            Assert.Null(reader.FrameCount);
            string warning = Assert.Single(reader.Warnings);
            Assert.Contains(
                "from 32000 to 24000 Hz at 0:00:00.031 (after 1000 frames); from 24000 to 16000 Hz at 0:00:00.068 (after 1901 frames); from 16000 to 48000 Hz at 0:00:00.093 (after 2301 frames)",
                warning,
                StringComparison.Ordinal
            );
            Assert.Contains("32000 Hz: parts at another rate are converted", warning, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_converted_tone_goes_on_as_it_was()
    {
        // 1 kHz at 48,000 and then at 24,000 frames per second, into the first of which all is taken.
        Part first = Tone(48000, 4800, 0),
            second = Tone(24000, 4800, 0);
        using FlacReader reader = Read(Stream([first, second]));
        float[] samples = reader.ReadAll();
        Assert.Equal(4800 + 9600, samples.Length);
        // The ends of a part are those of a file, so the filter's length is left out there.
        for (int i = 5200; i < 14000; i++)
            Assert.Equal(0.5 * Math.Sin(2 * Math.PI * i / 48), samples[i], 0.0005);
    }

    [Fact]
    public void Everything_may_change_at_once_and_the_digest_is_that_of_the_frames_as_they_are()
    {
        Part[] parts = [new(44100, 2, 16, 100), new(48000, 1, 8, 100), new(24000, 6, 24, 100), new(44100, 2, 16, 5)];
        byte[] file = Stream(parts);
        using (FlacReader reader = Read(file))
        {
            Assert.Equal(100 + 91 + 183 + 5, reader.ReadAll().Length / 2);
            Assert.Contains(
                "from 44100 to 48000 Hz and from 2 to 1 channels and from 16 to 8 bits",
                Assert.Single(reader.Warnings),
                StringComparison.Ordinal
            );
        }

        file[4 + 4 + 18] ^= 1;
        using (FlacReader reader = Read(file))
        {
            reader.ReadAll();
            Assert.Contains("MD5 mismatch", reader.Warnings[1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Of_many_changes_a_few_are_told_and_the_rest_counted()
    {
        using FlacReader reader = Read(Stream([.. Enumerable.Range(0, 20).Select(i => new Part(44100, 1 + (i % 2), 16, 16))]));
        reader.ReadAll();
        Assert.Contains(
            ", and 14 more times. All of it is read in the format of its beginning, 1 channel at 44100 Hz",
            Assert.Single(reader.Warnings),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_declarations_of_sizes_are_those_of_the_first_part()
    {
        byte[][] frames = [new Part(44100, 1, 16, 16).Frame(), new Part(44100, 2, 16, 300).Frame()];
        byte[] info = FlacBits.StreamInfo(1, 16, 0, maxBlockSize: 16, maxFrameBytes: frames[0].Length);
        using FlacReader reader = Read(FlacBits.Stream(info, frames));
        Assert.Equal(316, reader.ReadAll().Length);
    }

    [Fact]
    public void A_changing_track_is_imported_whole_and_is_not_called_cut_short()
    {
        Part[] parts = [new(32000, 2, 16, 32000), new(48000, 1, 24, 48000), new(32000, 2, 16, 32000)];
        string path = _folder.Write("changing.flac", Stream(parts, declareTotal: true));
        AudioTrack track = AudioTrack.Import(new TrackSource(path));
        Assert.Equal(3 * 44100, track.Frames);
        Assert.Contains("changes within the track", Assert.Single(track.Warnings), StringComparison.Ordinal);
        // Two passes, as a separation makes them, are equal.
        using StereoTrackReader first = StereoTrackReader.Open(new TrackSource(path)),
            second = StereoTrackReader.Open(new TrackSource(path));
        (float[] left, float[] right) = first.ReadAll(4096);
        (float[] leftAgain, float[] rightAgain) = second.ReadAll(999);
        Assert.Equal(left, leftAgain);
        Assert.Equal(right, rightAgain);
        Assert.Equal(3 * 32000, first.SourceFramesRead);
    }

    [Fact]
    public void A_part_of_a_changing_file_has_its_place_by_the_time_it_is_heard_and_the_latest_warning()
    {
        // Track from second 2 on: in the frames that are given, not in those that are stored.
        Part[] parts = [new(32000, 6, 16, 16000), new(8000, 6, 16, 16000), new(32000, 2, 16, 16000), new(32000, 1, 16, 16000)];
        string path = _folder.Write("changing.flac", Stream(parts, declareTotal: true));
        using StereoTrackReader reader = StereoTrackReader.Open(new TrackSource(path) { Range = new FrameRange(2 * 32000, 32000) }, 32000);
        (float[] left, float[] right) = reader.ReadAll();
        Assert.Equal(32000, left.Length);
        Assert.Equal(Enumerable.Range(0, 16000).Select(i => parts[2].Samples[2 * i] / 32768f), left[16000..]);
        Assert.Equal(Enumerable.Range(0, 16000).Select(i => parts[2].Samples[(2 * i) + 1] / 32768f), right[16000..]);
        Assert.Equal(2, reader.Warnings.Count);
        Assert.Contains(
            "from 32000 to 8000 Hz at 0:00:00.500 (after 16000 frames); from 8000 to 32000 Hz and from 6 to 2 channels at 0:00:02.500 (after 32000 frames)",
            reader.Warnings[0],
            StringComparison.Ordinal
        );
        Assert.Contains("has 6 channels", reader.Warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_does_not_grow_with_a_converted_part()
    {
        byte[] frame = FlacBits.Frame(60_000, 1, bits => bits.Constant(1, 16).Constant(2, 16), rateCode: 10);
        long Allocated(int frames)
        {
            byte[] file = FlacBits.Stream(
                FlacBits.StreamInfo(2, 16, 0),
                [new Part(44100, 2, 16, 16).Frame(), .. Enumerable.Repeat(frame, frames)]
            );
            float[] block = new float[8192];
            long before = GC.GetAllocatedBytesForCurrentThread();
            using FlacReader reader = Read(file);
            while (reader.Read(block) > 0) { }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        long few = Allocated(2);
        Assert.InRange(Allocated(40), few - 100_000, few + 100_000);
    }

    [Theory]
    [InlineData(new byte[] { 0 }, "from 44100 to 0 Hz after 16 frames")]
    [InlineData(new byte[] { 1 }, "from 44100 to 1000 Hz after 16 frames. That ratio is not supported")]
    public void Rates_that_nobody_can_convert_are_refused(byte[] kilohertz, string words)
    {
        byte[] other = FlacBits.Frame(16, 0, bits => bits.Constant(1, 16), rateCode: 12, rateBytes: kilohertz);
        using FlacReader reader = Read(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0), new Part(44100, 1, 16, 16).Frame(), other));
        DemucsException exception = Assert.Throws<DemucsException>(() => reader.ReadAll());
        Assert.Equal(DemucsError.AudioFormatUnsupported, exception.Error);
        Assert.Contains(words, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rate_that_changes_all_the_time_is_refused()
    {
        using FlacReader reader = Read(Stream([.. Enumerable.Range(0, 200).Select(i => new Part(i % 2 == 0 ? 48000 : 24000, 1, 16, 16))]));
        DemucsException exception = Assert.Throws<DemucsException>(() => reader.ReadAll());
        Assert.Equal(DemucsError.AudioFormatUnsupported, exception.Error);
        Assert.Contains("more than 100 times", exception.Message, StringComparison.Ordinal);
    }

    private static Part Tone(int rate, int frames, int from) =>
        new(rate, 1, 16, frames)
        {
            Samples = [.. Enumerable.Range(from, frames).Select(i => (int)Math.Round(16384 * Math.Sin(2 * Math.PI * 1000 * i / rate)))],
        };

    private static List<float> Resample(Part part, int rate)
    {
        // Channel by channel, unlike the reader, which takes two at a time.
        List<float>[] channels =
        [
            .. Enumerable
                .Range(0, part.Channels)
                .Select(channel =>
                {
                    Resampler resampler = new(part.Rate, rate, 1, ResamplerFilter.Output);
                    float[] input = [.. part.Samples.Where((_, i) => i % part.Channels == channel).Select(sample => sample / 32768f)];
                    List<float> output = [];
                    float[] block = new float[100];
                    for (int at = 0; at < input.Length || !resampler.IsAtEnd; )
                    {
                        at += at < input.Length ? resampler.Write(input.AsSpan(at), 1) : 0;
                        if (at == input.Length)
                            resampler.Complete();
                        for (int read; (read = resampler.Read(block, block)) > 0; )
                            output.AddRange(block[..read]);
                    }

                    return output;
                }),
        ];
        List<float> all = [];
        for (int frame = 0; frame < channels[0].Count; frame++)
            all.AddRange(channels.Select(channel => channel[frame]));
        return all;
    }

    /// <summary>A stream of parts whose STREAMINFO declares the form of the first, and the digest of all.</summary>
    [SuppressMessage("Security", "CA5351", Justification = "MD5 is what FLAC defines; it finds damage, not attacks.")]
    private static byte[] Stream(Part[] parts, bool declareTotal = false)
    {
        byte[] md5 = MD5.HashData(WavBytes.Join([.. parts.Select(part => FlacSignal.Bytes(part.Samples, (part.Bits + 7) / 8))]));
        byte[] info = FlacBits.StreamInfo(
            parts[0].Channels,
            parts[0].Bits,
            declareTotal ? parts.Sum(part => part.Frames) : 0,
            parts[0].Rate,
            md5
        );
        return FlacBits.Stream(info, [.. parts.Select(part => part.Frame())]);
    }

    private static FlacReader Read(byte[] file) => new(new ByteSource(new MemoryStream(file), SomePath));

    /// <summary>A frame of plain samples.</summary>
    private sealed record Part(int Rate, int Channels, int Bits, int Frames)
    {
        public int[] Samples { get; init; } = FlacSignal.Make(Frames, Channels, Bits);

        public byte[] Frame() =>
            FlacBits.Frame(
                Frames,
                Channels - 1,
                bits =>
                {
                    for (int channel = 0; channel < Channels; channel++)
                        bits.Verbatim(Samples.Where((_, i) => i % Channels == channel).Select(sample => (long)sample), Bits);
                },
                bitsCode: Bits switch
                {
                    8 => 1,
                    16 => 4,
                    24 => 6,
                    _ => 7,
                },
                rateCode: Rate switch
                {
                    8000 => 4,
                    16000 => 5,
                    24000 => 7,
                    32000 => 8,
                    44100 => 9,
                    _ => 10,
                }
            );
    }
}
