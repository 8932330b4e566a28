using System.Security.Cryptography;
using System.Text;

namespace DemucsPS.Cli.Tests;

/// <summary>
/// Models for the program. It prepares them, so those that are large enough to be prepared are copies outside the repository, which all
/// tests share.
/// </summary>
internal static class CliModels
{
    private static readonly TemporaryFolder s_folder = TemporaryFolder.OfProcess();

    /// <summary>A small htdemucs with random weights.</summary>
    public static string Tiny { get; } = Copied("htdemucs-tiny.onnx");

    /// <summary>Multiplies: its stem k is k + 1 times the mix; segments of 8192 frames.</summary>
    public static string Small { get; } = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx");

    /// <summary>Brings the mix to mean 0 and deviation 1 and multiplies: there is something to prepare.</summary>
    public static string Normalizing { get; } = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "normalizing.onnx");

    /// <summary>Leaves the square root out that a prepared copy takes of the variance, as a rewrite that is wrong might.</summary>
    public static void Break(string copy)
    {
        byte[] model = File.ReadAllBytes(copy);
        int at = model.AsSpan().IndexOf("\"\u0004Sqrt"u8);
        Assert.True(at > 0);
        "Relu"u8.CopyTo(model.AsSpan(at + 2));
        // The end of a copy is the SHA-256 of what is before: 85 bytes, the last 64 of them its digits.
        Encoding
            .ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(model.AsSpan(0, model.Length - 85))))
            .CopyTo(model.AsSpan(model.Length - 64));
        File.WriteAllBytes(copy, model);
    }

    /// <summary>Makes a model whose stems are all twice as loud as those of <see cref="Small"/>.</summary>
    public static void WriteLouder(string path)
    {
        byte[] model = File.ReadAllBytes(Small),
            factors = Bytes(1, 2, 3, 4);
        int at = model.AsSpan().IndexOf(factors);
        Bytes(2, 4, 6, 8).CopyTo(model.AsSpan(at));
        File.WriteAllBytes(path, model);

        static byte[] Bytes(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];
    }

    private static string Copied(string name)
    {
        File.Copy(RepositoryFiles.Reference("models", name), s_folder[name]);
        return s_folder[name];
    }
}
