namespace DemucsPS.Tests.Shared;

/// <summary>Where the fixtures are: found from the test assembly upwards, so any working folder will do.</summary>
internal static class RepositoryFiles
{
    public static string Root { get; } = FindRoot();

    public static string Reference(params string[] parts) => Path.Combine([Root, "tests", "fixtures", "reference", .. parts]);

    public static string TinyModel => Reference("models", "htdemucs-tiny.onnx");

    public static string Song => Path.Combine(Root, "samples", "mix.wav");

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "DemucsPS.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("The tests must lie inside the repository.");
    }
}
