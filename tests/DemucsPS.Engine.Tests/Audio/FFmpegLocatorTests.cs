using DemucsPS.Engine.Audio.FFmpeg;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class FFmpegLocatorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_variable_goes_before_the_search_path()
    {
        string configured = Program("my-ffmpeg");
        Program(Name);
        Assert.Equal(configured, FFmpegLocator.Find(configured, _folder.FullName));
    }

    [Theory]
    [InlineData("ffmpeg")]
    [InlineData("/no/such/ffmpeg")]
    public void A_wrong_variable_is_an_error_and_not_passed_over(string configured)
    {
        Program(Name);
        DemucsException exception = Assert.Throws<DemucsException>(() => FFmpegLocator.Find(configured, _folder.FullName));
        Assert.Equal(DemucsError.FFmpegNotFound, exception.Error);
        Assert.Contains("DEMUCSPS_FFMPEG", exception.Message, StringComparison.Ordinal);
        Assert.Contains(configured, exception.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// Windows would give the names of files to its command interpreter, for which "%PATH%" and "&amp;" in them are commands.
    /// </summary>
    [Theory]
    [InlineData("ffmpeg.cmd")]
    [InlineData("FFmpeg.BAT")]
    public void A_batch_file_is_refused_with_what_to_name_instead(string name)
    {
        string configured = Program(name);
        DemucsException exception = Assert.Throws<DemucsException>(() => FFmpegLocator.Find(configured, _folder.FullName));
        Assert.Equal(DemucsError.FFmpegNotFound, exception.Error);
        Assert.Contains(configured, exception.Message, StringComparison.Ordinal);
        Assert.Contains("is a batch file", exception.Message, StringComparison.Ordinal);
        Assert.Contains("full path of the ffmpeg.exe", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_variable_that_names_a_text_file_is_an_error()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Windows has no permission bits.");
        string path = _folder.Write("notes", [1]);
        Assert.Throws<DemucsException>(() => FFmpegLocator.Find(path, null));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void Without_the_variable_the_search_path_is_used_in_order(string? configured)
    {
        string expected = Program(Name);
        string searchPath = string.Join(
            Path.PathSeparator,
            ["relative", "", Path.Combine(_folder.FullName, "none"), $"\"{_folder.FullName}\"", "/later"]
        );
        Assert.Equal(expected, FFmpegLocator.Find(configured, searchPath));
    }

    [Fact]
    public void No_program_is_null()
    {
        Assert.Null(FFmpegLocator.Find(null, _folder.FullName));
        Assert.Null(FFmpegLocator.Find(null, null));
    }

    private static string Name => OperatingSystem.IsWindows() ? "ffmpeg.exe" : "ffmpeg";

    private string Program(string name) => _folder.WriteProgram(name, [1]);
}
