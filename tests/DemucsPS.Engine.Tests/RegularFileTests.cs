using System.Net.Sockets;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Installation;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Tests.Models;

namespace DemucsPS.Engine.Tests;

/// <summary>Pipes, devices, sockets and folders where a file is wanted: none is opened, since that could wait for ever.</summary>
public sealed class RegularFileTests
{
    [Fact]
    public void Kinds_are_told_apart_without_opening_anything()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders.");
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["file"], "");
        File.CreateSymbolicLink(folder["link"], "pipe");
        using NamedPipe pipe = new(folder["pipe"]);
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(folder["socket"]));
        Assert.Equal(
            ["a pipe", "a pipe", "a socket", "a folder", "a device", null, null],
            new[] { folder["pipe"], folder["link"], folder["socket"], folder.Path, "/dev/zero", folder["file"], folder["none"] }.Select(
                RegularFile.InsteadOf
            )
        );
        Assert.Contains("a pipe", Assert.Throws<IOException>(() => RegularFile.OpenRead(folder["link"])).Message, StringComparison.Ordinal);
        Assert.False(pipe.WasOpened);
    }

    [Theory]
    [InlineData(@"\\.\pipe\song", "a pipe")]
    [InlineData(@"\\?\pipe\song", "a pipe")]
    [InlineData(@"\\server\pipe\song", "a pipe")]
    [InlineData(@"\\?\UNC\server\PIPE\song", "a pipe")]
    [InlineData(@"\\.\NUL", "a device")]
    [InlineData(@"\\.\COM1", "a device")]
    [InlineData(@"\\.\PhysicalDrive0", "a device")]
    [InlineData(@"C:\pipe\song.wav", null)]
    [InlineData(@"\\?\C:\pipe\song.wav", null)]
    [InlineData(@"\\.\C:\song.wav", null)]
    [InlineData(@"\\server\music\pipe\song.wav", null)]
    [InlineData(@"\\?\UNC\server\music\song.wav", null)]
    [InlineData(@"\\?\Volume{0}\song.wav", null)]
    public void On_Windows_pipes_and_devices_are_known_by_their_names(string path, string? kind) =>
        Assert.Equal(kind, RegularFile.ByName(path));

    [Fact]
    public void A_pipe_as_a_track_a_list_or_a_listed_track_is_named_and_not_opened()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders.");
        using TemporaryFolder folder = new();
        using NamedPipe song = new(folder["song.wav"]),
            list = new(folder["list.m3u"]),
            sheet = new(folder["sheet.cue"]),
            provenance = new(folder["demucsps.json"]);
        File.WriteAllText(folder["songs.m3u"], "song.wav");
        File.WriteAllText(folder["album.cue"], "FILE \"song.wav\" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00");
        Refused("a pipe, not an audio file", song, () => AudioFile.Open(folder["song.wav"]));
        Refused("a device, not an audio file", song, () => AudioFile.Open("/dev/zero"));
        foreach ((string name, NamedPipe pipe) in new[] { ("list.m3u", list), ("sheet.cue", sheet), ("album.cue", song) })
            Refused("a pipe", pipe, () => throw Assert.Single(Failures(folder[name])));
        Refused("a pipe", song, () =>
            AudioFile.Open(Assert.Single(new TrackList(new TrackListOptions(), _ => { }, e => throw e).Expand(folder["songs.m3u"])))
        );
        DemucsException noProvenance = Assert.Throws<DemucsException>(() => SeparationVerification.Verify(folder["demucsps.json"]));
        Assert.Equal(DemucsError.ProvenanceInvalid, noProvenance.Error);
        Assert.Contains(": It is a pipe, not a file. Separate", noProvenance.Message, StringComparison.Ordinal);
        Assert.False(provenance.WasOpened);

        static void Refused(string says, NamedPipe pipe, Action open)
        {
            DemucsException e = Assert.Throws<DemucsException>(open);
            Assert.Equal(DemucsError.AudioTrackNotFound, e.Error);
            Assert.Contains(says, e.Message, StringComparison.Ordinal);
            Assert.False(pipe.WasOpened);
        }

        static List<DemucsException> Failures(string path)
        {
            List<DemucsException> failures = [];
            Assert.Empty(new TrackList(new TrackListOptions(), _ => { }, failures.Add).Expand(path));
            return failures;
        }
    }

    [Fact]
    public async Task A_pipe_as_a_model_a_catalog_or_a_source_of_models_is_named_and_not_opened()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders.");
        using TemporaryFolder folder = new();
        using NamedPipe pipe = new(folder["pipe.onnx"]);
        Refused(DemucsError.DemucsModelNotFound, Assert.Throws<DemucsException>(() => ModelSource.Find(folder["pipe.onnx"])));
        Refused(DemucsError.DemucsModelNotFound, Assert.Throws<DemucsException>(() => ModelSource.Find(folder.Path)));
        Refused(DemucsError.CatalogInvalid, Assert.Throws<DemucsException>(() => ModelLibrary.Open(folder["models"], folder["pipe.onnx"])));
        ModelLibrary library = ModelInstallerTests.Library(folder, new Uri("http://127.0.0.1:1/"));
        foreach (
            (string name, DemucsError error) in new[]
            {
                ("tiny", DemucsError.ModelDownloadFailed),
                ("mine", DemucsError.DemucsModelNotFound),
            }
        )
        {
            Refused(
                error,
                await Assert.ThrowsAsync<DemucsException>(() =>
                    new ModelInstaller(library).InstallAsync(
                        name,
                        new ModelInstallOptions { AcceptLicense = true, Source = folder["pipe.onnx"] },
                        null,
                        default
                    )
                )
            );
        }
        Directory.CreateDirectory(folder["models", "noted"]);
        using NamedPipe note = new(folder["models", "noted", "model.json"]);
        Assert.DoesNotContain(library.List(), m => m.Name == "noted");
        Assert.False(note.WasOpened);

        void Refused(DemucsError error, DemucsException e)
        {
            Assert.Equal(error, e.Error);
            Assert.Contains(folder["pipe.onnx"], e.Message, StringComparison.Ordinal);
            Assert.Contains("a pipe", e.Message, StringComparison.Ordinal);
            Assert.False(pipe.WasOpened);
        }
    }
}
