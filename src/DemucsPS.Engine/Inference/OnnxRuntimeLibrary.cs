using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// The native ONNX Runtime of this process: found, loaded by full path and initialised once, on first use.
/// </summary>
/// <remarks>
/// Functions are taken from the library by name, not through <c>DllImport</c>, so no import resolver is installed and any number of
/// runspaces and module imports share the one library. The environment lives until the process ends; releasing it at exit races with the
/// runtime's own threads and gains nothing.
/// </remarks>
public static class OnnxRuntimeLibrary
{
    /// <summary>Environment variable that names another libonnxruntime by its full path (for instance a CUDA or OpenVINO build).</summary>
    public const string PathVariable = "DEMUCSPS_ONNXRUNTIME";

    // The runtime reports errors as statuses; what it would print besides goes to stderr, which belongs to the user.
    internal const int FatalOnly = 4;

    private static readonly Lock Gate = new();
    private static OrtApi? s_api;
    private static nint s_environment;
    private static nint s_cpuMemory;

    /// <summary>Full path of the loaded library.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/>: it cannot be loaded.</exception>
    public static string Path => Load().Path;

    /// <summary>Version of the loaded library, such as 1.23.2.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/>: it cannot be loaded.</exception>
    public static string Version => Load().Version;

    /// <summary>The execution providers that are compiled into the loaded library, such as CPUExecutionProvider.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/>: it cannot be loaded.</exception>
    public static unsafe IReadOnlyList<string> AvailableProviders
    {
        get
        {
            OrtApi api = Load();
            byte** names;
            int count;
            api.Check(api.GetAvailableProviders(&names, &count));
            string[] result = new string[count];
            for (int i = 0; i < count; i++)
                result[i] = Marshal.PtrToStringUTF8((nint)names[i]) ?? "";
            api.Check(api.ReleaseAvailableProviders(names, count));
            return result;
        }
    }

    /// <summary>The process-wide environment, an <c>OrtEnv*</c>.</summary>
    internal static nint Environment
    {
        get
        {
            Load();
            return s_environment;
        }
    }

    /// <summary>Description of ordinary memory, an <c>OrtMemoryInfo*</c>.</summary>
    internal static nint CpuMemory
    {
        get
        {
            Load();
            return s_cpuMemory;
        }
    }

    internal static unsafe OrtApi Load()
    {
        lock (Gate)
        {
            if (s_api is not null)
                return s_api;
            OrtApi api = Open();
            nint environment, memory;
            fixed (byte* id = "DemucsPS\0"u8)
                api.Check(api.CreateEnv(FatalOnly, id, &environment));
            api.Check(api.DisableTelemetryEvents(environment));
            const int ArenaAllocator = 1, DefaultMemory = 0;
            api.Check(api.CreateCpuMemoryInfo(ArenaAllocator, DefaultMemory, &memory));
            s_environment = environment;
            s_cpuMemory = memory;
            s_api = api;
            return api;
        }
    }

    private static OrtApi Open()
    {
        string? named = System.Environment.GetEnvironmentVariable(PathVariable);
        if (!string.IsNullOrWhiteSpace(named))
        {
            // A user who names a library wants that one; another in its place would be a silent fallback.
            if (!System.IO.Path.IsPathFullyQualified(named))
                throw Unavailable($"${PathVariable} is '{named}', which is not a full path. Set it to the full path of the library file.", named);
            if (!File.Exists(named))
                throw Unavailable($"${PathVariable} names '{named}', which does not exist. Correct the path, or unset the variable to use the library that comes with DemucsPS.", named);
            return TryOpen(named, out string? failure)
                ?? throw Unavailable($"${PathVariable} names '{named}', which cannot be loaded: {failure} {LibraryLoadFailure.VisualCRemedy(failure, OperatingSystem.IsWindows(), RuntimeInformation.ProcessArchitecture, CanLoad)}".TrimEnd(), named);
        }

        List<(string Path, string? Failure)> tried = [];
        foreach (string candidate in Candidates())
        {
            string? failure = null;
            if (File.Exists(candidate) && TryOpen(candidate, out failure) is { } api)
                return api;
            tried.Add((candidate, failure));
        }
        throw Unavailable(LibraryLoadFailure.Describe(tried, OperatingSystem.IsWindows(), RuntimeInformation.ProcessArchitecture, CanLoad), null);
    }

    private static bool CanLoad(string library)
    {
        if (!NativeLibrary.TryLoad(library, out nint handle))
            return false;
        NativeLibrary.Free(handle);
        return true;
    }

    private static OrtApi? TryOpen(string path, out string failure)
    {
        failure = "";
        try
        {
            return new OrtApi(NativeLibrary.Load(path), path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            failure = e.Message;
            return null;
        }
    }

    /// <summary>The full paths looked at, in order. PowerShell ignores deps.json and runtimes/, so they are built here.</summary>
    private static IEnumerable<string> Candidates()
    {
        string home = System.IO.Path.GetDirectoryName(typeof(OnnxRuntimeLibrary).Assembly.Location) is { Length: > 0 } folder ? folder : AppContext.BaseDirectory;
        (string system, string file) = OperatingSystem.IsWindows() ? ("win", "onnxruntime.dll")
            : OperatingSystem.IsMacOS() ? ("osx", "libonnxruntime.1.dylib")
            : ("linux", "libonnxruntime.so.1");
        string architecture = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => "x64",
            Architecture.Arm64 => "arm64",
            Architecture other => $"{other}".ToUpperInvariant(),
        };
        yield return System.IO.Path.Combine(home, "runtimes", $"{system}-{architecture}", "native", file);
        yield return System.IO.Path.Combine(home, file);
    }

    private static DemucsException Unavailable(string message, string? path) => new(DemucsError.OnnxRuntimeUnavailable, message, path);
}
