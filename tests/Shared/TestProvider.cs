using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DemucsPS.Tests.Shared;

/// <summary>A plug-in library with an execution provider, built from <c>tests/fixtures/provider</c> where there is a C compiler.</summary>
internal static class TestProvider
{
    private static readonly TemporaryFolder s_folder = TemporaryFolder.OfProcess();
    private static readonly Dictionary<string, string?> s_built = [];

    /// <summary>Full path of the library; the test is skipped where it cannot be built.</summary>
    /// <param name="form">A word that is defined for the compiler; empty for the usual form.</param>
    public static string Library(string form = "")
    {
        lock (s_built)
        {
            if (!s_built.TryGetValue(form, out string? path))
                s_built[form] = path = Build(form);
            Assert.SkipWhen(path is null, "There is no C compiler, or not ONNX Runtime's headers, to build a plug-in library with.");
            return path!;
        }
    }

    private static string? Build(string form)
    {
        string? version = File.ReadLines(Path.Combine(RepositoryFiles.Root, "Directory.Packages.props"))
            .Where(line => line.Contains("\"Microsoft.ML.OnnxRuntime\"", StringComparison.Ordinal))
            .Select(line => line.Split('"')[3])
            .Single();
        string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named
            ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        string headers = Path.Combine(packages, "microsoft.ml.onnxruntime", version, "build", "native", "include");
        if (!Directory.Exists(headers) || !RuntimeInformation.IsOSPlatform(OSPlatform.Linux))
            return null;
        string path = s_folder[$"libonnxruntime_providers_test{form}.so"];
        try
        {
            using Process compiler = Process.Start(
                new ProcessStartInfo(
                    "cc",
                    [
                        "-shared",
                        "-fPIC",
                        "-O1",
                        "-I",
                        headers,
                        .. form.Length > 0 ? ["-D", form] : Array.Empty<string>(),
                        Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "provider", "provider.c"),
                        "-o",
                        path,
                    ]
                )
            )!;
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? path : throw new InvalidOperationException("The plug-in library does not compile.");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
