using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>
/// The public conformance files of the FLAC working group (ietf-wg-cellar/flac-test-files on GitHub), where they are: they are not in the
/// repository. What
/// each of them is about, other tests here show in small.
/// </summary>
public sealed class FlacConformanceTests
{
    private const string Variable = "DEMUCSPS_FLAC_TEST_FILES";
    private const int Md5Place = 4 + 4 + 18;

    // Files without a digest in STREAMINFO. These are of what flac 1.4.2 gives for them: for the changing ones, cut where they change, part
    // for part; each
    // sample in as many bytes as its part has, which is how a digest of such a stream is formed.
    private static readonly Dictionary<string, string> s_digests = new()
    {
        ["uncommon/01 - changing samplerate.flac"] = "9b22d813477806210f0c456ecf2538df",
        ["uncommon/02 - increasing number of channels.flac"] = "64ebcbc5320ffd24800de10d2d330906",
        ["uncommon/03 - decreasing number of channels.flac"] = "26bc7e1ea8c494aaa0df86757202d662",
        ["uncommon/04 - changing bitdepth.flac"] = "13a9f90b5a584c49b142e29f4b42193e",
        ["uncommon/10 - file starting at frame header.flac"] = "90edc1bf846f6e28e84f7ec4b63edec9",
        ["uncommon/11 - file starting with unparsable data.flac"] = "6c1357741fe9a0714d5c392dee60a43a",
    };

    // Frames in all, at the rate and with the channels that the file begins with, and what is said.
    private static readonly Dictionary<string, (int Rate, int Channels, long Frames, string Words)> s_warned = new()
    {
        ["uncommon/01 - changing samplerate.flac"] = (
            32000,
            2,
            163_840 + (114_688L * 4 / 3) + (77_824 * 2) + (199_395L * 2 / 3),
            "from 16000 to 48000 Hz at 0:00:14.762"
        ),
        ["uncommon/02 - increasing number of channels.flac"] = (
            44100,
            1,
            638_856,
            "from 1 to 2 channels at 0:00:03.343 (after 147456 frames); from 2 to 6 channels"
        ),
        ["uncommon/03 - decreasing number of channels.flac"] = (
            44100,
            4,
            375_226,
            "from 4 to 2 channels at 0:00:04.086 (after 180224 frames); from 2 to 1 channels"
        ),
        ["uncommon/04 - changing bitdepth.flac"] = (
            44100,
            1,
            495_232,
            "from 16 to 8 bits at 0:00:03.157 (after 139264 frames); from 8 to 24 bits"
        ),
        ["uncommon/10 - file starting at frame header.flac"] = (44100, 1, 664_669, "it begins with a frame"),
        ["uncommon/11 - file starting with unparsable data.flac"] = (
            44100,
            1,
            568_394,
            "it begins with 895 bytes that are not a whole frame"
        ),
    };

    // Faulty, and read all the same: and what is said.
    private static readonly Dictionary<string, string> s_faulty = new()
    {
        ["faulty/01 - wrong max blocksize.flac"] = "has 16384 samples; its description (STREAMINFO) declares at most 4096",
        ["faulty/02 - wrong maximum framesize.flac"] = "bytes; its description (STREAMINFO) declares at most 654",
        ["faulty/05 - wrong total number of samples.flac"] = "declares 39842 frames, but there are ",
        ["faulty/07 - other metadata blocks preceding streaminfo metadata block.flac"] =
            "other metadata comes before its description (STREAMINFO)",
        ["faulty/08 - blocksize 65536.flac"] = "has 65536 samples; FLAC allows at most 65535",
        ["faulty/09 - blocksize 1.flac"] = "has 1 samples; only the last frame of a file may have fewer than 16",
        ["faulty/10 - invalid vorbis comment metadata block.flac"] = "its tags (VORBIS_COMMENT) claim to be longer than their block",
    };

    private static readonly Dictionary<string, string> s_refused = new()
    {
        ["faulty/03 - wrong bit depth.flac"] = "declares 24 bits per sample, but its first frame has 16",
        ["faulty/04 - wrong number of channels.flac"] = "declares 5 channels, but its first frame has 1",
        ["faulty/06 - missing streaminfo metadata block.flac"] = "(STREAMINFO), which must come first, is missing",
        ["faulty/11 - incorrect metadata block length.flac"] =
            "a length in its metadata is wrong, and no metadata block begins at byte 174",
    };

    private static string Folder
    {
        get
        {
            string? folder = Environment.GetEnvironmentVariable(Variable);
            if (string.IsNullOrEmpty(folder))
                Assert.Skip(
                    $"The conformance files of FLAC are not in the repository; set {Variable} to a folder that holds its folders subset, uncommon and faulty."
                );
            return folder;
        }
    }

    [Fact]
    public void Every_subset_and_uncommon_file_has_the_samples_of_its_digest()
    {
        string[] files = [.. Files("subset"), .. Files("uncommon")];
        Assert.True(
            files.Length >= 50 && s_digests.Keys.All(files.Contains),
            $"Files are missing from '{Folder}': only {files.Length} are there."
        );
        Assert.All(files, file =>
        {
            byte[] bytes = Bytes(file);
            // A digest is put in where there is none: then the reader itself checks what it decodes, before anything is converted.
            if (s_digests.TryGetValue(file, out string? digest) && bytes.AsSpan().StartsWith("fLaC"u8))
                Convert.FromHexString(digest).CopyTo(bytes, Md5Place);
            if (bytes.AsSpan().StartsWith("fLaC"u8))
                Assert.Contains(bytes[Md5Place..(Md5Place + 16)], value => value != 0);
            using AudioReader reader = AudioFile.OpenBuiltIn(new ByteSource(new MemoryStream(bytes), "/" + file))!;
            float[] samples = reader.ReadAll(4096);
            if (s_warned.TryGetValue(file, out (int Rate, int Channels, long Frames, string Words) expected))
            {
                Assert.Equal(
                    (expected.Rate, expected.Channels, expected.Frames),
                    (reader.SampleRate, reader.Channels, samples.Length / reader.Channels)
                );
                Assert.Contains(expected.Words, Assert.Single(reader.Warnings), StringComparison.Ordinal);
            }
            else
            {
                Assert.Empty(reader.Warnings);
            }

            if (!bytes.AsSpan().StartsWith("fLaC"u8))
                Assert.Equal(digest, Digest(samples));
        });
    }

    [Fact]
    public void A_digest_that_is_put_in_is_checked()
    {
        foreach (string file in s_digests.Keys.Where(file => !s_warned[file].Words.StartsWith("it begins", StringComparison.Ordinal)))
        {
            byte[] bytes = Bytes(file);
            bytes[Md5Place] = 1;
            using AudioReader reader = AudioFile.OpenBuiltIn(new ByteSource(new MemoryStream(bytes), "/" + file))!;
            reader.ReadAll(4096);
            Assert.Contains("MD5 mismatch", reader.Warnings[1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_faulty_file_is_read_with_a_warning_or_refused_in_words()
    {
        Assert.Equal([.. s_faulty.Keys.Concat(s_refused.Keys).Order(StringComparer.Ordinal)], Files("faulty"));
        Assert.All(s_faulty, file =>
        {
            using AudioReader reader = AudioFile.Open(Path.GetFullPath(Path.Combine(Folder, file.Key)));
            Assert.NotEmpty(reader.ReadAll(4096));
            // Where there is a digest, all samples are those that the encoder saw.
            Assert.Contains(file.Value, Assert.Single(reader.Warnings), StringComparison.Ordinal);
        });
        Assert.All(s_refused, file =>
        {
            DemucsException exception = Assert.Throws<DemucsException>(() => AudioFile.Open(Path.GetFullPath(Path.Combine(Folder, file.Key))));
            Assert.Equal(DemucsError.AudioTrackCorrupt, exception.Error);
            Assert.Contains(file.Value, exception.Message, StringComparison.Ordinal);
        });
    }

    private static string[] Files(string group) =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(Folder, group), "*.flac")
                .Select(path => $"{group}/{Path.GetFileName(path)}")
                .Order(StringComparer.Ordinal),
        ];

    private static byte[] Bytes(string file) => File.ReadAllBytes(Path.Combine(Folder, file));

    private static string Digest(float[] samples) =>
        Convert.ToHexStringLower(FlacSignal.Digest([.. samples.Select(sample => (int)(sample * 32768))], 2));
}
