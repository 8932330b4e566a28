using System.Diagnostics;

namespace DemucsPS.Cli.Tests;

/// <summary><c>demucsps player</c>.</summary>
public sealed class PlayerCommandTests
{
    [Fact]
    public void It_writes_a_page_and_prints_its_path_and_says_that_nothing_was_opened()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["stems"]);
        WavSamples.WriteFloat(folder["stems", "bass.wav"], WavSamples.Sine(2000));
        WavSamples.WriteFloat(folder["stems", "mix.wav"], WavSamples.Sine(2000));
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            new Dictionary<string, string?> { ["DISPLAY"] = null, ["WAYLAND_DISPLAY"] = null },
            "player",
            "stems",
            "--sound",
            "linked",
            "--title",
            "A <b>title</b>",
            OperatingSystem.IsLinux() ? "--open" : "--force"
        );
        Assert.Equal((0, folder["stems", "player.html"]), (exitCode, output.Trim()));
        Assert.Contains(
            "<h1 id=\"title\" dir=\"auto\">A &lt;b&gt;title&lt;/b&gt;</h1>",
            File.ReadAllText(folder["stems", "player.html"]),
            StringComparison.Ordinal
        );
        if (OperatingSystem.IsLinux())
            Assert.Contains("was not opened: there is no desktop", error, StringComparison.Ordinal);
        (exitCode, _, error) = Demucsps.Run(folder.Path, "player", "stems", "nowhere");
        Assert.Equal(1, exitCode);
        Assert.Contains("[StemExists]", error, StringComparison.Ordinal);
        Assert.Contains("--force", error, StringComparison.Ordinal);
        Assert.Contains("[AudioTrackNotFound]", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_provenance_costs_its_own_page_only()
    {
        using TemporaryFolder folder = new();
        foreach (string track in (string[])["a", "b", "c"])
        {
            Directory.CreateDirectory(folder["set", track]);
            WavSamples.WriteFloat(folder["set", track, "bass.wav"], WavSamples.Sine(2000));
        }
        File.WriteAllText(folder["set", "b", "demucsps.json"], "{");
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, "player", "set", "--sound", "linked");
        Assert.Equal(1, exitCode);
        Assert.Equal(
            [folder["set", "a", "player.html"], folder["set", "c", "player.html"]],
            output.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries)
        );
        Assert.Contains("[ProvenanceInvalid]", error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_is_refused_and_a_missing_temporary_folder_is_named()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["stems"]);
        WavSamples.WriteFloat(folder["stems", "bass.wav"], WavSamples.Sine(2000));
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, "player", "stems", "--serve", "-o", "a.html", "-f");
        Assert.Equal(1, exitCode);
        Assert.Contains("[ParameterInvalid]", error, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            (exitCode, _, error) = Demucsps.Run(
                folder.Path,
                new Dictionary<string, string?> { ["TMPDIR"] = folder["nowhere"] },
                "player",
                "stems",
                "-o",
                "a.html",
                "-f"
            );
            Assert.Equal(1, exitCode);
            Assert.Contains("TMPDIR", error, StringComparison.Ordinal);
            Assert.Contains(folder["nowhere"], error, StringComparison.Ordinal);
        }
        Assert.Equal([Path.Combine("stems", "bass.wav")], folder.Files());
    }

    [Fact]
    public void A_served_page_ends_when_it_is_told_to()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals cannot be sent to one process on Windows.");
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["stems"]);
        WavSamples.WriteFloat(folder["stems", "bass.wav"], WavSamples.Sine(2000));
        using Process process = Demucsps.Start(folder.Path, null, "player", "stems", "--serve");
        try
        {
            Uri address = new(process.StandardOutput.ReadLine()!);
            using HttpClient client = new();
            Assert.Equal(File.ReadAllBytes(folder["stems", "bass.wav"]), client.GetByteArrayAsync(new Uri(address, "sound/0-0")).Result);
            Signal.Terminate(process.Id);
            Assert.True(process.WaitForExit(TimeSpan.FromMinutes(1)));
            Assert.Equal(0, process.ExitCode);
        }
        finally
        {
            process.Kill();
        }
        Assert.Equal([Path.Combine("stems", "bass.wav")], folder.Files());
    }
}
