namespace DemucsPS.Cli.Tests;

public sealed class SpectrogramCommandTests
{
    [Fact]
    public void Spectrograms_are_drawn_into_a_picture_that_replaces_none()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["a.wav"], new float[20000]);
        string[] draw =
        [
            "spectrogram",
            "a.wav",
            "--output",
            "a.png",
            "--width",
            "300",
            "--height",
            "200",
            "--chunk-grid",
            "--overlap",
            "0.25",
            "--segment",
            "0.1",
            "--frequency-scale",
            "mel",
            "--colors",
            "viridis",
            "--theme",
            "light",
        ];
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, draw);
        Assert.True(exitCode == 0, error);
        Assert.Equal(folder["a.png"], output.Trim());
        byte[] drawn = File.ReadAllBytes(folder["a.png"]);
        Assert.Equal([0x89, .. "PNG"u8], drawn[..4]);
        (exitCode, output, error) = Demucsps.Run(folder.Path, draw);
        Assert.Equal((1, ""), (exitCode, output));
        Assert.Matches(@"^error: '.*a\.png' already exists\. Use --force to replace it\. \[PictureExists\]", error);
        Assert.Equal(drawn, File.ReadAllBytes(folder["a.png"]));
        Assert.Equal(["a.png", "a.wav"], folder.Files());
    }

    [Fact]
    public void What_would_have_no_effect_and_what_there_is_no_option_for_is_not_offered()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["a.wav"], new float[20000]);
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, "spectrogram", "a.wav", "--output", "a.png", "--overlap", "0.25");
        Assert.Equal(1, exitCode);
        Assert.Contains("[ParameterInvalid]", error, StringComparison.Ordinal);
        (exitCode, _, error) = Demucsps.Run(folder.Path, "spectrogram", "a.wav", "--output", "a.png", "--hop-size", "0");
        Assert.Equal(1, exitCode);
        Assert.EndsWith(
            "The hop is 0 samples; it must be from 1 to the frame size, 4096. The option is --hop-size. [ParameterInvalid]",
            error.TrimEnd(),
            StringComparison.Ordinal
        );
        Directory.CreateDirectory(folder["empty"]);
        (exitCode, _, error) = Demucsps.Run(folder.Path, "spectrogram", "empty", "--output", "a.png");
        Assert.Equal(1, exitCode);
        Assert.DoesNotContain("recurse", error, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("*.wav", error, StringComparison.Ordinal);
        Assert.Equal(["a.wav"], folder.Files());
    }
}
