using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DemucsPS.Cli.Tests;

public sealed class SeparateCommandTests
{
    private static readonly string[] s_stems = ["bass.wav", "drums.wav", "other.wav", "vocals.wav"];

    /// <summary>ONNX Runtime would: a number for the machine, and a database of what it was used for.</summary>
    [Fact]
    public void Nothing_is_left_in_the_home_folder()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There the home folder is not asked for by a variable.");
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["home"]);
        File.Copy(RepositoryFiles.Song, folder["mix.wav"]);
        (int exitCode, _, string error) = Demucsps.Run(
            folder.Path,
            new Dictionary<string, string?>
            {
                ["HOME"] = folder["home"],
                ["XDG_CACHE_HOME"] = null,
                ["XDG_DATA_HOME"] = null,
                ["ORT_DISABLE_TELEMETRY"] = null,
                ["DEMUCSPS_CACHE"] = folder["cache"],
            },
            "separate",
            "mix.wav",
            "--model",
            CliModels.Small,
            "--output",
            "stems"
        );
        Assert.True(exitCode == 0, error);
        Assert.DoesNotContain(folder.Files(), file => file.StartsWith("home", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_without_a_command_is_met_with_the_command()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["mix.wav"], "");
        Assert.Equal(
            (2, "", "'mix.wav' is not a command. To separate it: demucsps separate mix.wav" + Environment.NewLine),
            Demucsps.Run(folder.Path, "mix.wav", "--json")
        );
    }

    [Fact]
    public void A_song_becomes_four_stems_named_on_stdout_and_the_progress_is_on_stderr()
    {
        using TemporaryFolder folder = new();
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            RepositoryFiles.Song,
            "--model",
            CliModels.Tiny
        );
        Assert.Equal(0, exitCode);
        Assert.Equal(
            s_stems.Select(s => folder["separated", "htdemucs-tiny", "mix", s]).Order(),
            output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Order()
        );
        Assert.Equal(
            s_stems.Append("demucsps.json").Order(StringComparer.Ordinal).Select(s => Path.Combine("separated", "htdemucs-tiny", "mix", s)),
            folder.Files()
        );
        for (int chunk = 1; chunk <= 3; chunk++)
            Assert.Contains($"chunk {chunk} of 3", error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_built_in_models_stems_sum_to_the_mix_and_it_says_that_it_is_not_Demucs()
    {
        using TemporaryFolder folder = new();
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            RepositoryFiles.Song,
            "--bit-depth",
            "32",
            "--json"
        );
        Assert.Equal(0, exitCode);
        Assert.Contains("not Demucs", error, StringComparison.Ordinal);
        JsonElement json = JsonDocument.Parse(output).RootElement;
        Assert.False(json.GetProperty("isDemucs").GetBoolean());
        Assert.Equal("Cpu", json.GetProperty("executionProvider").GetString());
        Assert.Contains(json.GetProperty("warnings").EnumerateArray(), w =>
            w.GetString()!.Contains("not Demucs", StringComparison.Ordinal)
        );
        Assert.Equal(882000, json.GetProperty("frames").GetInt64());
        Assert.Equal(20, json.GetProperty("duration").GetDouble());

        float[] mix = WavSamples.Read16(RepositoryFiles.Song);
        float[][] stems =
        [
            .. json.GetProperty("stems").EnumerateArray().Select(s => WavSamples.ReadFloat(s.GetProperty("filePath").GetString()!)),
        ];
        Assert.Equal(4, stems.Length);
        Assert.All(stems, s => Assert.Equal(mix.Length, s.Length));
        double signal = 0,
            rest = 0;
        for (int i = 0; i < mix.Length; i++)
        {
            double difference = mix[i] - stems.Sum(s => (double)s[i]);
            signal += (double)mix[i] * mix[i];
            rest += difference * difference;
        }
        Assert.InRange(10 * Math.Log10(rest / signal), double.NegativeInfinity, -80);
    }

    [Fact]
    public void The_number_of_jobs_and_a_second_run_change_no_bit()
    {
        using TemporaryFolder folder = new();
        // What threads take part in is compared with reference models in the engine's tests.
        const string Model = "baseline";
        foreach (string[] run in new[] { new[] { "a", "1" }, ["b", "2"], ["c", "1"] })
            Assert.Equal(
                0,
                Demucsps
                    .Run(
                        folder.Path,
                        "separate",
                        RepositoryFiles.Song,
                        "--model",
                        Model,
                        "--jobs",
                        run[1],
                        "--bit-depth",
                        "32",
                        "--output",
                        run[0]
                    )
                    .ExitCode
            );
        foreach (string stem in s_stems)
        {
            byte[] Stem(string run) => File.ReadAllBytes(folder[run, Model, "mix", stem]);
            Assert.True(Stem("a").AsSpan().SequenceEqual(Stem("b")), $"{stem}: two jobs differ");
            Assert.True(Stem("a").AsSpan().SequenceEqual(Stem("c")), $"{stem}: a second run differs");
        }
    }

    [Fact]
    public void Chunks_are_computed_several_at_once_where_the_model_takes_them()
    {
        using TemporaryFolder folder = new();
        string weights = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "official", "models", "little.safetensors");
        (int exitCode, _, string error) = Separate(weights, "2");
        Assert.True(exitCode == 0, error);
        Assert.Contains(
            ", batches of 2\"",
            File.ReadAllText(folder["separated", "little", "mix", "demucsps.json"]),
            StringComparison.Ordinal
        );
        (exitCode, _, error) = Separate("baseline", "2");
        Assert.Equal(2, exitCode);
        Assert.Contains("takes one chunk at a time, so the batch size must be 1 and not 2", error, StringComparison.Ordinal);
        Assert.Contains("--batch-size", error, StringComparison.Ordinal);

        (int ExitCode, string Output, string Error) Separate(string model, string size) =>
            Demucsps.Run(folder.Path, "separate", RepositoryFiles.Song, "--model", model, "--batch-size", size);
    }

    [Fact]
    public void Memory_that_a_batch_lacks_is_an_error_that_says_so()
    {
        using TemporaryFolder folder = new();
        // Half of what the inputs of 64 chunks of this model take.
        (int exitCode, _, string error) = Demucsps.Run(
            folder.Path,
            new Dictionary<string, string?> { ["DOTNET_GCHeapHardLimit"] = "0x6000000" },
            "separate",
            RepositoryFiles.Song,
            "--model",
            Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "official", "models", "little.safetensors"),
            "--batch-size",
            "64"
        );
        Assert.Equal(1, exitCode);
        Assert.Contains("error: Not enough memory for a chunk: ", error, StringComparison.Ordinal);
        Assert.EndsWith(
            " Use smaller batches, run fewer jobs, or close other programs. [OutOfMemory]",
            error.TrimEnd(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_verbose_option_says_the_plan_and_how_long_a_chunk_takes()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            RepositoryFiles.Song,
            "--jobs",
            "2",
            "--threads",
            "3",
            "--stem",
            "bass",
            "--bit-depth",
            "32",
            "--verbose"
        );
        Assert.Equal(0, exitCode);
        Assert.Contains("mix.wav is read as PCM 16 bit.", error, StringComparison.Ordinal);
        Assert.Contains(
            $"mix.wav: 3 chunks, 7.1 MB to write: bass.wav in '{folder["separated", "baseline", "mix"]}'; jobs 2, threads 3.",
            error,
            StringComparison.Ordinal
        );
        Assert.Matches(@"mix\.wav: \d+\.\d\d s per chunk\.", error);
        Assert.DoesNotContain("per chunk", output, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "threads",
            Demucsps.Run(folder.Path, "separate", RepositoryFiles.Song, "--output", "quiet").Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Shifts_depend_on_the_seed_alone()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Noise(30000));
        foreach (string[] run in new[] { new[] { "a", "7" }, ["b", "7"], ["c", "8"] })
            Assert.Equal(
                0,
                Demucsps
                    .Run(folder.Path, "separate", "short.wav", "--shifts", "1", "--seed", run[1], "--output", run[0], "--stem", "drums")
                    .ExitCode
            );
        byte[] first = File.ReadAllBytes(folder["a", "baseline", "short", "drums.wav"]);
        Assert.True(first.AsSpan().SequenceEqual(File.ReadAllBytes(folder["b", "baseline", "short", "drums.wav"])));
        Assert.False(first.AsSpan().SequenceEqual(File.ReadAllBytes(folder["c", "baseline", "short", "drums.wav"])));
    }

    [Fact]
    public void Models_are_prepared_once_in_the_cache_unless_told_not_to()
    {
        if (!TestSet.IsLong)
            Assert.Skip(TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(30000));
        File.Copy(CliModels.Tiny, folder["tiny.onnx"]);
        Dictionary<string, string?> environment = new() { ["DEMUCSPS_CACHE"] = folder["cache"] };
        void Run(string output, params string[] more) =>
            Assert.Equal(
                0,
                Demucsps
                    .Run(
                        folder.Path,
                        environment,
                        ["separate", "short.wav", "-m", "tiny.onnx", "--stem", "bass", "--bit-depth", "32", "-o", output, .. more]
                    )
                    .ExitCode
            );
        Run("plain", "--no-preparation");
        Assert.False(Directory.Exists(folder["cache"]));
        Run("prepared");
        string copy = Assert.Single(Directory.GetFiles(folder["cache"]));
        Assert.Matches(@"^tiny\.[0-9a-f]{16}\.[0-9a-f]{16}\.v\d+\.prepared\.onnx$", Path.GetFileName(copy));
        DateTime made = File.GetLastWriteTimeUtc(copy);
        Run("again");
        Assert.Equal(made, File.GetLastWriteTimeUtc(Assert.Single(Directory.GetFiles(folder["cache"]))));
        Assert.Equal(["short.wav", "tiny.onnx"], Directory.GetFiles(folder.Path).Select(f => Path.GetFileName(f)).Order());

        // The folder keeps the model's own name; the samples differ in their last digits only.
        float[] Bass(string run) => WavSamples.ReadFloat(folder[run, "tiny", "short", "bass.wav"]);
        Assert.Equal(Bass("prepared"), Bass("again"));
        Assert.NotEqual(Bass("plain"), Bass("prepared"));
        Assert.All(Bass("plain").Zip(Bass("prepared")), p => Assert.Equal(p.First, p.Second, 1e-4f));

        (int exitCode, string listed, string error) = Demucsps.Run(folder.Path, environment, "models", "cache");
        Assert.True(exitCode == 0, error);
        Assert.Matches($@"^tiny  Full +Cpu +\d+ MB  used \d{{4}}-\d\d-\d\d  {Regex.Escape(copy)}\s*$", listed);
        Assert.Equal(
            new FileInfo(copy).Length,
            JsonDocument
                .Parse(Demucsps.Run(folder.Path, environment, "models", "cache", "--json").Output)
                .RootElement.GetProperty("size")
                .GetInt64()
        );
        File.WriteAllText(folder["cache", "mine.txt"], "mine");
        Assert.Equal($"{copy} removed", Demucsps.Run(folder.Path, environment, "models", "cache", "--clear").Output.Trim());
        Assert.Equal([folder["cache", "mine.txt"]], Directory.GetFiles(folder["cache"]));
        Assert.Equal("", Demucsps.Run(folder.Path, environment, "models", "cache").Output);

        // A cache that cannot be written to is said once, and changes no bit.
        if (TestSet.IsLong)
        {
            environment["DEMUCSPS_CACHE"] = folder["cache", "mine.txt", "cache"];
            (exitCode, _, error) = Demucsps.Run(
                folder.Path,
                environment,
                "separate",
                "short.wav",
                "-m",
                "tiny.onnx",
                "-m",
                "tiny.onnx",
                "--stem",
                "bass",
                "--bit-depth",
                "32",
                "-o",
                "memory"
            );
            Assert.True(exitCode == 0, error);
            Assert.Single(Regex.Matches(error, "cannot be stored in"));
        }
        (exitCode, _, error) = Demucsps.Run(
            folder.Path,
            new Dictionary<string, string?> { ["DEMUCSPS_CACHE"] = "relative" },
            "models",
            "cache"
        );
        Assert.Equal(1, exitCode);
        Assert.Contains("not a full path", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Stems_are_named_as_told()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(30000));
        (int exitCode, _, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "short.wav",
            "--stem-name",
            "one,two",
            "--stem-name",
            "three,four",
            "--stem",
            "Two,four"
        );
        Assert.True(exitCode == 0, error);
        Assert.Equal(
            ["demucsps.json", "four.wav", "two.wav"],
            Directory.EnumerateFiles(folder["separated", "baseline", "short"]).Select(Path.GetFileName).Order()
        );
    }

    [Theory]
    [InlineData("--overlp", "separate", "short.wav", "--overlp")]
    [InlineData("-q", "separate", "-q", "short.wav", "--seed", "-1")]
    [InlineData("--foo", "models", "test", "--foo", "baseline")]
    [InlineData("--foo", "verify", "--foo")]
    public void What_looks_like_an_option_is_not_taken_for_a_name(string unknown, params string[] arguments)
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(3000));
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, arguments);
        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.Contains($"'{unknown}' is not an option of 'demucsps {arguments[0]}", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["separated"]));
    }

    [Fact]
    public void A_precision_is_asked_for_named_and_kept_when_it_goes_on()
    {
        if (!TestSet.IsLong)
            Assert.Skip(TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(30000));
        File.Copy(CliModels.Tiny, folder["tiny.onnx"]);
        string[] asked = ["separate", "short.wav", "-m", "tiny.onnx", "--stem", "bass", "--bit-depth", "32"];
        Assert.Equal(0, Demucsps.Run(folder.Path, [.. asked, "-o", "full"]).ExitCode);
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            [.. asked, "-o", "int8", "--precision", "int8", "--json", "--verbose"]
        );
        Assert.True(exitCode == 0, error);
        Assert.Equal("Int8", JsonDocument.Parse(output).RootElement.GetProperty("precision").GetString());
        Assert.Contains("1 chunk in Int8, ", error, StringComparison.Ordinal);
        float[] Bass(string run) => WavSamples.ReadFloat(folder[run, "tiny", "short", "bass.wav"]);
        Assert.NotEqual(Bass("full"), Bass("int8"));
        Assert.All(Bass("full").Zip(Bass("int8")), p => Assert.Equal(p.First, p.Second, 1e-3f));

        // Stems of another precision are others.
        Assert.Contains(
            "skipped",
            Demucsps.Run(folder.Path, [.. asked, "-o", "int8", "--precision", "int8", "--skip-existing"]).Error,
            StringComparison.Ordinal
        );
        (exitCode, _, error) = Demucsps.Run(folder.Path, [.. asked, "-o", "int8", "--skip-existing"]);
        Assert.Equal(1, exitCode);
        Assert.Matches(
            @"already exists, and is out of date: .*precision changed from Int8 to Full\. Choose another destination\. Use --force to replace it\. \[StemExists\]",
            error
        );

        foreach (
            string[] wrong in new string[][]
            {
                ["-m", "baseline"],
                ["-m", "tiny.onnx", "--no-preparation"],
                ["-m", "tiny.onnx", "--execution-provider", "cuda"],
            }
        )
        {
            (exitCode, _, error) = Demucsps.Run(folder.Path, ["separate", "short.wav", "-o", "refused", "--precision", "int8", .. wrong]);
            Assert.Equal(2, exitCode);
            Assert.Contains("ParameterInvalid", error, StringComparison.Ordinal);
        }
        Assert.False(Directory.Exists(folder["refused"]));

        if (!TestSet.IsLong)
            return;
        (exitCode, output, error) = Demucsps.Run(folder.Path, "models", "test", "tiny.onnx", "--precision", "int8");
        Assert.True(exitCode == 0, error);
        Assert.Matches(@"Int8 agrees with full precision to \d+ dB, which took [\d.]+ s", output);
    }

    [Fact]
    public void An_execution_provider_is_used_or_refused_and_auto_says_which()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(30000));
        // No library has both.
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "short.wav",
            "--execution-provider",
            OperatingSystem.IsMacOS() ? "directml" : "coreml",
            "--json"
        );
        Assert.Equal(1, exitCode);
        Assert.Equal("ExecutionProviderUnavailable", JsonDocument.Parse(output).RootElement.GetProperty("error").GetString());
        Assert.Contains("CPUExecutionProvider", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["separated"]));

        (exitCode, output, error) = Demucsps.Run(
            folder.Path,
            "separate",
            "short.wav",
            "--execution-provider",
            "auto",
            "--stem",
            "bass",
            "--json"
        );
        Assert.True(exitCode == 0, error);
        string? used = JsonDocument.Parse(output).RootElement.GetProperty("executionProvider").GetString();
        Assert.Contains($"note: Execution provider {used} is used.", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_stems_are_the_stem_and_the_sum_of_the_others()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Noise(30000));
        Assert.Equal(0, Demucsps.Run(folder.Path, "separate", "short.wav", "--bit-depth", "32", "-o", "all").ExitCode);
        Assert.Equal(
            0,
            Demucsps.Run(folder.Path, "separate", "short.wav", "--bit-depth", "32", "-o", "two", "--two-stems", "Vocals").ExitCode
        );
        Assert.Equal(
            ["no_vocals.wav", "vocals.wav"],
            Directory.EnumerateFiles(folder["two", "baseline", "short"], "*.wav").Select(Path.GetFileName).Order()
        );
        float[][] others =
        [
            .. new[] { "drums", "bass", "other" }.Select(s => WavSamples.ReadFloat(folder["all", "baseline", "short", s + ".wav"])),
        ];
        float[] rest = WavSamples.ReadFloat(folder["two", "baseline", "short", "no_vocals.wav"]);
        for (int i = 0; i < rest.Length; i++)
            Assert.Equal(others[0][i] + others[1][i] + others[2][i], rest[i], 1e-6f);
        Assert.Equal(
            WavSamples.ReadFloat(folder["all", "baseline", "short", "vocals.wav"]),
            WavSamples.ReadFloat(folder["two", "baseline", "short", "vocals.wav"])
        );
    }

    [Fact]
    public void A_bag_takes_a_row_of_weights_for_each_model()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Noise(30000));
        CliModels.WriteLouder(folder["louder.onnx"]);
        (int exitCode, _, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "short.wav",
            "-m",
            CliModels.Small,
            "-m",
            "louder.onnx",
            "--weights",
            "1,0,1,1",
            "--weights",
            "0,1,0,1",
            "-o",
            "bag",
            "--bit-depth",
            "32"
        );
        Assert.True(exitCode == 0, error);
        Assert.Equal(0, Demucsps.Run(folder.Path, "separate", "short.wav", "-m", "louder.onnx", "-o", "one", "--bit-depth", "32").ExitCode);
        float[] Stem(string run, string model, string stem) => WavSamples.ReadFloat(folder[run, model, "short", stem + ".wav"]);
        Assert.Equal(Stem("one", "louder", "bass"), Stem("bag", "small+louder", "bass"));
        Assert.NotEqual(Stem("one", "louder", "drums"), Stem("bag", "small+louder", "drums"));
        Assert.All(Stem("one", "louder", "vocals").Zip(Stem("bag", "small+louder", "vocals")), p =>
            Assert.Equal(0.75f * p.First, p.Second, 1e-4f)
        );
    }

    [Theory]
    [InlineData("two words.wav")]
    [InlineData("it's \"quoted\".wav")]
    [InlineData("take [1].wav")]
    [InlineData("100%.wav")]
    [InlineData("夜に駆ける 🎵.wav")]
    [InlineData("Ça va – Ωμέγα.wav")]
    [InlineData("-dash.wav")]
    public void Odd_file_names_work(string name)
    {
        if (OperatingSystem.IsWindows() && name.Contains('"', StringComparison.Ordinal))
            Assert.Skip("Windows has no quotes in file names.");
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder[name], WavSamples.Sine(10000));
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, "separate", "--stem", "vocals", "--", name);
        Assert.True(exitCode == 0, error);
        // Folders are named alike on all systems, and Windows has no quotes in names.
        string stem = folder["separated", "baseline", Path.GetFileNameWithoutExtension(name).Replace('"', '_'), "vocals.wav"];
        Assert.True(File.Exists(stem));
        Assert.Equal(stem, output.Trim());
    }

    /// <summary>
    /// What the parser would take for something else: files of arguments, values of switches, directives, questions, options with values.
    /// </summary>
    [Fact]
    public void Names_are_names_whatever_the_parser_could_take_them_for()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        string[] names = ["@list.wav", "@", "true", "false", "[diagram]", "--", "a=b.wav", "-"];
        foreach (string name in names)
            WavSamples.WriteFloat(folder[name], WavSamples.Sine(3000));
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "[diagram]",
            "@list.wav",
            "-o",
            "@stems",
            "--stem",
            "bass",
            "--force",
            "true",
            "-v",
            "false",
            "a=b.wav",
            "-",
            "--",
            "@",
            "--"
        );
        Assert.True(exitCode == 0, error);
        Assert.Equal(
            names.Select(name => folder["@stems", "baseline", Path.GetFileNameWithoutExtension(name), "bass.wav"]).Order(),
            output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Order()
        );
    }

    [Theory]
    [InlineData("'/h' does not exist", "separate", "/h")]
    [InlineData("The value for <input> is empty", "separate", "short.wav", "")]
    [InlineData("The value for --output is empty", "separate", "short.wav", "-o", "")]
    [InlineData("The value for --model is empty", "separate", "short.wav", "--model", "")]
    [InlineData("Required argument missing for option: '--model'", "separate", "short.wav", "--model=")]
    [InlineData("The value for --stem is empty", "separate", "short.wav", "--stem", "")]
    [InlineData("The value for <path> is empty", "verify", "")]
    [InlineData("The value for <name> is empty", "models", "test", "")]
    [InlineData("--force takes no value", "separate", "short.wav", "--force=true")]
    [InlineData("-f takes no value", "separate", "short.wav", "-f:false")]
    [InlineData("--json takes no value", "models", "list", "--json=false")]
    public void What_is_no_name_is_said(string says, params string[] arguments)
    {
        if (OperatingSystem.IsWindows() && arguments.Contains("/h"))
            Assert.Skip("It has a drive before it on Windows.");
        using TemporaryFolder folder = new();
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, arguments);
        // A file that does not exist is no matter of usage.
        Assert.Equal(says.Contains("does not exist", StringComparison.Ordinal) ? 1 : 2, exitCode);
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Existing_stems_are_kept_unless_forced()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(10000));
        string stem = folder["separated", "baseline", "short", "bass.wav"];
        Directory.CreateDirectory(Path.GetDirectoryName(stem)!);
        File.WriteAllText(stem, "mine");
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, "separate", "short.wav");
        Assert.NotEqual(0, exitCode);
        Assert.Contains(
            "already exists. Choose another destination. Use --force to replace it. Use --skip-existing to skip finished tracks, and --resume to continue interrupted ones. [StemExists]",
            error,
            StringComparison.Ordinal
        );
        Assert.Empty(output);
        Assert.Equal("mine", File.ReadAllText(stem));
        Assert.Equal(["separated/baseline/short/bass.wav".Replace('/', Path.DirectorySeparatorChar), "short.wav"], folder.Files());

        Assert.Equal(0, Demucsps.Run(folder.Path, "separate", "short.wav", "--force").ExitCode);
        Assert.NotEqual("mine", File.ReadAllText(stem));
    }

    [Fact]
    public void Sources_of_one_name_in_a_batch_are_refused_before_any_work_and_the_others_are_separated()
    {
        using TemporaryFolder folder = new();
        foreach (string disc in new[] { "one", "two" })
        {
            Directory.CreateDirectory(folder[disc]);
            WavSamples.WriteFloat(folder[disc, "intro.wav"], WavSamples.Sine(10000));
        }
        WavSamples.WriteFloat(folder["one", "other.wav"], WavSamples.Sine(10000));
        // Of one name, and of one folder, but for the extension.
        WavSamples.WriteFloat(folder["one", "other.wave"], WavSamples.Sine(10000));
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "one/intro.wav",
            "two/intro.wav",
            "one/other.wav",
            "--force",
            "--stem",
            "bass",
            "--file-name-template",
            "{name} {ext}/{stem}",
            "-o",
            "apart",
            "one/other.wave"
        );
        Assert.Equal(1, exitCode);
        Assert.Contains("3 of 4 tracks separated, 1 failed", error, StringComparison.Ordinal);
        Assert.True(File.Exists(folder["apart", "other wave", "bass.wav"]) && File.Exists(folder["apart", "other wav", "bass.wav"]));

        (exitCode, output, error) = Demucsps.Run(
            folder.Path,
            "separate",
            "one/intro.wav",
            "two/intro.wav",
            "one/other.wav",
            "--force",
            "--stem",
            "bass"
        );
        Assert.Equal(1, exitCode);
        string[] lines = error.Split(Environment.NewLine);
        int refused = Array.FindIndex(lines, l =>
            l.StartsWith("error: ", StringComparison.Ordinal) && l.Contains(folder["two", "intro.wav"], StringComparison.Ordinal)
        );
        Assert.InRange(refused, 0, Array.FindIndex(lines, l => l.StartsWith("intro.wav: ", StringComparison.Ordinal)) - 1);
        Assert.Contains("2 of 3 tracks separated, 1 failed", error, StringComparison.Ordinal);
        Assert.Equal(
            [folder["separated", "baseline", "intro", "bass.wav"], folder["separated", "baseline", "other", "bass.wav"]],
            output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)
        );
    }

    [Fact]
    public void Loud_integer_stems_are_scaled_alike_and_say_so()
    {
        using TemporaryFolder folder = new();
        float[] loud = [.. WavSamples.Sine(60000).Select(x => x * 30)];
        WavSamples.WriteFloat(folder["loud.wav"], loud);
        foreach (string[] run in new[] { new[] { "rescaled", "16" }, ["raw", "32"] })
            Assert.Equal(0, Demucsps.Run(folder.Path, "separate", "loud.wav", "--bit-depth", run[1], "--output", run[0]).ExitCode);
        (_, string json, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "loud.wav",
            "--bit-depth",
            "16",
            "--json",
            "--output",
            "again"
        );
        float gain = JsonDocument.Parse(json).RootElement.GetProperty("gain").GetSingle();
        Assert.InRange(gain, 0.1f, 0.9f);
        Assert.Contains("multiplied by", error, StringComparison.Ordinal);
        foreach (string stem in s_stems)
        {
            float[] raw = WavSamples.ReadFloat(folder["raw", "baseline", "loud", stem]),
                rescaled = WavSamples.Read16(folder["rescaled", "baseline", "loud", stem]);
            for (int i = 0; i < raw.Length; i++)
                Assert.Equal(raw[i] * gain, rescaled[i], 2f / 32768);
        }
    }

    [Fact]
    public void Dither_is_added_only_if_asked_and_is_the_same_every_time()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(20000));
        foreach (string[] run in new[] { new[] { "plain" }, ["a", "--dither"], ["b", "--dither"] })
            Assert.Equal(
                0,
                Demucsps.Run(folder.Path, ["separate", "short.wav", "--bit-depth", "16", "--output", run[0], .. run[1..]]).ExitCode
            );
        float[] Stem(string run) => WavSamples.Read16(folder[run, "baseline", "short", "other.wav"]);
        Assert.Equal(Stem("a"), Stem("b"));
        // Two steps peak to peak: at most one step beside rounding.
        float[] steps = [.. Stem("a").Zip(Stem("plain"), (d, p) => Math.Abs(d - p) * 32768)];
        Assert.InRange(steps.Max(), 1, 2);
        Assert.InRange(steps.Count(s => s > 0) / (double)steps.Length, 0.2, 0.8);
    }

    [Fact]
    public void Samples_can_be_clamped_or_left_alone()
    {
        if (!TestSet.IsLong)
            Assert.Skip(TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["loud.wav"], [.. WavSamples.Sine(60000).Select(x => x * 30)]);
        foreach (string clip in new[] { "clamp", "none" })
            Assert.Equal(
                0,
                Demucsps.Run(folder.Path, "separate", "loud.wav", "--bit-depth", "32", "--clip", clip, "--output", clip).ExitCode
            );
        (int exitCode, string json, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "loud.wav",
            "--bit-depth",
            "16",
            "--clip",
            "none",
            "--output",
            "full",
            "--json"
        );
        Assert.Equal(0, exitCode);
        Assert.Contains("were clipped", error, StringComparison.Ordinal);
        Assert.Equal(1, JsonDocument.Parse(json).RootElement.GetProperty("gain").GetSingle());
        string[] loudest = [.. s_stems.OrderByDescending(s => WavSamples.ReadFloat(folder["none", "baseline", "loud", s]).Max(Math.Abs))];
        float[] raw = WavSamples.ReadFloat(folder["none", "baseline", "loud", loudest[0]]),
            clamped = WavSamples.ReadFloat(folder["clamp", "baseline", "loud", loudest[0]]);
        Assert.InRange(raw.Max(Math.Abs), 1.01f, 10);
        Assert.Equal(raw.Select(x => Math.Clamp(x, -0.99f, 0.99f)), clamped);
        Assert.Equal(32767 / 32768f, WavSamples.Read16(folder["full", "baseline", "loud", loudest[0]]).Max(), 1f / 32768);
    }

    [Fact]
    public void A_bad_file_does_not_stop_the_others()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["bad.wav"], "no sound");
        WavSamples.WriteFloat(folder["good.wav"], WavSamples.Sine(10000));
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "missing.wav",
            "bad.wav",
            "good.wav",
            "--json",
            "--stem",
            "drums"
        );
        Assert.NotEqual(0, exitCode);
        JsonElement[] lines =
        [
            .. output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement),
        ];
        Assert.Equal(4, lines.Length);
        Assert.Equal("AudioTrackNotFound", lines[0].GetProperty("error").GetString());
        Assert.Equal(folder["missing.wav"], lines[0].GetProperty("sourcePath").GetString());
        Assert.True(lines[1].TryGetProperty("error", out _));
        Assert.Equal(folder["good.wav"], lines[2].GetProperty("sourcePath").GetString());
        JsonElement summary = lines[3].GetProperty("summary");
        Assert.Equal([3, 1, 2, 1], new[] { "tracks", "separated", "failed", "stems" }.Select(name => summary.GetProperty(name).GetInt32()));
        Assert.Contains("1 of 3 tracks separated, 2 failed: 1 file, 0:00:00 of music in", error, StringComparison.Ordinal);
        Assert.Contains(folder["bad.wav"], error, StringComparison.Ordinal);
        Assert.Equal(
            [
                "bad.wav",
                "good.wav",
                Path.Combine("separated", "baseline", "good", "demucsps.json"),
                Path.Combine("separated", "baseline", "good", "drums.wav"),
            ],
            folder.Files()
        );
    }

    public static TheoryData<string, string> BadInputs =>
        new()
        {
            { "missing", "AudioTrackNotFound" },
            { "folder", "AudioTrackNotFound" },
            { "empty", "AudioTrackCorrupt" },
            { "text", "FFmpegNotFound" },
            { "no frames", "AudioTrackCorrupt" },
            { "NaN", "AudioTrackCorrupt" },
            { "unreadable", "AudioTrackNotFound" },
        };

    [Theory]
    [MemberData(nameof(BadInputs))]
    public void Bad_input_is_named_and_nothing_is_left_behind(string kind, string id)
    {
        using TemporaryFolder folder = new();
        string path = folder["input.wav"];
        switch (kind)
        {
            case "folder":
                Directory.CreateDirectory(path);
                break;
            case "empty":
                File.WriteAllBytes(path, []);
                break;
            case "text":
                File.WriteAllText(path, "this is no sound");
                break;
            case "no frames":
                WavSamples.WriteFloat(path, []);
                break;
            case "NaN":
                WavSamples.WriteFloat(path, [.. WavSamples.Sine(5000), float.NaN, 0]);
                break;
            case "unreadable":
                if (Environment.IsPrivilegedProcess)
                    Assert.Skip("The administrator can read every file.");
                if (OperatingSystem.IsWindows())
                    Assert.Skip("Windows has no mode bits to take away.");
                else
                    File.SetUnixFileMode(CreateFile(path), UnixFileMode.UserWrite);
                break;
        }
        string[] before = folder.Files();
        Dictionary<string, string?> withoutFFmpeg = new() { ["PATH"] = folder.Path, ["DEMUCSPS_FFMPEG"] = null };
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, withoutFFmpeg, "separate", "input.wav");
        Assert.NotEqual(0, exitCode);
        Assert.Contains(path, error, StringComparison.Ordinal);
        Assert.Contains($"[{id}]", error, StringComparison.Ordinal);
        Assert.Empty(output);
        Assert.Equal(before, folder.Files());
        Assert.False(Directory.Exists(folder["separated"]));
    }

    [Fact]
    public void Where_no_track_is_there_no_model_is_loaded_to_say_so()
    {
        using TemporaryFolder folder = new();
        Dictionary<string, string?> cache = new() { ["DEMUCSPS_CACHE"] = folder["cache"] };
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, cache, "separate", "none.wav", "--model", CliModels.Normalizing);
        Assert.Equal(1, exitCode);
        Assert.Contains("[AudioTrackNotFound]", error, StringComparison.Ordinal);
        // Loading would have prepared it.
        Assert.False(Directory.Exists(folder["cache"]));
    }

    [Fact]
    public void Without_ffmpeg_wave_and_FLAC_files_are_separated_and_others_say_what_to_install()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["a.wav"], WavSamples.Sine(50000));
        File.Copy(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "song", "bass.flac"), folder["b.flac"]);
        File.WriteAllText(folder["c.mp3"], "ID3 and so on");
        Dictionary<string, string?> withoutFFmpeg = new() { ["PATH"] = "", ["DEMUCSPS_FFMPEG"] = null };
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            withoutFFmpeg,
            "separate",
            ".",
            "--stem",
            "bass",
            "--output",
            "out"
        );
        Assert.Equal(1, exitCode);
        Assert.Equal(
            [folder["out", "baseline", "a", "bass.wav"], folder["out", "baseline", "b", "bass.wav"]],
            output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)
        );
        Assert.Contains("c.mp3' needs ffmpeg", error, StringComparison.Ordinal);
        Assert.Contains("Install ffmpeg", error, StringComparison.Ordinal);
        Assert.Contains("[FFmpegNotFound]", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_playlists_and_CUE_sheets_stand_for_their_tracks_and_what_fails_does_not_stop_the_rest()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["music", "inner"]);
        WavSamples.WriteFloat(folder["music", "a.wav"], WavSamples.Sine(30000));
        WavSamples.WriteFloat(folder["music", "inner", "b.wav"], WavSamples.Sine(2 * 44100));
        File.WriteAllText(folder["list.m3u"], "music/a.wav\nhttps://example.org/c.wav\n");
        File.WriteAllText(
            folder["music", "inner", "b.cue"],
            "FILE b.wav WAVE\nTRACK 01 AUDIO\nTITLE \"../x\"\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 01 00:00:25\n"
        );
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "list.m3u",
            "music",
            "--recurse",
            "--include",
            "*.wav,*.cue",
            "--stem",
            "bass",
            "--output",
            "music/stems",
            "--json"
        );
        Assert.Equal(1, exitCode);
        JsonElement[] lines =
        [
            .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement),
        ];
        JsonElement[] done = [.. lines.Where(line => line.TryGetProperty("track", out _))];
        Assert.Equal(["a", "01 ../x", "02", "b"], done.Select(line => line.GetProperty("track").GetString()));
        Assert.Equal([14700, 73500], done[1..3].Select(line => line.GetProperty("frames").GetInt32()));
        Assert.Equal(
            "TrackListInvalid",
            Assert.Single(lines, line => line.TryGetProperty("error", out _)).GetProperty("error").GetString()
        );
        Assert.Contains("note: ", error, StringComparison.Ordinal);
        Assert.All(done, line =>
            Assert.StartsWith(
                folder["music", "stems"],
                line.GetProperty("stems")[0].GetProperty("filePath").GetString(),
                StringComparison.Ordinal
            )
        );
    }

    [Fact]
    public void Wildcards_that_no_shell_has_expanded_stand_for_files_and_folders_and_brackets_for_themselves()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["[2020] album", "disc [2]"]);
        WavSamples.WriteFloat(folder["[2020] album", "a.wav"], WavSamples.Sine(10000));
        WavSamples.WriteFloat(folder["[2020] album", "disc [2]", "b.wav"], WavSamples.Sine(10000));
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "[2020] album/*",
            "--stem",
            "bass",
            "--output",
            "out"
        );
        Assert.True(exitCode == 0, error);
        Assert.Equal(
            [folder["out", "baseline", "a", "bass.wav"], folder["out", "baseline", "b", "bass.wav"]],
            output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)
        );
    }

    [Fact]
    public void Stems_take_the_rate_and_the_channel_of_their_source_if_asked()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["voice.wav"], WavSamples.Sine(48001), channels: 1, rate: 48000);
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "voice.wav",
            "--sample-rate",
            "source",
            "--keep-mono",
            "--bit-depth",
            "32",
            "--stem",
            "bass",
            "--json"
        );
        Assert.True(exitCode == 0, error);
        JsonElement result = JsonDocument.Parse(output).RootElement;
        int frames = WavSamples.Sine(48001).Length;
        Assert.Equal((48000, frames), (result.GetProperty("sampleRate").GetInt32(), result.GetProperty("frames").GetInt32()));
        Assert.Equal(frames, WavSamples.ReadFloat(result.GetProperty("stems")[0].GetProperty("filePath").GetString()!).Length);
        foreach (string[] wrong in new[] { new[] { "--sample-rate", "fast" }, ["--sample-rate", "1000"], ["--stream-index", "-1"] })
        {
            (exitCode, _, error) = Demucsps.Run(folder.Path, ["separate", "voice.wav", .. wrong]);
            Assert.Equal(2, exitCode);
            Assert.Contains("[ParameterInvalid]", error, StringComparison.Ordinal);
        }
        (exitCode, _, error) = Demucsps.Run(folder.Path, "separate", "voice.wav", "--stream-index", "1", "--output", "other");
        Assert.Equal(1, exitCode);
        Assert.Contains("has no audio stream 1", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Damage_is_passed_over_or_refused_as_is_asked_for_and_its_gaps_are_in_the_result()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["cut.wav"], WavSamples.Sine(5000));
        byte[] file = File.ReadAllBytes(folder["cut.wav"]);
        File.WriteAllBytes(folder["cut.wav"], file[..^(1000 * 8)]);
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, "separate", "cut.wav", "--on-damage", "fail");
        Assert.Equal(1, exitCode);
        Assert.Contains(
            "1000 frames are missing. Use --on-damage warn to read what can be read. [AudioTrackCorrupt]",
            error,
            StringComparison.Ordinal
        );
        Assert.False(Directory.Exists(folder["separated"]));
        (exitCode, output, error) = Demucsps.Run(folder.Path, "separate", "cut.wav", "--json");
        Assert.True(exitCode == 0, error);
        Assert.Contains(
            """
            "gaps":[{"startFrame":4000,"frames":1000,"sampleRate":44100,"isFilled":false,"start":0.0907029,"duration":0.0226757}]
            """.Trim(),
            output,
            StringComparison.Ordinal
        );
        Assert.Contains("warning: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_destination_that_cannot_be_written_is_named()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(5000));
        File.WriteAllText(folder["separated"], "a file, not a folder");
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, "separate", "short.wav");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("[StemWriteFailed]", error, StringComparison.Ordinal);
        Assert.Contains(folder["separated"], error, StringComparison.Ordinal);
        Assert.Equal("a file, not a folder", File.ReadAllText(folder["separated"]));
    }

    public static TheoryData<string, string, string> BadModels =>
        new()
        {
            { "missing.onnx", "DemucsModelNotFound", "missing.onnx" },
            { "kazoo", "DemucsModelNotFound", "no model named" },
            { "htdemucs", "DemucsModelNotFound", "demucsps models install htdemucs" },
            { "text.onnx", "DemucsModelInvalid", "not an ONNX file" },
            { "folder.onnx", "DemucsModelNotFound", "folder" },
        };

    [Theory]
    [MemberData(nameof(BadModels))]
    public void An_unusable_model_is_named(string model, string id, string says)
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(5000));
        File.WriteAllText(folder["text.onnx"], "no graph");
        Directory.CreateDirectory(folder["folder.onnx"]);
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, "separate", "short.wav", "--model", model);
        Assert.NotEqual(0, exitCode);
        Assert.Contains($"[{id}]", error, StringComparison.Ordinal);
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.Contains(model, error, StringComparison.Ordinal);
        Assert.Empty(output);
        Assert.False(Directory.Exists(folder["separated"]));
    }

    [Theory]
    [InlineData("--overlap", "0.9999999")]
    [InlineData("--overlap", "-0.1")]
    [InlineData("--transition-power", "0.5")]
    [InlineData("--segment", "0.1")]
    [InlineData("--shifts", "-1")]
    [InlineData("--retry", "101")]
    [InlineData("--jobs", "257")]
    [InlineData("--batch-size", "0")]
    [InlineData("--threads", "-1")]
    [InlineData("--stream-index", "-1")]
    [InlineData("--bit-depth", "20")]
    [InlineData("--sample-rate", "44,100")]
    [InlineData("--weights", "1,2,x,4")]
    [InlineData("--mixdown", "vocals=0,5")]
    [InlineData("--mixdown", "vocals=50")]
    [InlineData("--value-separator", "/")]
    [InlineData("--two-stems-method", "minus")]
    public void Parameters_out_of_range_are_refused_before_anything_is_looked_for(string option, string value)
    {
        using TemporaryFolder folder = new();
        // Neither model, runtime nor catalog could be had; what is wrong with the option is said all the same, and alone.
        Dictionary<string, string?> nothing = new()
        {
            ["DEMUCSPS_ONNXRUNTIME"] = folder["none"],
            ["DEMUCSPS_CATALOG"] = folder["none"],
            ["DEMUCSPS_FFMPEG"] = folder["none"],
        };
        (int exitCode, _, string error) = Demucsps.Run(
            folder.Path,
            nothing,
            "separate",
            "missing.wav",
            "--model",
            "missing.onnx",
            option,
            value
        );
        Assert.Equal(2, exitCode);
        Assert.Contains("[ParameterInvalid]", error, StringComparison.Ordinal);
        // The engine's messages say what is wrong in words; here it is an option.
        if (option != "--two-stems-method")
            Assert.Contains(option, error, StringComparison.Ordinal);
        Assert.Single(error.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(folder.Files());
    }

    [Theory]
    [InlineData("--overlap", "0,25")]
    [InlineData("--shifts", "1,000")]
    [InlineData("--jobs", "2,5")]
    [InlineData("--bit-rate", "1,920")]
    public void A_comma_in_a_number_is_named(string option, string value)
    {
        using TemporaryFolder folder = new();
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, "separate", "missing.wav", option, value);
        Assert.Equal(2, exitCode);
        Assert.StartsWith($"'{value}' for {option} has a comma. Write decimals with a point (0.25)", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--format", "ogg", "'ogg' is not a value for --format. Values are wav, flac, mp3, aac, opus, alac, stemmp4.")]
    [InlineData("--clip", "2", "'2' is not a value for --clip. Values are rescale, clamp, none.")]
    [InlineData("--late-start", "never", "'never' is not a value for --late-start. Values are silence, cut.")]
    [InlineData("--overlap", "half", "'half' for --overlap is not a number.")]
    [InlineData("--seed", "1.5", "'1.5' for --seed is not a whole number")]
    [InlineData("--quality", "9999999999", "'9999999999' for --quality is not a whole number")]
    [InlineData("--retry", null, "--retry")]
    public void What_is_no_number_or_no_word_of_the_option_is_named(string option, string? value, string says)
    {
        using TemporaryFolder folder = new();
        (int exitCode, _, string error) = Demucsps.Run(
            folder.Path,
            ["separate", "missing.wav", option, .. value is null ? [] : new[] { value }]
        );
        Assert.Equal(2, exitCode);
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.DoesNotContain("DemucsPS.Engine", error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--stem", "kazoo")]
    [InlineData("--two-stems", "kazoo")]
    [InlineData("--stem-name", "a,b,c")]
    [InlineData("--weights", "1,2")]
    [InlineData("--weights", "0,1,1,1")]
    public void What_does_not_fit_the_model_is_refused(string option, string value)
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(5000));
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, "separate", "short.wav", option, value);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("[ParameterInvalid]", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["separated"]));
    }

    [Fact]
    public void A_missing_runtime_names_every_path_tried_or_the_variable()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["short.wav"], WavSamples.Sine(5000));
        Dictionary<string, string?> library = new() { ["DEMUCSPS_ONNXRUNTIME"] = folder["libnone.so"] };
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, library, "separate", "short.wav");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("[OnnxRuntimeUnavailable]", error, StringComparison.Ordinal);
        Assert.Contains(folder["libnone.so"], error, StringComparison.Ordinal);

        File.WriteAllText(folder["libnone.so"], "no library");
        (exitCode, _, error) = Demucsps.Run(folder.Path, library, "separate", "short.wav");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("[OnnxRuntimeUnavailable]", error, StringComparison.Ordinal);

        // One of .NET's own.
        string another = Path.Combine(
            RuntimeEnvironment.GetRuntimeDirectory(),
            OperatingSystem.IsWindows() ? "clrjit.dll"
                : OperatingSystem.IsMacOS() ? "libclrjit.dylib"
                : "libclrjit.so"
        );
        (exitCode, _, error) = Demucsps.Run(
            folder.Path,
            new Dictionary<string, string?> { ["DEMUCSPS_ONNXRUNTIME"] = another },
            "separate",
            "short.wav"
        );
        Assert.NotEqual(0, exitCode);
        Assert.Contains(
            $"'{another}' is not an ONNX Runtime library: it does not export the entry point of ONNX Runtime. [OnnxRuntimeUnavailable]",
            error,
            StringComparison.Ordinal
        );
    }

    private static string CreateFile(string path)
    {
        WavSamples.WriteFloat(path, WavSamples.Sine(5000));
        return path;
    }
}
