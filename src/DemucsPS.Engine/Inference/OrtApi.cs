using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// The part of ONNX Runtime's C API that is used here: function pointers taken by position from the <c>OrtApi</c> table, whose order never
/// changes (positions are fixed by the static assertions at the end of onnxruntime_c_api.cc). One instance a process.
/// </summary>
/// <remarks>Every function that returns a pointer returns an <c>OrtStatus*</c>: null, or an error to hand to <see cref="Check"/>.</remarks>
internal sealed unsafe class OrtApi
{
    /// <summary>The oldest API this binding works with; asking for it makes every newer library acceptable.</summary>
    private const uint RequiredVersion = 17;

    // The first API with SessionOptionsSetLoadCancellationFlag.
    private const uint CancellationVersion = 22;

    private readonly void** _table;
    private readonly void** _newerTable;

    /// <param name="library">A loaded libonnxruntime.</param>
    /// <param name="path">Where it was loaded from.</param>
    /// <exception cref="DemucsException">The library is no ONNX Runtime, or too old.</exception>
    public OrtApi(nint library, string path)
    {
        Path = path;
        if (!NativeLibrary.TryGetExport(library, "OrtGetApiBase", out nint getApiBase))
            throw new DemucsException(DemucsError.OnnxRuntimeUnavailable, $"'{path}' is not an ONNX Runtime library: it has no function OrtGetApiBase.", path);
        void** apiBase = ((delegate* unmanaged[Cdecl]<void**>)getApiBase)();
        Version = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged[Cdecl]<byte*>)apiBase[1])()) ?? "unknown";

        // GetApi prints to stderr when it refuses, so the version string is looked at first.
        string[] parts = Version.Split('.');
        if (parts.Length < 2 || !int.TryParse(parts[0], out int major) || !int.TryParse(parts[1], out int minor) || (major == 1 && minor < RequiredVersion))
            throw TooOld();
        _table = ((delegate* unmanaged[Cdecl]<uint, void**>)apiBase[0])(RequiredVersion);
        if (_table == null)
            throw TooOld();
        MinorVersion = major == 1 ? minor : int.MaxValue;
        if (MinorVersion >= CancellationVersion)
            _newerTable = ((delegate* unmanaged[Cdecl]<uint, void**>)apiBase[0])(CancellationVersion);

        DemucsException TooOld() => new(DemucsError.OnnxRuntimeUnavailable,
            $"'{path}' is ONNX Runtime {Version}; version 1.{RequiredVersion} or newer is needed.", path);
    }

    /// <summary>Full path of the loaded library.</summary>
    public string Path { get; }

    /// <summary>The library's version, such as 1.23.2.</summary>
    public string Version { get; }

    /// <summary>The second part of the version, 23 of 1.23.2.</summary>
    public int MinorVersion { get; }

    /// <summary>Whether the loading of a model can be cancelled, see <see cref="SetLoadCancellationFlag"/>.</summary>
    public bool CancelsLoading => _newerTable != null;

    /// <summary>Only where <see cref="CancelsLoading"/>.</summary>
    public delegate* unmanaged[Cdecl]<nint, byte, nint> SetLoadCancellationFlag => (delegate* unmanaged[Cdecl]<nint, byte, nint>)_newerTable[293];

    public delegate* unmanaged[Cdecl]<nint, int> GetErrorCode => (delegate* unmanaged[Cdecl]<nint, int>)_table[1];
    public delegate* unmanaged[Cdecl]<nint, byte*> GetErrorMessage => (delegate* unmanaged[Cdecl]<nint, byte*>)_table[2];
    public delegate* unmanaged[Cdecl]<int, byte*, nint*, nint> CreateEnv => (delegate* unmanaged[Cdecl]<int, byte*, nint*, nint>)_table[3];
    public delegate* unmanaged[Cdecl]<nint, nint> DisableTelemetryEvents => (delegate* unmanaged[Cdecl]<nint, nint>)_table[6];
    public delegate* unmanaged[Cdecl]<nint, void*, nint, nint*, nint> CreateSession => (delegate* unmanaged[Cdecl]<nint, void*, nint, nint*, nint>)_table[7];
    public delegate* unmanaged[Cdecl]<nint, void*, nuint, nint, nint*, nint> CreateSessionFromArray => (delegate* unmanaged[Cdecl]<nint, void*, nuint, nint, nint*, nint>)_table[8];
    public delegate* unmanaged[Cdecl]<nint, nint, byte**, nint*, nuint, byte**, nuint, nint*, nint> Run => (delegate* unmanaged[Cdecl]<nint, nint, byte**, nint*, nuint, byte**, nuint, nint*, nint>)_table[9];
    public delegate* unmanaged[Cdecl]<nint*, nint> CreateSessionOptions => (delegate* unmanaged[Cdecl]<nint*, nint>)_table[10];
    public delegate* unmanaged[Cdecl]<nint, void*, nint> SetOptimizedModelFilePath => (delegate* unmanaged[Cdecl]<nint, void*, nint>)_table[11];
    public delegate* unmanaged[Cdecl]<nint, nint> EnableMemPattern => (delegate* unmanaged[Cdecl]<nint, nint>)_table[16];
    public delegate* unmanaged[Cdecl]<nint, nint> DisableMemPattern => (delegate* unmanaged[Cdecl]<nint, nint>)_table[17];
    public delegate* unmanaged[Cdecl]<nint, nint> EnableCpuMemArena => (delegate* unmanaged[Cdecl]<nint, nint>)_table[18];
    public delegate* unmanaged[Cdecl]<nint, nint> DisableCpuMemArena => (delegate* unmanaged[Cdecl]<nint, nint>)_table[19];
    public delegate* unmanaged[Cdecl]<nint, int, nint> SetSessionLogSeverityLevel => (delegate* unmanaged[Cdecl]<nint, int, nint>)_table[22];
    public delegate* unmanaged[Cdecl]<nint, int, nint> SetSessionGraphOptimizationLevel => (delegate* unmanaged[Cdecl]<nint, int, nint>)_table[23];
    public delegate* unmanaged[Cdecl]<nint, int, nint> SetIntraOpNumThreads => (delegate* unmanaged[Cdecl]<nint, int, nint>)_table[24];
    public delegate* unmanaged[Cdecl]<nint, int, nint> SetInterOpNumThreads => (delegate* unmanaged[Cdecl]<nint, int, nint>)_table[25];
    public delegate* unmanaged[Cdecl]<nint, nuint*, nint> SessionGetInputCount => (delegate* unmanaged[Cdecl]<nint, nuint*, nint>)_table[30];
    public delegate* unmanaged[Cdecl]<nint, nuint*, nint> SessionGetOutputCount => (delegate* unmanaged[Cdecl]<nint, nuint*, nint>)_table[31];
    public delegate* unmanaged[Cdecl]<nint, nuint, nint*, nint> SessionGetInputTypeInfo => (delegate* unmanaged[Cdecl]<nint, nuint, nint*, nint>)_table[33];
    public delegate* unmanaged[Cdecl]<nint, nuint, nint*, nint> SessionGetOutputTypeInfo => (delegate* unmanaged[Cdecl]<nint, nuint, nint*, nint>)_table[34];
    public delegate* unmanaged[Cdecl]<nint, nuint, nint, byte**, nint> SessionGetInputName => (delegate* unmanaged[Cdecl]<nint, nuint, nint, byte**, nint>)_table[36];
    public delegate* unmanaged[Cdecl]<nint, nuint, nint, byte**, nint> SessionGetOutputName => (delegate* unmanaged[Cdecl]<nint, nuint, nint, byte**, nint>)_table[37];
    public delegate* unmanaged[Cdecl]<nint*, nint> CreateRunOptions => (delegate* unmanaged[Cdecl]<nint*, nint>)_table[39];
    public delegate* unmanaged[Cdecl]<nint, int, nint> RunOptionsSetRunLogSeverityLevel => (delegate* unmanaged[Cdecl]<nint, int, nint>)_table[41];
    public delegate* unmanaged[Cdecl]<nint, nint> RunOptionsSetTerminate => (delegate* unmanaged[Cdecl]<nint, nint>)_table[46];
    public delegate* unmanaged[Cdecl]<nint, void*, nuint, long*, nuint, int, nint*, nint> CreateTensorWithDataAsOrtValue => (delegate* unmanaged[Cdecl]<nint, void*, nuint, long*, nuint, int, nint*, nint>)_table[49];
    public delegate* unmanaged[Cdecl]<nint, nint*, nint> CastTypeInfoToTensorInfo => (delegate* unmanaged[Cdecl]<nint, nint*, nint>)_table[55];
    public delegate* unmanaged[Cdecl]<nint, int*, nint> GetTensorElementType => (delegate* unmanaged[Cdecl]<nint, int*, nint>)_table[60];
    public delegate* unmanaged[Cdecl]<nint, nuint*, nint> GetDimensionsCount => (delegate* unmanaged[Cdecl]<nint, nuint*, nint>)_table[61];
    public delegate* unmanaged[Cdecl]<nint, long*, nuint, nint> GetDimensions => (delegate* unmanaged[Cdecl]<nint, long*, nuint, nint>)_table[62];
    public delegate* unmanaged[Cdecl]<int, int, nint*, nint> CreateCpuMemoryInfo => (delegate* unmanaged[Cdecl]<int, int, nint*, nint>)_table[69];
    public delegate* unmanaged[Cdecl]<nint, void*, nint> AllocatorFree => (delegate* unmanaged[Cdecl]<nint, void*, nint>)_table[76];
    public delegate* unmanaged[Cdecl]<nint*, nint> GetAllocatorWithDefaultOptions => (delegate* unmanaged[Cdecl]<nint*, nint>)_table[78];
    public delegate* unmanaged[Cdecl]<nint, void> ReleaseStatus => (delegate* unmanaged[Cdecl]<nint, void>)_table[93];
    public delegate* unmanaged[Cdecl]<nint, void> ReleaseSession => (delegate* unmanaged[Cdecl]<nint, void>)_table[95];
    public delegate* unmanaged[Cdecl]<nint, void> ReleaseValue => (delegate* unmanaged[Cdecl]<nint, void>)_table[96];
    public delegate* unmanaged[Cdecl]<nint, void> ReleaseRunOptions => (delegate* unmanaged[Cdecl]<nint, void>)_table[97];
    public delegate* unmanaged[Cdecl]<nint, void> ReleaseTypeInfo => (delegate* unmanaged[Cdecl]<nint, void>)_table[98];
    public delegate* unmanaged[Cdecl]<nint, void> ReleaseSessionOptions => (delegate* unmanaged[Cdecl]<nint, void>)_table[100];
    public delegate* unmanaged[Cdecl]<nint, nint*, nint> SessionGetModelMetadata => (delegate* unmanaged[Cdecl]<nint, nint*, nint>)_table[111];
    public delegate* unmanaged[Cdecl]<nint, nint, byte*, byte**, nint> ModelMetadataLookupCustomMetadataMap => (delegate* unmanaged[Cdecl]<nint, nint, byte*, byte**, nint>)_table[116];
    public delegate* unmanaged[Cdecl]<nint, void> ReleaseModelMetadata => (delegate* unmanaged[Cdecl]<nint, void>)_table[118];
    public delegate* unmanaged[Cdecl]<nint, nint, byte***, long*, nint> ModelMetadataGetCustomMetadataMapKeys => (delegate* unmanaged[Cdecl]<nint, nint, byte***, long*, nint>)_table[123];
    public delegate* unmanaged[Cdecl]<byte***, int*, nint> GetAvailableProviders => (delegate* unmanaged[Cdecl]<byte***, int*, nint>)_table[125];
    public delegate* unmanaged[Cdecl]<byte**, int, nint> ReleaseAvailableProviders => (delegate* unmanaged[Cdecl]<byte**, int, nint>)_table[126];
    public delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint> AddSessionConfigEntry => (delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint>)_table[130];
    public delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint> AddRunConfigEntry => (delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint>)_table[165];
    public delegate* unmanaged[Cdecl]<nint, delegate* unmanaged[Cdecl]<nint, nint, nint, nint>, nint> SetCustomCreateThread => (delegate* unmanaged[Cdecl]<nint, delegate* unmanaged[Cdecl]<nint, nint, nint, nint>, nint>)_table[196];
    public delegate* unmanaged[Cdecl]<nint, nint, nint> SetCustomThreadCreationOptions => (delegate* unmanaged[Cdecl]<nint, nint, nint>)_table[197];
    public delegate* unmanaged[Cdecl]<nint, delegate* unmanaged[Cdecl]<nint, void>, nint> SetCustomJoinThread => (delegate* unmanaged[Cdecl]<nint, delegate* unmanaged[Cdecl]<nint, void>, nint>)_table[198];
    public delegate* unmanaged[Cdecl]<nint, nint, nint> AppendCudaProvider => (delegate* unmanaged[Cdecl]<nint, nint, nint>)_table[204];
    public delegate* unmanaged[Cdecl]<nint*, nint> CreateCudaProviderOptions => (delegate* unmanaged[Cdecl]<nint*, nint>)_table[205];
    public delegate* unmanaged[Cdecl]<nint, byte**, byte**, nuint, nint> UpdateCudaProviderOptions => (delegate* unmanaged[Cdecl]<nint, byte**, byte**, nuint, nint>)_table[206];
    public delegate* unmanaged[Cdecl]<nint, void> ReleaseCudaProviderOptions => (delegate* unmanaged[Cdecl]<nint, void>)_table[208];
    public delegate* unmanaged[Cdecl]<nint, byte*, byte**, byte**, nuint, nint> AppendProvider => (delegate* unmanaged[Cdecl]<nint, byte*, byte**, byte**, nuint, nint>)_table[216];

    /// <summary>Throws when a call returned an error, with the runtime's own message, and releases that error.</summary>
    /// <exception cref="OnnxRuntimeException">The status is an error.</exception>
    public void Check(nint status)
    {
        if (status == 0)
            return;
        int code = GetErrorCode(status);
        string message = Marshal.PtrToStringUTF8((nint)GetErrorMessage(status)) ?? "";
        ReleaseStatus(status);
        throw new OnnxRuntimeException((OnnxRuntimeErrorCode)code, message);
    }
}
