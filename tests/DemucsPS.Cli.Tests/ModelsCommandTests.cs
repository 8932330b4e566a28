using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DemucsPS.Cli.Tests;

public sealed class ModelsCommandTests
{
    private static readonly byte[] s_model = File.ReadAllBytes(CliModels.Small);

    [Fact]
    public void Models_are_listed_as_text_and_as_JSON()
    {
        using TemporaryFolder folder = new();
        (int exitCode, string output, _) = Demucsps.Run(folder.Path, "models");
        Assert.Equal(0, exitCode);
        Assert.Matches("(?m)^baseline +built in +- +drums, bass, other, vocals", output);
        Assert.Matches("(?m)^htdemucs_6s +not installed +55 MB +drums, bass, other, vocals, guitar, piano", output);
        (exitCode, output, string error) = Demucsps.Run(folder.Path, "models", "list", "htdemucs_ft", "kazoo", "--json");
        Assert.NotEqual(0, exitCode);
        JsonElement[] lines = Lines(output);
        Assert.Equal("DemucsModelNotFound", lines[0].GetProperty("error").GetString());
        Assert.Equal(4, lines[1].GetProperty("members").GetArrayLength());
        Assert.False(lines[1].GetProperty("installed").GetBoolean());
        Assert.Contains("kazoo", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_are_converted_and_separated_with_by_the_file_of_a_bag()
    {
        using TemporaryFolder folder = new();
        foreach (string file in (string[])["little.safetensors", "little-bag.yaml"])
            File.Copy(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "official", "models", file), folder[file]);
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "models",
            "convert",
            "little.safetensors",
            "--output",
            "little.onnx"
        );
        Assert.True(exitCode == 0, error);
        Assert.Equal(folder["little.onnx"], output.Trim());
        (exitCode, _, error) = Demucsps.Run(folder.Path, "models", "convert", "little-bag.yaml", "--output", "little.onnx");
        Assert.NotEqual(0, exitCode);
        Assert.Matches(@"little\.onnx' already exists\..* Use --force to replace it\. \[ModelWriteFailed\]", error);

        WavSamples.WriteFloat(folder["mix.wav"], WavSamples.Sine(20000));
        (exitCode, output, error) = Demucsps.Run(
            folder.Path,
            "separate",
            "mix.wav",
            "--model",
            "little-bag.yaml",
            "--segment",
            "1",
            "--json"
        );
        Assert.True(exitCode == 0, error);
        Assert.Equal("little-bag", Lines(output).Single().GetProperty("model").GetString());
        Assert.Contains(
            "\"segment\": \"44100 frames\"",
            File.ReadAllText(folder["separated", "little-bag", "mix", "demucsps.json"]),
            StringComparison.Ordinal
        );
        // The bag's models have 1.25 s.
        (exitCode, _, error) = Demucsps.Run(
            folder.Path,
            "separate",
            "mix.wav",
            "--model",
            "little-bag.yaml",
            "--segment",
            "1.3",
            "--force"
        );
        Assert.NotEqual(0, exitCode);
        Assert.Matches(@"The segment is 1\.3 s; .* 1\.25 s\. The option is --segment\. \[ParameterInvalid\]", error);
        File.WriteAllText(folder["old.th"], "");
        (exitCode, _, error) = Demucsps.Run(folder.Path, "separate", "mix.wav", "--model", "old.th");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("a PyTorch checkpoint. Checkpoints are not supported", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_models_folder_that_cannot_be_read_is_named_and_the_rest_is_listed()
    {
        using TemporaryFolder folder = new();
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder["models"], UnixFileMode.None);
            File.SetUnixFileMode(
                folder.Path,
                UnixFileMode.UserRead
                    | UnixFileMode.UserWrite
                    | UnixFileMode.UserExecute
                    | UnixFileMode.OtherRead
                    | UnixFileMode.OtherExecute
            );
        }
        (int exitCode, string output, string error) = Demucsps.RunUnprivileged(
            folder.Path,
            new() { ["DEMUCSPS_MODELS"] = folder["models"] },
            "models",
            "list"
        );
        Assert.Equal(1, exitCode);
        Assert.Matches(
            $"^error: The models folder '{Regex.Escape(folder["models"])}' cannot be read: [^\n]+ \\[DemucsModelNotFound\\]\\s*$",
            error
        );
        Assert.Matches("(?m)^baseline +built in", output);
    }

    [Fact]
    public void A_model_is_installed_used_tested_and_removed()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(LoopbackServer.File(s_model));
        Dictionary<string, string?> library = Library(folder, server);
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, library, "models", "install", "tiny");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("Only for tests.", error, StringComparison.Ordinal);
        Assert.Contains("--accept-license", error, StringComparison.Ordinal);
        Assert.Contains("[LicenseNotAccepted]", error, StringComparison.Ordinal);
        (exitCode, string output, error) = Demucsps.Run(folder.Path, library, "models", "install", "tiny", "--accept-license");
        Assert.True(exitCode == 0, error);
        Assert.Equal(folder["models", "tiny", "tiny.onnx"], output.Trim());
        Assert.Contains("tiny: fetching", error, StringComparison.Ordinal);

        WavSamples.WriteFloat(folder["mix.wav"], WavSamples.Sine(20000));
        (exitCode, output, error) = Demucsps.Run(folder.Path, library, "separate", "mix.wav", "--model", "tiny", "--stem", "bass");
        Assert.True(exitCode == 0, error);
        Assert.Equal(folder["separated", "tiny", "mix", "bass.wav"], output.Trim());
        (exitCode, output, error) = Demucsps.Run(folder.Path, library, "models", "test", "tiny", "--json");
        Assert.True(exitCode == 0, error);
        Assert.True(JsonDocument.Parse(output).RootElement.GetProperty("hashMatches").GetBoolean());
        File.WriteAllBytes(folder["models", "tiny", "tiny.onnx"], s_model[..100]);
        (exitCode, output, _) = Demucsps.Run(folder.Path, library, "models", "test", "tiny");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("failed", output, StringComparison.Ordinal);
        (exitCode, _, error) = Demucsps.Run(folder.Path, library, "models", "remove", "tiny");
        Assert.True(exitCode == 0, error);
        Assert.False(Directory.Exists(folder["models", "tiny"]));
        Assert.NotEqual(0, Demucsps.Run(folder.Path, library, "models", "remove", "tiny").ExitCode);
    }

    [Fact]
    public void What_preparation_changes_is_said_and_one_that_loses_is_refused()
    {
        if (!TestSet.IsLong)
            Assert.Skip(TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        File.Copy(CliModels.Normalizing, folder["own.onnx"]);
        Dictionary<string, string?> environment = new() { ["DEMUCSPS_CACHE"] = folder["cache"] };
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, environment, "models", "test", "own.onnx");
        Assert.True(exitCode == 0, error);
        string[] lines = output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("own: passed; ", lines[0], StringComparison.Ordinal);
        Assert.Equal(
            ["music", "mostly silence", "offset"],
            lines[1..]
                .Select(line =>
                    Regex
                        .Match(
                            line,
                            @"^  ([a-z ]+): +prepared vs\. as exported (\d+\.\d dB|no difference); vs\. float64: prepared (\d+\.\d dB|no difference), as exported (\d+\.\d dB|no difference)$"
                        )
                        .Groups[1]
                        .Value
                )
        );
        (_, output, _) = Demucsps.Run(folder.Path, environment, "models", "test", "own.onnx", "--json");
        JsonElement result = Assert.Single(Lines(output));
        Assert.Equal(
            ["Music", "MostlySilence", "Offset"],
            result.GetProperty("preparation").EnumerateArray().Select(chunk => chunk.GetProperty("chunk").GetString())
        );
        Assert.True(result.GetProperty("preparation")[1].GetProperty("exportedDb").GetDouble() > 90);
        Assert.False(result.GetProperty("preparationRefused").GetBoolean());

        CliModels.Break(Assert.Single(Directory.EnumerateFiles(folder["cache"])));
        (exitCode, output, error) = Demucsps.Run(folder.Path, environment, "models", "test", "own.onnx");
        Assert.Equal(1, exitCode);
        Assert.StartsWith("own: failed. ", output, StringComparison.Ordinal);
        Assert.Matches(
            $@"^error: Model '{Regex.Escape(folder["own.onnx"])}' is not prepared: .+ \d+\.\d dB.+ Use --no-preparation to run the model without preparation\. \[PreparationRefused\]\s*$",
            error
        );
        Assert.Matches("(?m)^own +- +- +0 MB +refused +", Demucsps.Run(folder.Path, environment, "models", "cache").Output);
        WavSamples.WriteFloat(folder["mix.wav"], WavSamples.Sine(20000));
        (exitCode, _, error) = Demucsps.Run(folder.Path, environment, "separate", "mix.wav", "--model", "own.onnx");
        Assert.Equal(1, exitCode);
        Assert.Contains("[PreparationRefused]", error, StringComparison.Ordinal);
        Assert.Equal(0, Demucsps.Run(folder.Path, environment, "separate", "mix.wav", "--model", "own.onnx", "--no-preparation").ExitCode);
        Assert.Equal(0, Demucsps.Run(folder.Path, environment, "models", "cache", "--clear").ExitCode);
        Assert.Equal(0, Demucsps.Run(folder.Path, environment, "separate", "mix.wav", "--model", "own.onnx", "--force").ExitCode);
    }

    [Fact]
    public void What_is_set_is_used_where_no_model_is_named()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["own.onnx"], s_model);
        WavSamples.WriteFloat(folder["mix.wav"], WavSamples.Sine(20000));
        Dictionary<string, string?> environment = new() { ["DEMUCSPS_MODEL"] = folder["own.onnx"] };
        Assert.Equal(
            folder["separated", "own", "mix", "bass.wav"],
            Demucsps.Run(folder.Path, environment, "separate", "mix.wav", "--stem", "bass").Output.Trim()
        );
        environment["DEMUCSPS_MODELS"] = "relative";
        Assert.Contains("[ParameterInvalid]", Demucsps.Run(folder.Path, environment, "models").Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_processes_that_install_at_once_fetch_once()
    {
        using TemporaryFolder folder = new();
        TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously),
            asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using LoopbackServer server = new(async request =>
        {
            asked.TrySetResult();
            await waiting.Task;
            await LoopbackServer.File(s_model)(request);
        });
        Dictionary<string, string?> library = Library(folder, server);
        string[] install = ["models", "install", "tiny", "--accept-license"];
        using Process first = Demucsps.Start(folder.Path, library, install);
        await asked.Task.WaitAsync(TimeSpan.FromMinutes(1));
        using Process second = Demucsps.Start(folder.Path, library, install);
        Assert.Equal("tiny: waiting for another installation", await second.StandardError.ReadLineAsync());
        waiting.SetResult();
        foreach (Process process in new[] { first, second })
        {
            Assert.Equal(folder["models", "tiny", "tiny.onnx"], (await process.StandardOutput.ReadToEndAsync()).Trim());
            await process.WaitForExitAsync();
            Assert.Equal(0, process.ExitCode);
        }
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Interrupting_leaves_a_part_that_the_next_installation_goes_on_from()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Signals cannot be sent to one process on Windows.");
        using TemporaryFolder folder = new();
        LoopbackServer? stalling = null;
        // A field that nobody knows, number 99, makes it larger than buffers of files are: a part is seen in the folder before it is
        // closed.
        byte[] model = [.. s_model, 0x9A, 0x06, 0xA0, 0x8D, 0x06, .. new byte[100_000]];
        using LoopbackServer server = new(request => stalling!.Stall(model, 50_000)(request), LoopbackServer.File(model));
        stalling = server;
        Dictionary<string, string?> library = Library(folder, server, model);
        using Process process = Demucsps.Start(folder.Path, library, "models", "install", "tiny", "--accept-license");
        string partial = folder["models", "tiny", "tiny.onnx.partial"];
        while (!(File.Exists(partial) && new FileInfo(partial).Length > 0) && !process.HasExited)
            await Task.Delay(20);
        Signal.Terminate(process.Id);
        await process.WaitForExitAsync();
        Assert.Equal(130, process.ExitCode);
        Assert.Equal(
            ["tiny.onnx.partial", "tiny.onnx.partial.tag"],
            Directory.EnumerateFiles(folder["models", "tiny"]).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)
        );
        long kept = new FileInfo(partial).Length;
        Assert.InRange(kept, 1, 50_000);
        Assert.Equal(0, Demucsps.Run(folder.Path, library, "models", "install", "tiny", "--accept-license").ExitCode);
        Assert.Equal([null, kept], server.Requests.Select(r => r.From));
    }

    private static JsonElement[] Lines(string output) =>
        [.. output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)];

    private static Dictionary<string, string?> Library(TemporaryFolder folder, LoopbackServer server, byte[]? model = null)
    {
        model ??= s_model;
        File.WriteAllText(
            folder["catalog.json"],
            JsonSerializer.Serialize(
                new
                {
                    version = 1,
                    models = new[]
                    {
                        new
                        {
                            name = "tiny",
                            stems = new[] { "drums", "bass", "other", "vocals" },
                            segment = 8192,
                            license = "Only for tests.",
                            files = new[]
                            {
                                new
                                {
                                    name = "tiny.onnx",
                                    url = $"{server.Address}tiny.onnx",
                                    size = model.Length,
                                    sha256 = Convert.ToHexStringLower(SHA256.HashData(model)),
                                },
                            },
                        },
                    },
                }
            )
        );
        return new() { ["DEMUCSPS_MODELS"] = folder["models"], ["DEMUCSPS_CATALOG"] = folder["catalog.json"] };
    }
}
