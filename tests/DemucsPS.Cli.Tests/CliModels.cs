namespace DemucsPS.Cli.Tests;

/// <summary>Models for the program. It prepares them, so those that are large enough to be prepared are copies outside the repository, which all tests share.</summary>
internal static class CliModels
{
    private static readonly TemporaryFolder s_folder = TemporaryFolder.OfProcess();

    /// <summary>A small htdemucs with random weights.</summary>
    public static string Tiny { get; } = Copied("htdemucs-tiny.onnx");

    /// <summary>Multiplies: its stem k is k + 1 times the mix; segments of 8192 frames.</summary>
    public static string Small { get; } = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx");

    /// <summary>Makes a model whose stems are all twice as loud as those of <see cref="Small"/>.</summary>
    public static void WriteLouder(string path)
    {
        byte[] model = File.ReadAllBytes(Small), factors = Bytes(1, 2, 3, 4);
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
