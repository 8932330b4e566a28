using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class AudioFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_relative_path_is_a_mistake_of_the_caller()
    {
        Assert.Throws<ArgumentException>(() => AudioFile.Open("song.wav"));
        Assert.Throws<ArgumentException>(() => AudioFile.Open(""));
    }

    [Fact]
    public void A_missing_file_a_missing_folder_and_a_folder_are_told_apart()
    {
        Refused(DemucsError.AudioTrackNotFound, _folder.File("missing.wav"), "does not exist");
        Refused(DemucsError.AudioTrackNotFound, Path.Combine(_folder.FullName, "no", "such.wav"), "does not exist");
        Refused(DemucsError.AudioTrackNotFound, _folder.FullName, "is a folder");
    }

    [Fact]
    public void Missing_permission_is_named()
    {
        string path = _folder.Write("secret.wav", WavBytes.Pcm16(44100, 1, 1));
        if (OperatingSystem.IsWindows())
            Assert.Skip("Windows has no permission bits.");
        else
            File.SetUnixFileMode(path, UnixFileMode.None);
        if (Environment.UserName == "root")
            Assert.Skip("root reads everything.");
        Refused(DemucsError.AudioTrackNotFound, path, "permission is denied");
    }

    [Fact]
    public void What_another_program_has_open_to_write_to_it_can_be_read()
    {
        string song = _folder.Write("song.wav", WavBytes.Pcm16(44100, 1, 1, 2)),
            list = _folder.Write("list.m3u", WavBytes.Text("song.wav"));
        using FileStream recorder = new(song, FileMode.Open, FileAccess.Write, FileShare.ReadWrite),
            editor = new(list, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        using AudioReader reader = AudioFile.Open(song);
        Assert.Equal(2, reader.FrameCount);
        Assert.Equal(["song.wav"], PlaylistText.ReadLines(list));
        Assert.Null(Mp4Length.Read(song, 0, 44100));
        // Nor is anybody else kept from it.
        using FileStream second = new(song, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
    }

    [Fact]
    public void A_program_that_keeps_a_file_to_itself_has_to_be_closed()
    {
        string path = _folder.Write("song.wav", WavBytes.Pcm16(44100, 1, 1, 2));
        using FileStream recorder = new(path, FileMode.Open, FileAccess.Write, FileShare.None);
        Refused(DemucsError.AudioTrackNotFound, path, "Close the program that has it open");
    }

    [Fact]
    public void An_empty_file_is_damaged() => Refused(DemucsError.AudioTrackCorrupt, _folder.Write("empty.wav", []), "is empty");

    [Fact]
    public void The_content_decides_not_the_name()
    {
        string path = _folder.Write("really a wave.mp3", WavBytes.Pcm16(44100, 1, 1, 2));
        using AudioReader reader = AudioFile.Open(new TrackSource(path), () => throw new InvalidOperationException("ffmpeg is not needed"));
        Assert.Equal("PCM 16 bit", reader.Codec);
        Assert.Equal(path, reader.SourcePath);
    }

    [Theory]
    [InlineData("song.mp3", "ID3\u0004 and so on")]
    [InlineData("song.wav", "x")]
    public void Other_content_without_ffmpeg_says_how_to_get_it(string name, string content)
    {
        string path = _folder.Write(name, WavBytes.Text(content));
        DemucsException exception = Assert.Throws<DemucsException>(() => AudioFile.Open(new TrackSource(path), () => null));
        Assert.Equal(DemucsError.FFmpegNotFound, exception.Error);
        foreach (string words in (string[])[path, "WAV, AIFF and FLAC are built in", "Install ffmpeg", "DEMUCSPS_FFMPEG"])
            Assert.Contains(words, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wave_file_of_another_codec_needs_ffmpeg()
    {
        string path = _folder.Write("mp3.wav", WavBytes.File(WavBytes.Format(0x55, 2, 44100, 0, 1), WavBytes.Chunk("data", [1])));
        Assert.Equal(
            DemucsError.FFmpegNotFound,
            Assert.Throws<DemucsException>(() => AudioFile.Open(new TrackSource(path), () => null)).Error
        );
    }

    [Fact]
    public void A_failed_open_leaves_no_file_open()
    {
        string path = _folder.Write("broken.wav", WavBytes.File(WavBytes.Chunk("data", [])));
        Assert.Throws<DemucsException>(() => AudioFile.Open(path));
        using (new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            // Opened alone: nobody else has it.
        }
    }

    private static void Refused(DemucsError error, string path, string words)
    {
        DemucsException exception = Assert.Throws<DemucsException>(() => AudioFile.Open(path));
        Assert.Equal(error, exception.Error);
        Assert.Equal(path, exception.Path);
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
        Assert.Contains(words, exception.Message, StringComparison.Ordinal);
    }
}
