using System.Text;
using DemucsPS.Engine.Batch;

namespace DemucsPS.Engine.Tests.Batch;

public sealed class FileListTests
{
    [Theory]
    [InlineData(
        "a b.wav\n it's \"x\" $(touch y).flac \r\n\n-f.wav\n#1.wav\n*.wav",
        false,
        new[] { "a b.wav", " it's \"x\" $(touch y).flac ", "-f.wav", "#1.wav", "*.wav" }
    )]
    [InlineData("two\nlines.wav\0\0ends\r\0last", true, new[] { "two\nlines.wav", "ends\r", "last" })]
    [InlineData("\uFEFFä.wav\n", false, new[] { "ä.wav" })]
    [InlineData("", false, new string[0])]
    public void Names_are_taken_as_they_stand(string text, bool nullSeparated, string[] expected) =>
        Assert.Equal(expected, Read(Encoding.UTF8.GetBytes(text), nullSeparated));

    [Fact]
    public void What_Windows_PowerShell_writes_is_read() =>
        Assert.Equal(
            ["ä.wav", "b.wav"],
            Read([.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes("ä.wav\r\nb.wav\r\n")], nullSeparated: false)
        );

    [Fact]
    public void What_is_no_list_is_said_to_be_none()
    {
        DemucsException error = Assert.Throws<DemucsException>(() => Read("a\0b\0"u8.ToArray(), false));
        Assert.Equal(DemucsError.TrackListInvalid, error.Error);
        Assert.Contains("zero bytes", error.Message, StringComparison.Ordinal);
        using TemporaryFolder folder = new();
        Assert.Equal(
            DemucsError.AudioTrackNotFound,
            Assert.Throws<DemucsException>(() => FileList.Read(folder["none"], false, (_, _) => { })).Error
        );
    }

    [Fact]
    public void Entries_that_are_no_text_are_refused_alone()
    {
        List<(string Entry, DemucsException Error)> refused = [];
        Assert.Equal(
            ["ä.wav", "c"],
            FileList.Read(
                new MemoryStream([.. "ä.wav\0a"u8, 0xFF, 0x1B, .. "b.wav\0c\0"u8, 0xC3]),
                "list",
                nullSeparated: true,
                (entry, error) => refused.Add((entry, error))
            )
        );
        // Each is shown, so that it can be found; the last is a character that is cut short.
        Assert.Equal(["a\\xFF\\x1Bb.wav", "\\xC3"], refused.Select(one => one.Entry));
        Assert.All(refused, one => Assert.Equal(DemucsError.TrackListInvalid, one.Error.Error));
        Assert.Contains("Entry 2 of the list 'list', 'a\\xFF\\x1Bb.wav',", refused[0].Error.Message, StringComparison.Ordinal);
        Assert.Contains("Entry 4 ", refused[1].Error.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Read(byte[] list, bool nullSeparated) =>
        FileList.Read(new MemoryStream(list), "list", nullSeparated, (entry, _) => Assert.Fail(entry));
}
