using System.Text;
using DemucsPS.Engine.Batch;

namespace DemucsPS.Engine.Tests.Batch;

public sealed class FileListTests
{
    [Theory]
    [InlineData("a b.wav\n it's \"x\" $(touch y).flac \r\n\n-f.wav\n#1.wav\n*.wav", false, new[] { "a b.wav", " it's \"x\" $(touch y).flac ", "-f.wav", "#1.wav", "*.wav" })]
    [InlineData("two\nlines.wav\0\0ends\r\0last", true, new[] { "two\nlines.wav", "ends\r", "last" })]
    [InlineData("\uFEFFä.wav\n", false, new[] { "ä.wav" })]
    [InlineData("", false, new string[0])]
    public void Names_are_taken_as_they_stand(string text, bool nullSeparated, string[] expected) =>
        Assert.Equal(expected, FileList.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), "list", nullSeparated));

    [Fact]
    public void What_Windows_PowerShell_writes_is_read() =>
        Assert.Equal(["ä.wav", "b.wav"], FileList.Read(new MemoryStream([.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes("ä.wav\r\nb.wav\r\n")]), "list", nullSeparated: false));

    [Fact]
    public void What_is_no_list_is_said_to_be_none()
    {
        Assert.Contains("entry 2", Wrong([(byte)'a', 10, 0xFF, 10], false).Message, StringComparison.Ordinal);
        // The entry is shown, so that it can be found.
        Assert.Contains("a\\xFF\\x1Bb.wav", Wrong([.. "ä.wav\0a"u8, 0xFF, 0x1B, .. "b.wav\0c"u8], true).Message, StringComparison.Ordinal);
        Assert.Contains("zero bytes", Wrong("a\0b\0"u8.ToArray(), false).Message, StringComparison.Ordinal);
        using TemporaryFolder folder = new();
        Assert.Equal(DemucsError.AudioTrackNotFound, Assert.Throws<DemucsException>(() => FileList.Read(folder["none"], false)).Error);

        static DemucsException Wrong(byte[] bytes, bool nullSeparated)
        {
            DemucsException e = Assert.Throws<DemucsException>(() => FileList.Read(new MemoryStream(bytes), "list", nullSeparated));
            Assert.Equal(DemucsError.TrackListInvalid, e.Error);
            return e;
        }
    }
}
