using System.Runtime.InteropServices;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Engine.Inference;

/// <summary>The native ONNX Runtime of this process: found, loaded by full path and initialized once, on first use.</summary>
/// <remarks>
/// Any number of runspaces and module imports share the one library. Other users of ONNX Runtime in the process keep theirs, see
/// <see cref="RuntimeContext"/>.
/// </remarks>
public static class OnnxRuntimeLibrary
{
    /// <summary>Environment variable that names another libonnxruntime by its full path (for instance a CUDA build).</summary>
    public const string PathVariable = "DEMUCSPS_ONNXRUNTIME";

    private static readonly Lock s_gate = new();
    private static (string Path, string Version)? s_loaded;

    /// <summary>Full path of the loaded library.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/>: it cannot be loaded.</exception>
    public static string Path => Load().Path;

    /// <summary>Version of the loaded library, such as 1.31.1.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/>: it cannot be loaded.</exception>
    public static string Version => Load().Version;

    /// <summary>The execution providers that are compiled into the loaded library, such as CPUExecutionProvider.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/>: it cannot be loaded.</exception>
    public static IReadOnlyList<string> AvailableProviders
    {
        get
        {
            Load();
            return NativeRuntime.AvailableProviders;
        }
    }

    internal static (string Path, string Version) Load()
    {
        lock (s_gate)
            return s_loaded ??= Open();
    }

    private static (string Path, string Version) Open()
    {
        string? named = Environment.GetEnvironmentVariable(PathVariable);
        if (!string.IsNullOrWhiteSpace(named))
        {
            // A user who names a library wants that one; another in its place would be a silent fallback.
            if (!System.IO.Path.IsPathFullyQualified(named))
                throw Unavailable(
                    $"${PathVariable} is '{named}', which is not a full path. Set it to the full path of the library file.",
                    named
                );
            if (!File.Exists(named))
                throw Unavailable(
                    $"${PathVariable} names '{named}', which does not exist. Correct the path, or unset the variable to use the library that comes with DemucsPS.",
                    named
                );
            return TryOpen(named, out string failure)
                ?? throw Unavailable(
                    $"${PathVariable} names '{named}', which cannot be loaded: {failure} {LibraryLoadFailure.VisualCRemedy(failure, OperatingSystem.IsWindows(), RuntimeInformation.ProcessArchitecture, CanLoad)}".TrimEnd(),
                    named
                );
        }

        List<(string Path, string? Failure)> tried = [];
        foreach (string candidate in Candidates())
        {
            string? failure = null;
            if (File.Exists(candidate) && TryOpen(candidate, out failure) is { } opened)
                return opened;
            tried.Add((candidate, failure));
        }
        throw Unavailable(
            LibraryLoadFailure.Describe(
                tried,
                OperatingSystem.IsWindows(),
                OperatingSystem.IsMacOS(),
                RuntimeInformation.ProcessArchitecture,
                CanLoad
            ),
            null
        );
    }

    private static bool CanLoad(string library)
    {
        if (!NativeLibrary.TryLoad(library, out nint handle))
            return false;
        NativeLibrary.Free(handle);
        return true;
    }

    private static (string Path, string Version)? TryOpen(string path, out string failure)
    {
        failure = "";
        nint library;
        try
        {
            library = NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            failure = e.Message;
            return null;
        }
        try
        {
            string version = NativeRuntime.VersionOf(library)
                ?? throw Unavailable($"'{path}' is not an ONNX Runtime library: it does not export the entry point of ONNX Runtime.", path);
            if (!Suffices(version))
                throw Unavailable($"'{path}' is ONNX Runtime {version}. Version 1.{NativeRuntime.ApiVersion} or newer is required.", path);
            NativeRuntime.Start(library);
            return (path, version);
        }
        catch (InvalidOperationException e)
        {
            NativeLibrary.Free(library);
            throw new DemucsException(
                DemucsError.OnnxRuntimeUnavailable,
                $"This program used the package Microsoft.ML.OnnxRuntime with another library before DemucsPS. One process cannot use both. Use DemucsPS first, or load it into its own AssemblyLoadContext. {e.Message}",
                path,
                e
            );
        }
        catch (RuntimeException e)
        {
            throw new DemucsException(
                DemucsError.OnnxRuntimeUnavailable,
                $"ONNX Runtime {NativeRuntime.VersionOf(library)} in '{path}' does not start: {e.Message}",
                path,
                e
            );
        }
        catch
        {
            NativeLibrary.Free(library);
            throw;
        }
    }

    /// <summary>Whether a library of this version has the functions that are requested.</summary>
    internal static bool Suffices(string version)
    {
        string[] parts = version.Split('.');
        return parts.Length >= 2
            && int.TryParse(parts[0], out int major)
            && int.TryParse(parts[1], out int minor)
            && (major > 1 || (major == 1 && minor >= NativeRuntime.ApiVersion));
    }

    /// <summary>
    /// The full paths looked at, in order: the folder of the platform, where the build puts the library, the assembly's own, and the host's
    /// where one has it.
    /// </summary>
    private static IEnumerable<string> Candidates()
    {
        string home = RuntimeContext.Home;
        (string system, string file) =
            OperatingSystem.IsWindows() ? ("win", "onnxruntime.dll")
            : OperatingSystem.IsMacOS() ? ("osx", "libonnxruntime.dylib")
            : ("linux", "libonnxruntime.so");
        string architecture = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => "x64",
            Architecture.Arm64 => "arm64",
            Architecture other => $"{other}".ToLowerInvariant(),
        };
        yield return System.IO.Path.Combine(home, $"{system}-{architecture}", file);
        yield return System.IO.Path.Combine(home, file);
        foreach (string hosts in RuntimeContext.HostFolders.Select(folder => System.IO.Path.Combine(folder, file)).Where(File.Exists))
            yield return hosts;
    }

    private static DemucsException Unavailable(string message, string? path) => new(DemucsError.OnnxRuntimeUnavailable, message, path);
}
