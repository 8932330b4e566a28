using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace DemucsPS.Tests.Shared;

/// <summary>Packages as makers of execution providers publish them, with nothing of use in them.</summary>
internal static class ProviderArchive
{
    /// <summary>The folder of the library in the package.</summary>
    public const string Folder = "onnxruntime_ep_openvino/";

    /// <summary>What the library is called on this platform.</summary>
    public static string LibraryName { get; } =
        OperatingSystem.IsWindows() ? "onnxruntime_providers_openvino_plugin.dll"
        : OperatingSystem.IsMacOS() ? "libonnxruntime_providers_openvino_plugin.dylib"
        : "libonnxruntime_providers_openvino_plugin.so";

    /// <summary>What a library of this platform begins with; more than that it does not have.</summary>
    /// <param name="foreign">Whether it is for another kind of processor.</param>
    public static byte[] Library(bool foreign = false)
    {
        bool isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 != foreign;
        byte[] head = new byte[5000];
        if (OperatingSystem.IsWindows())
        {
            "MZ"u8.CopyTo(head);
            head[60] = 128;
            BitConverter.TryWriteBytes(head.AsSpan(132), (ushort)(isArm ? 0xAA64 : 0x8664));
        }
        else if (OperatingSystem.IsMacOS())
        {
            BitConverter.TryWriteBytes(head, foreign ? 0 : 0xFEEDFACF);
        }
        else
        {
            ((ReadOnlySpan<byte>)[0x7F, 0x45, 0x4C, 0x46]).CopyTo(head);
            head[18] = (byte)(isArm ? 183 : 62);
        }
        return head;
    }

    /// <summary>Writes a wheel: the library, one beside it, notices and what is for Python.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="more">Further files, or others in place of those.</param>
    /// <param name="record">Whether it lists hashes.</param>
    /// <param name="change">What is done to a file once it is listed.</param>
    public static void Write(
        string path,
        IReadOnlyDictionary<string, byte[]>? more = null,
        bool record = true,
        Func<string, byte[], byte[]>? change = null
    )
    {
        Dictionary<string, byte[]> files = new()
        {
            [Folder + LibraryName] = Library(),
            [Folder + "libopenvino.so.1"] = [1, 2, 3],
            [Folder + "third-party-programs.txt"] = "licenses"u8.ToArray(),
            [Folder + "__init__.py"] = "import os"u8.ToArray(),
            ["onnxruntime_ep_openvino-1.dist-info/METADATA"] = "Version: 1"u8.ToArray(),
        };
        foreach ((string name, byte[] content) in more ?? new Dictionary<string, byte[]>())
            files[name] = content;
        if (record)
        {
            IEnumerable<string> lines = files.Select(file =>
                $"{(file.Key.Contains(',', StringComparison.Ordinal) ? $"\"{file.Key}\"" : file.Key)},sha256={Convert.ToBase64String(SHA256.HashData(file.Value)).TrimEnd('=').Replace('+', '-').Replace('/', '_')},{file.Value.Length}"
            );
            files["onnxruntime_ep_openvino-1.dist-info/RECORD"] = Encoding.UTF8.GetBytes(
                string.Join('\n', lines.Append("onnxruntime_ep_openvino-1.dist-info/RECORD,,"))
            );
        }
        using ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach ((string name, byte[] content) in files)
        {
            using Stream stream = archive.CreateEntry(name).Open();
            stream.Write(change?.Invoke(name, content) ?? content);
        }
    }
}
