using System.Security.Cryptography;
using System.Text.Json;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Installation;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Inference;

namespace DemucsPS.Engine.Tests.Models;

/// <summary>Installation from a server of this machine that does what servers do.</summary>
public sealed class ModelInstallerTests
{
    // A field that nobody knows makes it large enough to be cut.
    private static readonly byte[] s_model = [.. SmallModels.Split(), .. new ProtobufMessage().Text(99, new string('x', 20_000)).Bytes];

    private readonly List<TimeSpan> _delays = [];

    [Fact]
    public async Task A_model_is_fetched_verified_noted_and_used_by_its_name()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(LoopbackServer.File(s_model));
        List<ModelInstallProgress> progress = [];
        ModelLibrary library = Library(folder, server.Address);
        ModelInfo installed = await InstallAsync(library, progress: progress);

        Assert.Equal(folder["models", "tiny", "tiny.onnx"], installed.Path);
        Assert.True(installed is { Installed: true, Verified: true, Size: var size } && size == s_model.Length);
        Assert.Equal(s_model, File.ReadAllBytes(installed.Path!));
        Assert.Equal(["model.json", "tiny.onnx"], Files(folder));
        Assert.Equal((long)s_model.Length, progress[^1].Done);
        ModelSelection selection = library.Select(["TINY"], null, Path.GetFullPath);
        Assert.Equal("tiny", selection.Name);
        Assert.Equal(installed.Path, selection.Models[0].Path);

        // A second time there is nothing to fetch, and nothing to accept.
        await new ModelInstaller(library, Settings()).InstallAsync("tiny", new ModelInstallOptions(), null, default);
        Assert.Single(server.Requests);
        await InstallAsync(library, options: new ModelInstallOptions { AcceptLicense = true, Force = true });
        Assert.Equal(2, server.Requests.Length);
    }

    [Fact]
    public async Task A_download_that_breaks_off_goes_on_where_it_was()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(LoopbackServer.BreakOff(s_model, 1000), LoopbackServer.File(s_model));
        Assert.True((await InstallAsync(Library(folder, server.Address))).Verified);
        Assert.Equal([null, 1000], server.Requests.Select(r => r.From));
        Assert.Equal("\"one\"", server.Requests[1].IfRange);
        Assert.Equal([TimeSpan.FromSeconds(1)], _delays);
        Assert.Equal(["model.json", "tiny.onnx"], Files(folder));
    }

    [Fact]
    public async Task A_canceled_download_leaves_a_part_that_the_next_one_goes_on_from()
    {
        using TemporaryFolder folder = new();
        using CancellationTokenSource stop = new();
        using LoopbackServer server = new(LoopbackServer.BreakOff(s_model, 1000), LoopbackServer.File(s_model));
        ModelLibrary library = Library(folder, server.Address);
        TransferSettings settings = Settings() with
        {
            Delay = (_, _) =>
            {
                stop.Cancel();
                return Task.FromCanceled(stop.Token);
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            new ModelInstaller(library, settings).InstallAsync("tiny", new ModelInstallOptions { AcceptLicense = true }, null, stop.Token)
        );
        Assert.Equal(["tiny.onnx.partial", "tiny.onnx.partial.tag"], Files(folder));
        Assert.False(library.Describe("tiny")!.Installed);
        await InstallAsync(library);
        Assert.Equal(1000, server.Requests[^1].From);
        Assert.Equal(["model.json", "tiny.onnx"], Files(folder));
    }

    [Fact]
    public async Task A_server_without_ranges_or_with_another_file_starts_again()
    {
        using TemporaryFolder folder = new();
        // The second answer has another tag, so the whole file comes; the third server knows no ranges.
        using LoopbackServer server = new(
            LoopbackServer.BreakOff(s_model, 1000),
            LoopbackServer.BreakOff(s_model, 500, "\"two\""),
            request => request.SendAsync($"200 OK\r\nContent-Length: {s_model.Length}", s_model)
        );
        Assert.True((await InstallAsync(Library(folder, server.Address))).Verified);
        Assert.Equal([null, 1000, 500], server.Requests.Select(r => r.From));
        Assert.Equal("\"two\"", server.Requests[2].IfRange);
    }

    [Fact]
    public async Task Parts_of_different_files_are_found_out_and_fetched_anew()
    {
        using TemporaryFolder folder = new();
        byte[] other = new byte[s_model.Length];
        using LoopbackServer server = new(LoopbackServer.BreakOff(other, 1000, tag: null), LoopbackServer.File(s_model, tag: null));
        Assert.True((await InstallAsync(Library(folder, server.Address))).Verified);
        Assert.Equal([null, 1000, null], server.Requests.Select(r => r.From));
    }

    [Fact]
    public async Task Wrong_content_whose_connections_break_off_is_fetched_twice_and_no_more()
    {
        using TemporaryFolder folder = new();
        byte[] other = [.. s_model];
        other[500] ^= 1;
        using LoopbackServer server = new([
            .. Enumerable.Repeat<Func<LoopbackRequest, Task>>(
                request => (request.From is null ? LoopbackServer.BreakOff(other, 10_000) : LoopbackServer.File(other))(request),
                40
            ),
            LoopbackServer.Status("404 Not Found"),
        ]);
        DemucsException e = await FailAsync(
            DemucsError.ModelHashMismatch,
            Library(folder, server.Address),
            Settings() with
            {
                Worthwhile = 5000,
            }
        );
        Assert.Contains(Hash(other), e.Message, StringComparison.Ordinal);
        Assert.Equal([null, 10_000, null, 10_000], server.Requests.Select(r => r.From));
        Assert.False(Directory.Exists(folder["models", "tiny"]));
    }

    public static TheoryData<string> RefusalsToGoOn =>
        new()
        {
            "416 Range Not Satisfiable\r\nContent-Length: 0",
            "206 Partial Content\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10",
            "200 OK",
        };

    [Theory]
    [MemberData(nameof(RefusalsToGoOn))]
    public async Task A_server_that_breaks_off_and_never_goes_on_from_there_is_given_up(string refusal)
    {
        using TemporaryFolder folder = new();
        int answered = 0;
        // Every second answer has much more than the one before, as if that were progress.
        using LoopbackServer server = new([
            .. Enumerable.Repeat<Func<LoopbackRequest, Task>>(
                request =>
                    request.From is not null && refusal != "200 OK"
                        ? request.SendAsync(refusal, new byte[10])
                        : LoopbackServer.BreakOff(s_model, Interlocked.Increment(ref answered) % 2 == 0 ? 8000 : 15_000)(request),
                40
            ),
            LoopbackServer.Status("404 Not Found"),
        ]);
        DemucsException e = await FailAsync(
            DemucsError.ModelDownloadFailed,
            Library(folder, server.Address),
            Settings() with
            {
                Worthwhile = 5000,
            }
        );
        Assert.Contains("does not support resuming", e.Message, StringComparison.Ordinal);
        Assert.Contains(server.Address.ToString(), e.Message, StringComparison.Ordinal);
        Assert.InRange(server.Requests.Length, 6, 12);
        Assert.False(Directory.Exists(folder["models", "tiny"]));
    }

    [Fact]
    public async Task A_file_with_another_hash_is_refused_and_nothing_is_left()
    {
        using TemporaryFolder folder = new();
        byte[] other = [.. s_model];
        other[500] ^= 1;
        using LoopbackServer server = new(LoopbackServer.File(other));
        DemucsException e = await FailAsync(DemucsError.ModelHashMismatch, Library(folder, server.Address));
        Assert.Contains(Hash(s_model), e.Message, StringComparison.Ordinal);
        Assert.Contains(Hash(other), e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["models", "tiny"]));
        Assert.Single(server.Requests);
    }

    public static TheoryData<string, int> Lengths =>
        new()
        {
            { "Content-Length: 12\r\n", 12 },
            { "Content-Length: 99999999\r\n", 50 },
            { "", 100_000 },
        };

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task A_file_of_another_length_is_refused_and_nothing_is_left(string header, int bytes)
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(request => request.SendAsync($"200 OK\r\n{header}".TrimEnd(), new byte[bytes]));
        await FailAsync(DemucsError.ModelHashMismatch, Library(folder, server.Address));
        Assert.False(Directory.Exists(folder["models", "tiny"]));
    }

    [Fact]
    public async Task A_server_that_promises_more_than_it_sends_is_given_up()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(request =>
            request.From is null
                ? LoopbackServer.BreakOff(s_model, 1000)(request)
                : request.SendAsync(
                    $"206 Partial Content\r\nContent-Range: bytes {request.From}-{s_model.Length - 1}/{s_model.Length}\r\nContent-Length: {s_model.Length - request.From}",
                    default
                )
        );
        DemucsException e = await FailAsync(DemucsError.ModelDownloadFailed, Library(folder, server.Address));
        Assert.Contains("could not be downloaded after 5 attempts", e.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 4, 8], _delays.Select(d => d.TotalSeconds));
        Assert.Equal(1000, new FileInfo(folder["models", "tiny", "tiny.onnx.partial"]).Length);
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_not_waited_for_for_ever()
    {
        using TemporaryFolder folder = new();
        LoopbackServer? stalling = null;
        using LoopbackServer server = new(request => stalling!.Stall(s_model, 700)(request), LoopbackServer.File(s_model));
        stalling = server;
        ModelInstaller installer = new(Library(folder, server.Address), Settings() with { StallTimeout = TimeSpan.FromSeconds(1) });
        Assert.True((await installer.InstallAsync("tiny", new ModelInstallOptions { AcceptLicense = true }, null, default)).Verified);
        Assert.Equal([null, 700], server.Requests.Select(r => r.From));
    }

    [Theory]
    [InlineData("404 Not Found", 1)]
    [InlineData("403 Forbidden", 1)]
    [InlineData("503 Service Unavailable", 5)]
    [InlineData("429 Too Many Requests", 5)]
    public async Task A_refusal_is_told_and_only_passing_ones_are_tried_again(string status, int requests)
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(LoopbackServer.Status(status));
        DemucsException e = await FailAsync(DemucsError.ModelDownloadFailed, Library(folder, server.Address));
        Assert.Contains(status[..3], e.Message, StringComparison.Ordinal);
        Assert.Contains(server.Address.ToString(), e.Message, StringComparison.Ordinal);
        Assert.Equal(requests, server.Requests.Length);
        Assert.False(Directory.Exists(folder["models", "tiny"]));
    }

    [Fact]
    public async Task A_server_that_asks_to_wait_is_waited_for_within_bounds()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(
            LoopbackServer.Status("429 Too Many Requests\r\nRetry-After: 7"),
            LoopbackServer.Status("503 Service Unavailable"),
            LoopbackServer.File(s_model)
        );
        Assert.True((await InstallAsync(Library(folder, server.Address))).Verified);
        Assert.Equal([7, 2], _delays.Select(d => d.TotalSeconds));

        using TemporaryFolder another = new();
        using LoopbackServer patient = new(LoopbackServer.Status("429 Too Many Requests\r\nRetry-After: 3600"));
        DemucsException e = await FailAsync(DemucsError.ModelDownloadFailed, Library(another, patient.Address));
        Assert.Contains("3600 s", e.Message, StringComparison.Ordinal);
        Assert.Single(patient.Requests);
    }

    [Fact]
    public async Task Redirects_are_followed_on_this_machine_and_never_down_to_http()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(
            LoopbackServer.Status("302 Found\r\nLocation: /elsewhere/tiny.onnx"),
            LoopbackServer.File(s_model)
        );
        Assert.True((await InstallAsync(Library(folder, server.Address))).Verified);
        Assert.Equal("/elsewhere/tiny.onnx", server.Requests[1].Path);

        using TemporaryFolder another = new();
        using LoopbackServer outwards = new(LoopbackServer.Status("302 Found\r\nLocation: http://models.invalid/tiny.onnx"));
        DemucsException e = await FailAsync(DemucsError.ModelDownloadFailed, Library(another, outwards.Address));
        Assert.Contains("http://models.invalid/tiny.onnx", e.Message, StringComparison.Ordinal);
        Assert.Single(outwards.Requests);

        using LoopbackServer circle = new(LoopbackServer.Status("302 Found\r\nLocation: /again"));
        await FailAsync(DemucsError.ModelDownloadFailed, Library(another, circle.Address, "second.json"));
        Assert.Equal(11, circle.Requests.Length);
    }

    [Theory]
    [InlineData("https://a.invalid/x", "https://b.invalid/y", true)]
    [InlineData("https://a.invalid/x", "http://a.invalid/x", false)]
    [InlineData("https://a.invalid/x", "http://127.0.0.1/x", false)]
    [InlineData("http://127.0.0.1/x", "http://localhost/x", true)]
    [InlineData("http://127.0.0.1/x", "http://a.invalid/x", false)]
    [InlineData("http://127.0.0.1/x", "https://a.invalid/x", true)]
    [InlineData("https://a.invalid/x", "file:///etc/x", false)]
    public void A_redirect_is_followed_to_https_or_within_this_machine(string from, string to, bool followed) =>
        Assert.Equal(followed, ModelTransfer.MayFollow(new Uri(from), new Uri(to)));

    [Fact]
    public async Task Two_installations_at_once_fetch_once()
    {
        using TemporaryFolder folder = new();
        TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using LoopbackServer server = new(async request =>
        {
            // The first is answered when the second waits.
            await waiting.Task;
            await LoopbackServer.File(s_model)(request);
        });
        ModelLibrary library = Library(folder, server.Address);
        Task<ModelInfo> first = InstallAsync(library);
        while (server.Requests.Length == 0)
            await Task.Delay(10);
        WaitingProgress progress = new(() => waiting.TrySetResult());
        Task<ModelInfo> second = new ModelInstaller(library, Settings()).InstallAsync(
            "tiny",
            new ModelInstallOptions { AcceptLicense = true, Prepare = false },
            progress,
            default
        );
        Assert.True((await first).Verified);
        Assert.True((await second).Verified);
        Assert.Single(server.Requests);
        Assert.Equal(["model.json", "tiny.onnx"], Files(folder));
    }

    [Fact]
    public async Task A_full_disk_is_told_and_nothing_is_left()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(LoopbackServer.File(s_model));
        ModelLibrary library = Library(folder, server.Address);
        TransferSettings full = Settings() with { OpenPartial = path => new FullDisk(path, 1000) };
        foreach (string? source in new[] { null, Local(folder) })
        {
            DemucsException e = await Assert.ThrowsAsync<DemucsException>(() =>
                new ModelInstaller(library, full).InstallAsync(
                    "tiny",
                    new ModelInstallOptions { AcceptLicense = true, Source = source },
                    null,
                    default
                )
            );
            Assert.Equal(DemucsError.ModelWriteFailed, e.Error);
            Assert.Contains("No space left", e.Message, StringComparison.Ordinal);
            Assert.Contains("tiny.onnx", e.Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(folder["models", "tiny"]));
        }
    }

    [Fact]
    public async Task Space_is_looked_at_before_anything_is_fetched()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new();
        ModelInstaller installer = new(Library(folder, server.Address), Settings() with { FreeSpace = _ => s_model.Length });
        DemucsException e = await Assert.ThrowsAsync<DemucsException>(() =>
            installer.InstallAsync("tiny", new ModelInstallOptions { AcceptLicense = true }, null, default)
        );
        Assert.Equal(DemucsError.ModelWriteFailed, e.Error);
        Assert.Contains("MB free", e.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
        Assert.False(Directory.Exists(folder["models", "tiny"]));
    }

    [Fact]
    public async Task A_license_notice_must_be_accepted()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(LoopbackServer.File(s_model));
        DemucsException e = await Assert.ThrowsAsync<DemucsException>(() =>
            new ModelInstaller(Library(folder, server.Address), Settings()).InstallAsync("tiny", new ModelInstallOptions(), null, default)
        );
        Assert.Equal(DemucsError.LicenseNotAccepted, e.Error);
        Assert.Contains("Only for tests.", e.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task An_offline_machine_is_served_from_a_file_a_folder_or_a_mirror()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new();
        using LoopbackServer mirror = new(LoopbackServer.File(s_model));
        ModelLibrary library = Library(folder, server.Address);
        string local = Local(folder);
        foreach (
            string source in new[]
            {
                local,
                Path.GetDirectoryName(local)!,
                new Uri(local).ToString(),
                $"{mirror.Address}models/",
                $"{mirror.Address}any.onnx",
            }
        )
        {
            ModelInfo installed = await InstallAsync(
                library,
                options: new ModelInstallOptions
                {
                    AcceptLicense = true,
                    Force = true,
                    Source = source,
                    Prepare = false,
                }
            );
            Assert.Equal(source, installed.Source);
            Assert.True(installed.Verified);
        }
        Assert.Equal(["/models/tiny%20model.onnx", "/any.onnx"], mirror.Requests.Select(r => r.Path));
        Assert.Empty(server.Requests);

        // The hash is checked all the same, and what is installed stays.
        File.WriteAllBytes(local, new byte[s_model.Length]);
        DemucsException e = await Assert.ThrowsAsync<DemucsException>(() =>
            InstallAsync(
                library,
                options: new ModelInstallOptions
                {
                    AcceptLicense = true,
                    Force = true,
                    Source = local,
                }
            )
        );
        Assert.Equal(DemucsError.ModelHashMismatch, e.Error);
        Assert.True(library.Describe("tiny")!.Verified);
        Directory.CreateDirectory(folder["empty"]);
        foreach (string none in new[] { folder["none"], folder["empty"] })
            Assert.Equal(
                DemucsError.ModelDownloadFailed,
                (
                    await Assert.ThrowsAsync<DemucsException>(() =>
                        InstallAsync(
                            library,
                            options: new ModelInstallOptions
                            {
                                AcceptLicense = true,
                                Force = true,
                                Source = none,
                            }
                        )
                    )
                ).Error
            );
        Assert.Equal(
            DemucsError.ParameterInvalid,
            (
                await Assert.ThrowsAsync<DemucsException>(() =>
                    InstallAsync(
                        library,
                        options: new ModelInstallOptions
                        {
                            AcceptLicense = true,
                            Force = true,
                            Source = "http://models.invalid/tiny.onnx",
                        }
                    )
                )
            ).Error
        );
    }

    [Fact]
    public async Task A_model_of_ones_own_is_taken_in_with_its_weights_file_and_its_hashes_are_noted()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["own.onnx"], SmallModels.WithUnusedOutsideWeight("own.data"));
        File.WriteAllBytes(folder["own.data"], BitConverter.GetBytes(2f));
        ModelLibrary library = ModelLibrary.Open(folder["models"]);
        List<string> warnings = [];
        ModelInstaller installer = new(library, Settings());
        ModelInfo installed = await installer.InstallAsync(
            "mine",
            new ModelInstallOptions { Source = folder["own.onnx"], Warn = warnings.Add },
            null,
            default
        );
        Assert.Equal(folder["models", "mine", "mine.onnx"], installed.Path);
        Assert.True(File.Exists(folder["models", "mine", "own.data"]));
        Assert.Equal(["drums", "bass", "other", "vocals"], installed.Stems);
        Assert.Equal("split", installed.Contract);
        Assert.False(installed.Verified);
        Assert.Contains(warnings, w => w.Contains("in no catalog", StringComparison.Ordinal));
        Assert.Contains(library.List(), m => m.Name == "mine");
        installer.Remove("mine");
        Assert.Null(library.Describe("mine"));

        // A file URI is a local source for models of one's own, too.
        Directory.CreateDirectory(folder["own ü#1"]);
        File.WriteAllBytes(folder["own ü#1", "a model.onnx"], SmallModels.Split());
        foreach (string place in new[] { folder["own ü#1", "a model.onnx"], folder["own ü#1"] })
        {
            Assert.Equal(
                ["drums", "bass", "other", "vocals"],
                (
                    await installer.InstallAsync(
                        "mine",
                        new ModelInstallOptions
                        {
                            Source = new UriBuilder("file", "") { Path = place }
                                .Uri
                                .AbsoluteUri,
                            Prepare = false,
                        },
                        null,
                        default
                    )
                ).Stems
            );
            installer.Remove("mine");
        }

        // What is in a folder of its own can be used there, as the message says.
        Directory.CreateDirectory(folder["apart"]);
        File.WriteAllBytes(folder["own.onnx"], SmallModels.WithUnusedOutsideWeight("apart/own.data"));
        File.WriteAllBytes(folder["apart", "own.data"], BitConverter.GetBytes(2f));
        DemucsException apart = await Assert.ThrowsAsync<DemucsException>(() =>
            installer.InstallAsync("mine", new ModelInstallOptions { Source = folder["own.onnx"] }, null, default)
        );
        Assert.Equal(DemucsError.DemucsModelInvalid, apart.Error);
        Assert.Contains("can be used where it is, but not installed", apart.Message, StringComparison.Ordinal);
        Assert.Contains(folder["apart", "own.data"], apart.Message, StringComparison.Ordinal);
        using (ModelBag bag = ModelBag.Load([ModelSource.Find(folder["own.onnx"])], null, new OnnxSessionOptions()))
            Assert.Equal(2, bag.Identify(default).Single().Files.Count);

        File.WriteAllText(folder["own.onnx"], "no model");
        Assert.Equal(
            DemucsError.DemucsModelInvalid,
            (
                await Assert.ThrowsAsync<DemucsException>(() =>
                    installer.InstallAsync("mine", new ModelInstallOptions { Source = folder["own.onnx"] }, null, default)
                )
            ).Error
        );
        Assert.False(Directory.Exists(folder["models", "mine"]));
        foreach (
            (string name, DemucsError error) in new[]
            {
                ("unknown", DemucsError.DemucsModelNotFound),
                ("baseline", DemucsError.ParameterInvalid),
                ("../x", DemucsError.ParameterInvalid),
            }
        )
            Assert.Equal(
                error,
                (
                    await Assert.ThrowsAsync<DemucsException>(() => installer.InstallAsync(name, new ModelInstallOptions(), null, default))
                ).Error
            );
    }

    [Fact]
    public async Task An_installation_that_fails_leaves_nothing()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["own.onnx"], "no model");
        ModelLibrary library = ModelLibrary.Open(folder["models"]);
        await Assert.ThrowsAsync<DemucsException>(() =>
            new ModelInstaller(library, Settings()).InstallAsync(
                "mine",
                new ModelInstallOptions { Source = folder["own.onnx"] },
                null,
                default
            )
        );
        Assert.False(Directory.Exists(folder["models"]));
        using LoopbackServer server = new(LoopbackServer.Status("404 Not Found"));
        await Assert.ThrowsAsync<DemucsException>(() => InstallAsync(Library(folder, server.Address)));
        Assert.False(Directory.Exists(folder["models"]));
    }

    [Fact]
    public async Task Preparation_leaves_a_copy_in_the_cache_and_removal_takes_both()
    {
        using TemporaryFolder folder = new();
        // A model of its own, since the cache is that of all tests: with a field that nobody knows.
        byte[] tiny = [.. File.ReadAllBytes(RepositoryFiles.TinyModel), .. new ProtobufMessage().Text(99, $"{Guid.NewGuid()}").Bytes];
        string content = Convert.ToHexStringLower(SHA256.HashData(tiny).AsSpan(0, 8));
        using LoopbackServer server = new(LoopbackServer.File(tiny));
        ModelLibrary library = Library(folder, server.Address, content: tiny);
        await InstallAsync(library, options: new ModelInstallOptions { AcceptLicense = true });
        Assert.Equal(2, Files(folder).Length);
        Assert.Single(PreparationCache.Open().List(), copy =>
            copy.Model == "tiny" && copy.Path.Contains(content, StringComparison.Ordinal)
        );
        Assert.Equal(folder["models", "tiny", "tiny.onnx"], library.Select(["tiny"], null, Path.GetFullPath).Models[0].Path);

        ModelInstaller installer = new(library);
        installer.Remove("tiny");
        Assert.False(Directory.Exists(folder["models", "tiny"]));
        Assert.DoesNotContain(PreparationCache.Open().List(), copy => copy.Path.Contains(content, StringComparison.Ordinal));
        foreach (
            (string name, DemucsError error) in new[]
            {
                ("tiny", DemucsError.DemucsModelNotFound),
                ("baseline", DemucsError.ParameterInvalid),
                ("../models", DemucsError.ParameterInvalid),
                (folder.Path, DemucsError.ParameterInvalid),
            }
        )
            Assert.Equal(error, Assert.Throws<DemucsException>(() => installer.Remove(name)).Error);
        // A folder that is no model's is left alone.
        Directory.CreateDirectory(folder["models", "music"]);
        File.WriteAllText(folder["models", "music", "song.txt"], "la");
        Assert.Equal(DemucsError.DemucsModelNotFound, Assert.Throws<DemucsException>(() => installer.Remove("music")).Error);
    }

    [Fact]
    public async Task What_is_being_installed_cannot_be_removed()
    {
        using TemporaryFolder folder = new();
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using LoopbackServer server = new(async request =>
        {
            await go.Task;
            await LoopbackServer.File(s_model)(request);
        });
        ModelLibrary library = Library(folder, server.Address);
        Task<ModelInfo> installing = InstallAsync(library);
        while (server.Requests.Length == 0)
            await Task.Delay(10);
        Assert.Equal(DemucsError.ModelInUse, Assert.Throws<DemucsException>(() => new ModelInstaller(library).Remove("tiny")).Error);
        go.SetResult();
        Assert.True((await installing).Verified);
    }

    /// <summary>A library whose own catalog has the model `tiny` at that server.</summary>
    internal static ModelLibrary Library(TemporaryFolder folder, Uri server, string catalog = "catalog.json", byte[]? content = null)
    {
        content ??= s_model;
        File.WriteAllText(
            folder[catalog],
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
                            segment = SmallModels.Segment,
                            license = "Only for tests.",
                            files = new[]
                            {
                                new
                                {
                                    name = "tiny.onnx",
                                    url = new Uri(server, "files/tiny%20model.onnx").AbsoluteUri,
                                    size = content.Length,
                                    sha256 = Hash(content),
                                },
                            },
                        },
                    },
                }
            )
        );
        return ModelLibrary.Open(folder["models"], folder[catalog]);
    }

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static string Local(TemporaryFolder folder)
    {
        Directory.CreateDirectory(folder["share"]);
        File.WriteAllBytes(folder["share", "tiny model.onnx"], s_model);
        return folder["share", "tiny model.onnx"];
    }

    private static string[] Files(TemporaryFolder folder) =>
        [.. Directory.EnumerateFiles(folder["models", "tiny"]).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private TransferSettings Settings() =>
        new()
        {
            Delay = (time, _) =>
            {
                _delays.Add(time);
                return Task.CompletedTask;
            },
        };

    private Task<ModelInfo> InstallAsync(
        ModelLibrary library,
        ModelInstallOptions? options = null,
        List<ModelInstallProgress>? progress = null,
        TransferSettings? settings = null
    ) =>
        new ModelInstaller(library, settings ?? Settings()).InstallAsync(
            "tiny",
            options ?? new ModelInstallOptions { AcceptLicense = true, Prepare = false },
            progress is null ? null : new ProgressList(progress),
            default
        );

    private async Task<DemucsException> FailAsync(DemucsError error, ModelLibrary library, TransferSettings? settings = null)
    {
        DemucsException e = await Assert.ThrowsAsync<DemucsException>(() => InstallAsync(library, settings: settings));
        Assert.Equal(error, e.Error);
        Assert.False(library.Describe("tiny")!.Installed);
        return e;
    }

    private sealed class ProgressList(List<ModelInstallProgress> list) : IProgress<ModelInstallProgress>
    {
        public void Report(ModelInstallProgress value) => list.Add(value);
    }

    private sealed class WaitingProgress(Action waiting) : IProgress<ModelInstallProgress>
    {
        public void Report(ModelInstallProgress value)
        {
            if (value.Stage == ModelInstallStage.Waiting)
                waiting();
        }
    }

    /// <summary>A file on a disk with little room.</summary>
    private sealed class FullDisk(string path, long room) : FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read)
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            if (Position + count > room)
                throw new IOException("No space left on device.");
            base.Write(buffer, offset, count);
        }
    }
}
