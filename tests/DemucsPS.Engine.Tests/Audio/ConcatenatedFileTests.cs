using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>Files that were put one behind the other: all of it is read, or it is said how much is not.</summary>
public sealed class ConcatenatedFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("m4a")]
    [InlineData("wma")]
    public void What_ffmpeg_leaves_out_is_said(string extension)
    {
        byte[] file = Encoded(extension);
        string path = _folder.Write("two." + extension, [.. file, .. file]);
        using AudioReader one = AudioFile.Open(_folder.File("one." + extension)),
            two = AudioFile.Open(path);
        Assert.Equal(one.ReadAll().Length, two.ReadAll().Length);
        Assert.Contains(
            $"is two files joined: the second begins at byte {file.Length}, and its {file.Length} of {2 * file.Length} bytes (50 %) are ignored",
            Assert.Single(two.Warnings, w => !one.Warnings.Contains(w.Replace("two.", "one.", StringComparison.Ordinal))),
            StringComparison.Ordinal
        );
        // Whatever is behind a file that is no other file is none.
        using ByteSource other = new(new MemoryStream([.. file, .. new byte[100]]), path);
        Assert.Null(ConcatenatedFile.Find(other));
    }

    [Theory]
    [InlineData("mp3")]
    [InlineData("aac")]
    [InlineData("ogg")]
    [InlineData("mka")]
    public void What_ffmpeg_reads_whole_is_read_whole(string extension)
    {
        byte[] file = Encoded(extension);
        string path = _folder.Write("two." + extension, [.. file, .. file]);
        using AudioReader one = AudioFile.Open(_folder.File("one." + extension)),
            two = AudioFile.Open(path);
        int length = one.ReadAll().Length;
        // Encoders' delays are taken off the first one only.
        Assert.InRange(two.ReadAll().Length, (2 * length) - 1, (2 * length) + 5000);
    }

    private byte[] Encoded(string extension)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg"),
            path = _folder.File("one." + extension);
        ExternalTool.Run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "sine=d=1:r=44100", path);
        return File.ReadAllBytes(path);
    }
}
