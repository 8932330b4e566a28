using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Tests.Inference;

/// <summary>Packages of execution providers, good and bad. The folder is named by the environment, so one test after another.</summary>
[Collection("The folder of execution providers")]
public sealed class ProviderInstallerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string? _before = Environment.GetEnvironmentVariable(ProviderLibraries.FolderVariable);
    private readonly List<string> _warnings = [];

    public ProviderInstallerTests() => Environment.SetEnvironmentVariable(ProviderLibraries.FolderVariable, _folder["providers"]);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(ProviderLibraries.FolderVariable, _before);
        _folder.Dispose();
    }

    [Fact]
    public void What_this_platform_needs_is_installed_found_replaced_and_removed()
    {
        ProviderArchive.Write(
            _folder["a.whl"],
            new Dictionary<string, byte[]> { [ProviderArchive.Folder + "data/a,b.bin"] = [7], ["other/file.txt"] = [1] }
        );
        Assert.Equal((4, 5000 + 3 + 8 + 1), ProviderInstaller.Plan(ExecutionProvider.OpenVINO, _folder["a.whl"]));
        Assert.False(Directory.Exists(_folder["providers"]));
        string library = Install("a.whl");
        Assert.Equal(_folder["providers", "openvino", ProviderArchive.LibraryName], library);
        Assert.Equal(
            new[] { ProviderArchive.LibraryName, Path.Combine("data", "a,b.bin"), "libopenvino.so.1", "third-party-programs.txt" }.Order(
                StringComparer.Ordinal
            ),
            Installed()
        );
        Assert.Equal(ProviderArchive.Library(), File.ReadAllBytes(library));
        Assert.Equal([library], ProviderLibraries.Find());
        Assert.Empty(_warnings);

        // Not over one that is there, unless that is asked for.
        ProviderArchive.Write(_folder["b.zip"], record: false);
        DemucsException there = Assert.Throws<DemucsException>(() => Install("b.zip"));
        Assert.Equal(DemucsError.ProviderWriteFailed, there.Error);
        Assert.Equal([Remedy.Replace], there.Remedies);
        Assert.Equal(4, Installed().Length);
        _ = Install("b.zip", replace: true);
        Assert.Equal(3, Installed().Length);
        Assert.Contains("does not list the SHA-256 of its files", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Equal([_folder["providers", "openvino"]], Directory.GetFileSystemEntries(_folder["providers"]));

        ProviderInstaller.Remove(ExecutionProvider.OpenVINO);
        Assert.Empty(Directory.GetFileSystemEntries(_folder["providers"]));
        Assert.Equal(
            DemucsError.ProviderPackageInvalid,
            Assert.Throws<DemucsException>(() => ProviderInstaller.Remove(ExecutionProvider.OpenVINO)).Error
        );
    }

    [Theory]
    [InlineData("missing", "does not exist. It should be the wheel of the package onnxruntime-ep-openvino")]
    [InlineData("folder", "cannot be read")]
    [InlineData("text", "is damaged or not a zip archive")]
    [InlineData("cut", "is damaged or not a zip archive")]
    [InlineData("other provider", "has no plug-in library of OpenVINO")]
    [InlineData("other platform", "it has no plug-in library for ")]
    [InlineData("no library", "it has no plug-in library for ")]
    [InlineData("other hash", "has a different SHA-256 than its list declares")]
    [InlineData("not listed", "its list of hashes lacks the file")]
    [InlineData("no hash", "has no SHA-256 for")]
    [InlineData("flipped bit", "is damaged")]
    [InlineData("outside", "'../../evil.so' would be unpacked outside")]
    [InlineData("backslash", "would be unpacked outside the folder")]
    [InlineData("drive", "would be unpacked outside the folder")]
    [InlineData("doubled", "two files of the same name")]
    public void A_package_that_is_none_is_refused_and_leaves_nothing(string kind, string says)
    {
        string path = _folder["p.whl"],
            folder = ProviderArchive.Folder,
            library = folder + ProviderArchive.LibraryName,
            beside = folder + "libopenvino.so.1";
        switch (kind)
        {
            case "missing":
                break;
            case "folder":
                Directory.CreateDirectory(path);
                break;
            case "text":
                File.WriteAllText(path, "nothing of the kind");
                break;
            case "cut":
                ProviderArchive.Write(path);
                byte[] whole = File.ReadAllBytes(path);
                File.WriteAllBytes(path, whole[..(whole.Length / 2)]);
                break;
            case "other provider":
                using (
                    System.IO.Compression.ZipArchive archive = System.IO.Compression.ZipFile.Open(
                        path,
                        System.IO.Compression.ZipArchiveMode.Create
                    )
                )
                    archive.CreateEntry("a/libonnxruntime_providers_cuda.so");
                break;
            case "other platform":
                ProviderArchive.Write(path, new Dictionary<string, byte[]> { [library] = ProviderArchive.Library(foreign: true) });
                break;
            case "no library":
                ProviderArchive.Write(path, new Dictionary<string, byte[]> { [library] = "text"u8.ToArray() });
                break;
            case "other hash":
                ProviderArchive.Write(path, change: (name, content) => name == beside ? [4, 5, 6] : content);
                break;
            case "not listed":
                ProviderArchive.Write(path, change: (name, content) =>
                    name.EndsWith("RECORD", StringComparison.Ordinal)
                        ? "a,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0"u8.ToArray()
                        : content
                );
                break;
            case "no hash":
                ProviderArchive.Write(path, change: (name, content) =>
                    name.EndsWith("RECORD", StringComparison.Ordinal) ? "a,sha256=short,0"u8.ToArray() : content
                );
                break;
            case "flipped bit":
                // Of a file that is stored as it is: the archive's own checksum tells.
                byte[] noise = new byte[4000];
                new Random(1).NextBytes(noise);
                ProviderArchive.Write(path, new Dictionary<string, byte[]> { [beside] = noise }, record: false);
                byte[] bytes = File.ReadAllBytes(path);
                bytes[bytes.AsSpan().IndexOf(noise.AsSpan(100, 50)) + 10] ^= 1;
                File.WriteAllBytes(path, bytes);
                break;
            default:
                string name = kind switch
                {
                    "outside" => "../../evil.so",
                    "backslash" => "a\\b.so",
                    "drive" => "C:b.so",
                    _ => "LIBOPENVINO.so.1",
                };
                ProviderArchive.Write(path, new Dictionary<string, byte[]> { [folder + name] = [1] });
                break;
        }
        DemucsException e = Assert.Throws<DemucsException>(() => Install("p.whl"));
        Assert.Equal((DemucsError.ProviderPackageInvalid, path), (e.Error, e.Path));
        Assert.StartsWith($"The package '{path}' ", e.Message, StringComparison.Ordinal);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
        Assert.True(!Directory.Exists(_folder["providers"]) || Directory.GetFileSystemEntries(_folder["providers"]).Length == 0);
    }

    [Theory]
    [InlineData(ExecutionProvider.Cpu)]
    [InlineData(ExecutionProvider.Plugin)]
    public void What_has_no_plug_in_library_of_its_own_is_not_installed(ExecutionProvider provider) =>
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert
                .Throws<DemucsException>(() => ProviderInstaller.Install(provider, _folder["a.whl"], false, null, CancellationToken.None))
                .Error
        );

    [Fact]
    public void A_canceled_installation_leaves_nothing()
    {
        ProviderArchive.Write(_folder["a.whl"]);
        Assert.ThrowsAny<OperationCanceledException>(() =>
            ProviderInstaller.Install(ExecutionProvider.OpenVINO, _folder["a.whl"], false, null, new CancellationToken(canceled: true))
        );
        Assert.Empty(Directory.GetFileSystemEntries(_folder["providers"]));
    }

    private string Install(string package, bool replace = false) =>
        ProviderInstaller.Install(ExecutionProvider.OpenVINO, _folder[package], replace, _warnings.Add, CancellationToken.None);

    private string[] Installed() =>
        [
            .. Directory
                .EnumerateFiles(_folder["providers", "openvino"], "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(_folder["providers", "openvino"], file))
                .Order(StringComparer.Ordinal),
        ];
}
