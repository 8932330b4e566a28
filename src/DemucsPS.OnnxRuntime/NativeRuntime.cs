using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace DemucsPS.OnnxRuntime;

/// <summary>
/// The native library that the package runs on in this process: a loaded one that is handed to it, never what the system finds under its
/// name.
/// </summary>
internal static unsafe partial class NativeRuntime
{
    // The runtime reports errors as statuses; what it would print besides goes to stderr, which belongs to the user.
    internal const OrtLoggingLevel FatalOnly = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;
    private const string NoTelemetry = "ORT_DISABLE_TELEMETRY";

    private static OrtApi? s_api;

    /// <summary>
    /// The API that the package asks the library for, the second part of its version. It must be there: the package asks in a static
    /// constructor, which fails once for the whole process.
    /// </summary>
    public static int ApiVersion { get; } = typeof(OrtEnv).Assembly.GetName().Version!.Minor;

    /// <summary>The functions of the library that the package has no methods for. Only after <see cref="Start"/>.</summary>
    internal static OrtApi Api => s_api ?? throw new InvalidOperationException("The runtime was not started.");

    /// <summary>The execution providers that are compiled into the library.</summary>
    public static string[] AvailableProviders => RuntimeException.Translate(OrtEnv.Instance().GetAvailableProviders);

    /// <summary>The version of a loaded library, such as 1.31.1; null if it is not ONNX Runtime.</summary>
    /// <param name="library">Its handle.</param>
    public static string? VersionOf(nint library) =>
        NativeLibrary.TryGetExport(library, "OrtGetApiBase", out nint function)
            ? Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint>)Base(function)->GetVersionString)())
            : null;

    /// <summary>Has the package use this library from now on. Once a process.</summary>
    /// <param name="library">Its handle; a library of <see cref="ApiVersion"/> or newer.</param>
    /// <exception cref="InvalidOperationException">The package has been used in this load context before, with a library of its own
    /// choice.</exception>
    /// <exception cref="RuntimeException">The runtime cannot be started.</exception>
    public static void Start(nint library)
    {
        // The package's own resolver asks the system for the bare name first, and Windows has an old library of that name.
        OrtEnv.DisableDllImportResolver = true;
        NativeLibrary.SetDllImportResolver(typeof(OrtEnv).Assembly, (name, _, _) =>
            Path.GetFileNameWithoutExtension(name) is "onnxruntime" or "libonnxruntime" ? library : 0
        );
        // It makes a number for this machine and a database in the home folder as soon as it starts, before it can be told to collect
        // nothing.
        if (OperatingSystem.IsWindows())
            Environment.SetEnvironmentVariable(NoTelemetry, "1");
        else
            // .NET keeps variables to itself there, and the library asks the system.
            _ = SetVariable(NoTelemetry, "1", 1);
        EnvironmentCreationOptions options = new() { logId = nameof(DemucsPS), logLevel = FatalOnly };
        RuntimeException.Translate(() =>
        {
            // The environment lives until the process ends: releasing it at exit races with the runtime's own threads and gains nothing.
            OrtEnv.CreateInstanceWithOptions(ref options).DisableTelemetryEvents();
        });
        NativeLibrary.TryGetExport(library, "OrtGetApiBase", out nint function);
        s_api = Marshal.PtrToStructure<OrtApi>(((delegate* unmanaged[Cdecl]<uint, nint>)Base(function)->GetApi)((uint)ApiVersion));
    }

    /// <summary>
    /// Has the C library give back to the system what the runtime has freed. glibc keeps it by itself, once blocks of many megabytes were
    /// freed, and loading a model frees some hundred of them; other systems' libraries do not.
    /// </summary>
    public static void GiveBackFreedMemory()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Not glibc.
        }
    }

    /// <summary>Throws when a function of <see cref="Api"/> returned an error, and releases it.</summary>
    /// <exception cref="RuntimeException">The status is an error.</exception>
    internal static void Check(nint status)
    {
        if (status == 0)
            return;
        int code = ((delegate* unmanaged[Cdecl]<nint, int>)Api.GetErrorCode)(status);
        string message = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint, nint>)Api.GetErrorMessage)(status)) ?? "";
        ((delegate* unmanaged[Cdecl]<nint, void>)Api.ReleaseStatus)(status);
        throw new RuntimeException(code, message, null);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint kept);

    private static OrtApiBase* Base(nint function) => ((delegate* unmanaged[Cdecl]<OrtApiBase*>)function)();
}
