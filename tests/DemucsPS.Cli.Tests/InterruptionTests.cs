using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace DemucsPS.Cli.Tests;

/// <summary>The real program, killed, stopped and cut off.</summary>
public sealed class InterruptionTests
{
    [Fact]
    public void Killed_at_many_moments_and_resumed_it_gives_the_same_bits()
    {
        using TemporaryFolder folder = new();
        int toKill = TestSet.Size(3, 6);
        WavSamples.WriteFloat(folder["mix.wav"], WavSamples.Noise(TestSet.Size(5, 12) * 44100));
        // Segments of 8192 frames: many quick chunks.
        string[] arguments =
        [
            "separate",
            "mix.wav",
            "--model",
            CliModels.Small,
            "--overlap",
            "0.6",
            "--shifts",
            "1",
            "--seed",
            "3",
            "--dither",
        ];
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, [.. arguments, "--output", "whole"]);
        Assert.True(exitCode == 0, error);
        string[] stems =
        [
            .. Directory
                .EnumerateFiles(folder["whole", "small", "mix"], "*.wav")
                .Select(f => Path.GetFileName(f))
                .Order(StringComparer.Ordinal),
        ];
        Assert.Equal(4, stems.Length);
        string[] expected = [.. stems.Select(s => Hash(folder["whole", "small", "mix", s]))];
        int chunks = error.Split('\n').Count(line => line.Contains("chunk ", StringComparison.Ordinal));
        Random random = new(20260);
        int kills = 0,
            resumed = 0,
            run = 0;
        while (kills < toKill)
        {
            string output = $"run{run++}";
            bool done = false;
            while (!done)
            {
                bool kill = kills < toKill,
                    kept = File.Exists(folder[output, "small", "mix", "demucsps.partial", "journal.json"]);
                using Process process = Demucsps.Start(
                    folder.Path,
                    null,
                    [.. arguments, "--output", output, "--resume", "--skip-existing", "--json"]
                );
                Task<string> text = process.StandardOutput.ReadToEndAsync();
                // The moment is drawn as a place in the program's own course, which no machine is too slow or too quick for: after so many
                // chunks,
                // or, for one of three, while the stems are finished and named.
                int more = random.Next(1, chunks / 2),
                    later = random.Next(0, 60);
                bool atEnd = kills % 3 == 0;
                string last = "";
                while (process.StandardError.ReadLine() is { } line)
                {
                    last = line;
                    bool isLast = line.Contains($"chunk {chunks} of", StringComparison.Ordinal);
                    if (!kill || process.HasExited || !line.Contains("chunk ", StringComparison.Ordinal) || (atEnd ? !isLast : --more != 0))
                        continue;
                    if (isLast)
                        Thread.Sleep(later);
                    process.Kill();
                    kills++;
                }
                process.WaitForExit();
                CheckNoPartOfAStem();
                if (process.ExitCode == 0)
                {
                    done = true;
                    JsonElement result = JsonDocument.Parse(text.Result).RootElement;
                    bool goesOn = result.GetProperty("resumed").GetBoolean();
                    Assert.True(!kept || goesOn || result.GetProperty("skipped").GetBoolean(), "what was kept was not used");
                    resumed += goesOn ? 1 : 0;
                }
                else
                {
                    Assert.True(kill, last);
                }
            }
            Assert.Equal(
                stems.Append("demucsps.json").Order(StringComparer.Ordinal),
                Directory.EnumerateFileSystemEntries(folder[output, "small", "mix"]).Select(Path.GetFileName).Order(StringComparer.Ordinal)
            );
            Assert.Equal(expected, stems.Select(s => Hash(folder[output, "small", "mix", s])));

            void CheckNoPartOfAStem()
            {
                for (int s = 0; s < stems.Length; s++)
                {
                    string path = folder[output, "small", "mix", stems[s]];
                    Assert.True(!File.Exists(path) || Hash(path) == expected[s], $"{path} is there and not whole");
                }
            }
        }
        Assert.InRange(resumed, 1, run);
    }

    [Fact]
    public void Interrupting_keeps_what_is_done_and_says_so()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Signals cannot be sent to one process on Windows.");
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["long.wav"], WavSamples.Sine(44100 * 30));
        using Process process = Demucsps.Start(folder.Path, null, "separate", "long.wav", "--model", CliModels.Tiny);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        List<string> lines = [];
        while (process.StandardError.ReadLine() is { } line)
        {
            lines.Add(line);
            // Two chunks are done, so the frames of the first are final, and the next one runs. SIGTERM takes the way of Ctrl+C, which
            // background processes, as those of CI, may have
            // been told to ignore; the exit code tells them apart.
            if (line.Contains("chunk 2 of", StringComparison.Ordinal))
                Signal.Terminate(process.Id);
        }
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(1)));
        Assert.Equal(99, process.ExitCode);
        Assert.Contains(lines, l =>
            l.StartsWith("canceled", StringComparison.Ordinal) && l.Contains("Use --resume to continue.", StringComparison.Ordinal)
        );
        Assert.Empty(output.Result);
        string track = folder["separated", "htdemucs-tiny", "long"];
        Assert.Equal([Path.Combine(track, "demucsps.partial")], Directory.EnumerateFileSystemEntries(track));

        (int exitCode, _, string error) = Demucsps.Run(folder.Path, "separate", "long.wav", "--model", CliModels.Tiny);
        Assert.Equal(1, exitCode);
        Assert.Contains("[SeparationUnfinished]", error, StringComparison.Ordinal);
        (exitCode, _, error) = Demucsps.Run(folder.Path, "separate", "long.wav", "--model", CliModels.Tiny, "--resume", "--seed", "5");
        Assert.Equal(1, exitCode);
        Assert.Contains("seed changed from 0 to 5", error, StringComparison.Ordinal);
        Assert.Contains("[ResumeMismatch]", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Interrupted_while_models_are_loaded_it_names_what_was_not_begun()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Which files a process has open can be seen on Linux only.");
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["long.wav"], WavSamples.Sine(44100));
        // A model that takes a minute to be hashed: hundreds of gigabytes of a hole, in a field that nobody knows.
        const long Hole = 200_000_000_000;
        using (FileStream model = File.Create(folder["large.onnx"]))
        {
            model.Write(File.ReadAllBytes(CliModels.Small));
            model.Write([0x9A, 0x06]);
            for (ulong left = Hole; left > 0; left >>= 7)
                model.WriteByte((byte)(left & 0x7F | (left > 0x7F ? 0x80u : 0)));
            model.SetLength(model.Position + Hole);
        }
        using Process process = Demucsps.Start(folder.Path, null, "separate", "long.wav", "--model", "large.onnx");
        Task<string> error = process.StandardError.ReadToEndAsync();
        while (!process.HasExited && !IsReading())
            Thread.Yield();
        Signal.Terminate(process.Id);
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(1)));
        Assert.Equal(
            $"canceled: the models were not loaded yet, and '{folder["long.wav"]}' was not started.{Environment.NewLine}",
            error.Result
        );
        Assert.Equal(99, process.ExitCode);

        bool IsReading()
        {
            try
            {
                return Directory.EnumerateFiles($"/proc/{process.Id}/fd").Any(fd => new FileInfo(fd).LinkTarget == folder["large.onnx"]);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
            {
                // It was closed meanwhile.
                return false;
            }
        }
    }

    [Fact]
    public void A_second_process_on_the_same_track_is_refused_and_harms_nothing()
    {
        using TemporaryFolder folder = new();
        // Where a process can be stopped, the first one cannot be done before the second has tried; on Windows it takes much longer than
        // that.
        WavSamples.WriteFloat(folder["long.wav"], WavSamples.Sine(44100 * (OperatingSystem.IsWindows() ? 60 : 30)));
        using Process first = Demucsps.Start(folder.Path, null, "separate", "long.wav");
        Task<string> output = first.StandardOutput.ReadToEndAsync();
        bool refused = false;
        while (first.StandardError.ReadLine() is { } line)
        {
            if (refused || !line.Contains("chunk 1 of", StringComparison.Ordinal))
                continue;
            Signal.Stop(first.Id);
            (int exitCode, _, string error) = Demucsps.Run(folder.Path, "separate", "long.wav", "--force");
            Signal.Continue(first.Id);
            refused = exitCode == 99 && error.Contains("[SeparationRunning]", StringComparison.Ordinal);
            Assert.True(refused, error);
        }
        first.WaitForExit();
        Assert.True(refused);
        Assert.Equal(0, first.ExitCode);
        Assert.Equal(4, output.Result.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void When_nobody_reads_the_results_any_more_it_ends_in_the_middle_of_a_track()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Windows does not tell a program that its output is not read.");
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(44100));
        WavSamples.WriteFloat(folder["long.wav"], WavSamples.Sine(44100 * 120));
        using Process process = Demucsps.Start(folder.Path, null, "separate", "short.wav", "long.wav", "--stem", "bass");
        Assert.EndsWith("bass.wav", process.StandardOutput.ReadLine(), StringComparison.Ordinal);
        process.StandardOutput.Close();
        string error = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(1)));
        Assert.Equal(141, process.ExitCode);
        Assert.Contains("canceled", error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["separated", "baseline", "long", "bass.wav"]));
        Assert.Equal(0, Demucsps.Run(folder.Path, "verify", "separated/baseline/short").ExitCode);
    }

    [Fact]
    public void When_ffmpeg_is_killed_in_mid_decode_the_track_can_be_continued()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("The test's stand-in for ffmpeg is a shell script.");
        if (FindFFmpeg() is not { } ffmpeg)
        {
            Assert.Skip("There is no ffmpeg on the PATH.");
            return;
        }
        using TemporaryFolder folder = new();
        WriteAu(folder["song.au"], 44100 * 15);
        File.WriteAllText(folder["ffmpeg.sh"], $"#!/bin/sh\necho $$ >> '{folder["pids"]}'\nexec '{ffmpeg}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder["ffmpeg.sh"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Dictionary<string, string?> environment = new() { ["DEMUCSPS_FFMPEG"] = folder["ffmpeg.sh"] };
        Assert.Equal(
            0,
            Demucsps.Run(folder.Path, environment, "separate", "song.au", "--model", CliModels.Small, "--output", "whole").ExitCode
        );

        using Process process = Demucsps.Start(folder.Path, environment, "separate", "song.au", "--model", CliModels.Small);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        List<string> lines = [];
        while (process.StandardError.ReadLine() is { } line)
        {
            lines.Add(line);
            if (line.Contains("chunk 20 of", StringComparison.Ordinal))
                Signal.Kill(int.Parse(File.ReadAllLines(folder["pids"])[^1], System.Globalization.CultureInfo.InvariantCulture));
        }
        process.WaitForExit();
        Assert.Equal(1, process.ExitCode);
        Assert.Contains(lines, l =>
            l.Contains("[AudioTrackCorrupt]", StringComparison.Ordinal)
            && l.Contains("ffmpeg failed with exit code", StringComparison.Ordinal)
            && l.Contains("Use --resume to continue.", StringComparison.Ordinal)
        );
        Assert.Empty(output.Result);
        string track = folder["separated", "small", "song"];
        Assert.Equal([Path.Combine(track, "demucsps.partial")], Directory.EnumerateFileSystemEntries(track));

        (int exitCode, _, string error) = Demucsps.Run(
            folder.Path,
            environment,
            "separate",
            "song.au",
            "--model",
            CliModels.Small,
            "--resume"
        );
        Assert.True(exitCode == 0, error);
        Assert.All(Directory.GetFiles(track, "*.wav"), stem =>
            Assert.Equal(Hash(folder["whole", "small", "song", Path.GetFileName(stem)]), Hash(stem))
        );
    }

    /// <summary>A file of 16-bit noise that only ffmpeg can read: big endian, with the 24 bytes of header of Sun's .au.</summary>
    private static void WriteAu(string path, int frames)
    {
        byte[] data = new byte[4 * frames];
        new Random(3).NextBytes(data);
        byte[] header = [.. ".snd"u8, 0, 0, 0, 24, 255, 255, 255, 255, 0, 0, 0, 3, 0, 0, 0xAC, 0x44, 0, 0, 0, 2];
        File.WriteAllBytes(path, [.. header, .. data]);
    }

    private static string? FindFFmpeg() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "ffmpeg"))
            .FirstOrDefault(File.Exists);

    private static string Hash(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
