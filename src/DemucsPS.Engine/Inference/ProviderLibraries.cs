using System.Runtime.InteropServices;
using DemucsPS.Engine.Files;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// Plug-in libraries of execution providers, which vendors publish for unmodified ONNX Runtime builds: found by name or in a folder, loaded
/// by full path, and registered once a process. What is in such a
/// library runs as part of the program, so only named libraries and those in that folder are loaded.
/// </summary>
internal static class ProviderLibraries
{
    /// <summary>Environment variable that names another folder of plug-in libraries.</summary>
    public const string FolderVariable = "DEMUCSPS_PROVIDERS";

    /// <summary>
    /// The option that chooses the device of a plug-in library, by the name that <see cref="ExecutionDevice.Device"/> gives; it is not
    /// passed on.
    /// </summary>
    public const string DeviceOption = "device";

    private const int MostBeside = 200;

    private const string FilePattern = "*onnxruntime_providers_*";

    // Those that plug-in libraries are known to have; the CPU stands for none of them.
    private static readonly ExecutionProvider[] s_known =
    [
        ExecutionProvider.OpenVINO,
        ExecutionProvider.Cuda,
        ExecutionProvider.DirectML,
        ExecutionProvider.CoreML,
        ExecutionProvider.WebGpu,
    ];

    /// <summary>
    /// Full path of the folder in which, and in whose folders, libraries are looked for: that of the environment variable, or one in the
    /// user's local application data. It need not exist.
    /// </summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the variable is not a full path.</exception>
    public static string Folder => ApplicationFolder.FromVariable(FolderVariable) ?? Path.Combine(ApplicationFolder.Path, "providers");

    /// <summary>Full paths of the libraries in <see cref="Folder"/>, by name.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProviderLibraryInvalid"/>: the folder cannot be read;
    /// <see cref="DemucsError.ParameterInvalid"/> as for <see cref="Folder"/>.</exception>
    public static IReadOnlyList<string> Find() => Find(Folder);

    /// <summary>As above, in another folder.</summary>
    internal static IReadOnlyList<string> Find(string folder)
    {
        string suffix =
            OperatingSystem.IsWindows() ? ".dll"
            : OperatingSystem.IsMacOS() ? ".dylib"
            : ".so";
        try
        {
            if (!Directory.Exists(folder))
                return [];
            return
            [
                .. Directory
                    .EnumerateDirectories(folder)
                    .Prepend(folder)
                    .SelectMany(each => Directory.EnumerateFiles(each, FilePattern + suffix))
                    // What the vendors' other libraries have in common.
                    .Where(file => !Path.GetFileNameWithoutExtension(file).EndsWith("_shared", StringComparison.Ordinal))
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.ProviderLibraryInvalid,
                $"The folder of plug-in libraries '{folder}' cannot be read: {e.Message} Check its permissions, or set ${FolderVariable} to another folder.",
                folder,
                e
            );
        }
    }

    /// <summary>
    /// The device on which a session with these options is to run; null if the provider is compiled into ONNX Runtime's library, or should
    /// be.
    /// </summary>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ProviderLibraryInvalid"/>: the library cannot be used;
    /// <see cref="DemucsError.ExecutionProviderUnavailable"/>: it has no such provider, or no such device here;
    /// <see cref="DemucsError.ParameterInvalid"/>: a library or options are given, and no provider that takes them.
    /// </exception>
    internal static PluginDevice? DeviceFor(OnnxSessionOptions options)
    {
        ExecutionProvider provider = options.ExecutionProvider;
        CheckUse(options);
        if (provider == ExecutionProvider.Cpu || LibraryFor(options) is not { } path)
            return null;
        PluginDevice[] all = [.. Devices(path)];
        PluginDevice[] devices = [.. all.Where(device => Fits(provider, device.Provider))];
        if (all.Length == 0)
        {
            throw new DemucsException(
                DemucsError.ExecutionProviderUnavailable,
                $"The plug-in library '{path}' is valid, but finds no supported hardware. This machine has: {string.Join(", ", PluginLibraries.Hardware)}. {Requirement(path)}Use the execution provider Cpu, or a library for this hardware.",
                path
            );
        }
        if (devices.Length == 0)
        {
            throw new DemucsException(
                DemucsError.ExecutionProviderUnavailable,
                $"The plug-in library '{path}' does not contain the execution provider {provider}. It contains {string.Join(", ", all.Select(device => device.Provider).Distinct())}. Name another library, or use the execution provider {ExecutionProvider.Plugin}.",
                path
            );
        }
        string[] names = Names(devices);
        // Of the devices of one provider the processor comes first, where there is one: what it computes is known best.
        int first = Math.Max(0, Array.FindIndex(devices, device => device.Kind == "CPU"));
        int chosen = options.ExecutionProviderOptions.TryGetValue(DeviceOption, out string? wanted)
            ? Array.FindIndex(names, name => name.Equals(wanted, StringComparison.OrdinalIgnoreCase))
            : first;
        return chosen >= 0
            ? devices[chosen]
            : throw new DemucsException(
                DemucsError.ExecutionProviderUnavailable,
                $"The plug-in library '{path}' has no device '{wanted}' here. It has {string.Join(", ", names)}. Name one of these, or none to use {names[first]}.",
                path
            );
    }

    /// <summary>Refuses a library or options that nothing would take.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    internal static void CheckUse(OnnxSessionOptions options)
    {
        if (options.ProviderLibrary is { } given && !Path.IsPathFullyQualified(given))
            throw new ArgumentException($"'{given}' is not a full path.", nameof(options));
        if (
            options.ExecutionProvider is ExecutionProvider.Cpu or ExecutionProvider.Auto
            && (options.ProviderLibrary is not null || options.ExecutionProviderOptions.Count > 0)
        )
        {
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"A plug-in library or provider options are given, but the execution provider {options.ExecutionProvider} takes none. Choose the execution provider as well: {ExecutionProvider.OpenVINO}, or {ExecutionProvider.Plugin} for the provider in the library.",
                options.ProviderLibrary
            );
        }
        if (options.ExecutionProvider == ExecutionProvider.Plugin && options.ProviderLibrary is null)
        {
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The execution provider {ExecutionProvider.Plugin} needs the name of a plug-in library. Name the library."
            )
            {
                Parameter = EngineParameter.ProviderLibrary,
            };
        }
    }

    /// <summary>What a library's providers can run models on here, without what they only compile for.</summary>
    /// <param name="path">Its full path.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProviderLibraryInvalid"/>: it cannot be used.</exception>
    internal static IEnumerable<PluginDevice> Devices(string path)
    {
        OnnxRuntimeLibrary.Load();
        if (!File.Exists(path))
            throw Invalid(
                path,
                "does not exist.",
                "Correct the path, or install the execution provider.",
                null,
                Remedy.InstallProvider
            );
        // One that runs already was looked at.
        if (!PluginLibraries.IsRegistered(path))
            CheckWhole(path);
        try
        {
            return PluginLibraries.Devices(path).Where(device => device.HardwareMetadata.GetValueOrDefault("is_virtual") != "1");
        }
        catch (RuntimeException e)
        {
            string words = ExecutionProviderChoice.OneLine(e.Message);
            if (words.Contains("Failed to load library", StringComparison.Ordinal))
            {
                throw Invalid(
                    path,
                    "cannot be loaded: it is not a library for this platform, or a library it depends on is missing.",
                    $"Use its vendor's whole package for {RuntimeInformation.RuntimeIdentifier}. All its libraries must be in the same folder. ONNX Runtime reports: {words}",
                    e
                );
            }
            if (words.Contains("Failed to get symbol", StringComparison.Ordinal))
            {
                throw Invalid(
                    path,
                    "is a library, but not a plug-in library of execution providers.",
                    $"Name the file that its vendor documents as the plug-in. The provider libraries of ONNX Runtime's own builds only work with that build, see ${OnnxRuntimeLibrary.PathVariable}. ONNX Runtime reports: {words}",
                    e
                );
            }
            throw Invalid(
                path,
                $"does not start with ONNX Runtime {OnnxRuntimeLibrary.Version}.",
                $"Use a version that supports 1.{NativeRuntime.ApiVersion}. ONNX Runtime reports: {words}",
                e
            );
        }
    }

    /// <summary>Refuses a library that is cut off, or has one beside it that is: it would load that as well.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProviderLibraryInvalid"/>.</exception>
    private static void CheckWhole(string path)
    {
        try
        {
            // In a folder of the system's there are too many to look at, and they are its own matter.
            string[] beside = [.. Directory.EnumerateFiles(Path.GetDirectoryName(path)!).Take(MostBeside + 1)];
            foreach (string file in beside.Length > MostBeside ? [path] : beside.Where(IsLibrary).Prepend(path))
            {
                long expected = LibraryFile.ExpectedLength(file),
                    found = RegularFile.Info(file).Length;
                if (expected > found)
                {
                    throw Invalid(
                        path,
                        $"cannot be loaded: {(file == path ? "it" : $"'{file}'")} is cut off. It should have at least {expected} bytes, and has {found}.",
                        "Install it from its vendor's package again.",
                        null
                    );
                }
            }
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw Invalid(path, $"cannot be read: {e.Message}", "Check the permissions of its folder.", e);
        }
    }

    private static bool IsLibrary(string path) =>
        Path.GetFileName(path) is var name
        && (
            name.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".so", StringComparison.Ordinal)
            || name.Contains(".so.", StringComparison.Ordinal)
        );

    /// <summary>
    /// The names of a provider's devices: what the provider calls them, or their kind, with a number from the second of a name on.
    /// </summary>
    internal static string[] Names(IReadOnlyList<PluginDevice> devices)
    {
        string[] names =
        [
            .. devices.Select(device =>
                device.ProviderMetadata.GetValueOrDefault("ov_device")
                ?? device.ProviderMetadata.GetValueOrDefault("ov_meta_device")
                ?? device.Kind
            ),
        ];
        return
        [
            .. names.Select(
                (name, i) =>
                    names[..i].Count(earlier => earlier == name) is > 0 and int number
                        ? FormattableString.Invariant($"{name}.{number}")
                        : name
            ),
        ];
    }

    /// <summary>A provider of a plug-in library and its device in words, such as <c>OpenVINOExecutionProvider 1.8.1, CPU</c>.</summary>
    internal static string Describe(PluginDevice device) =>
        $"{device.Provider}{(VersionOf(device) is { } version ? " " + version : "")}, {Names([device])[0]}";

    /// <summary>The version of a provider; null if it says none.</summary>
    internal static string? VersionOf(PluginDevice device) => device.ProviderMetadata.GetValueOrDefault("version");

    /// <summary>Whether a provider's own name says that it is this one.</summary>
    internal static bool Fits(ExecutionProvider provider, string name) =>
        provider == ExecutionProvider.Plugin
        // The vendors' names say more than one kind of it: OpenVINOExecutionProvider.AUTO would choose devices by itself.
        || (name.StartsWith(WordOf(provider), StringComparison.OrdinalIgnoreCase) && !name.Contains('.', StringComparison.Ordinal));

    /// <summary>The provider that a device of a plug-in library is requested as.</summary>
    internal static ExecutionProvider ProviderOf(PluginDevice device) =>
        Array.Find(s_known, provider => Fits(provider, device.Provider)) is var provider and not ExecutionProvider.Cpu
            ? provider
            : ExecutionProvider.Plugin;

    /// <summary>The provider that a library has by its file's name.</summary>
    internal static ExecutionProvider NamedBy(string path) =>
        Array.Find(s_known, provider => IsNamed(path, provider)) is var provider and not ExecutionProvider.Cpu
            ? provider
            : ExecutionProvider.Plugin;

    private static string? LibraryFor(OnnxSessionOptions options) =>
        options.ProviderLibrary
        ?? (
            options.ExecutionProvider != ExecutionProvider.OpenVINO
            && OnnxRuntimeLibrary.AvailableProviders.Contains(ExecutionProviderChoice.ListedName(options.ExecutionProvider))
                ? null
                : Find().FirstOrDefault(file => IsNamed(file, options.ExecutionProvider))
        );

    /// <summary>Whether a library is called as one with a provider.</summary>
    internal static bool IsNamed(string path, ExecutionProvider provider) =>
        Path.GetFileName(path).Contains("providers_" + WordOf(provider), StringComparison.OrdinalIgnoreCase);

    private static string WordOf(ExecutionProvider provider) =>
        ExecutionProviderChoice.ListedName(provider).Replace("ExecutionProvider", "", StringComparison.Ordinal);

    private static string Requirement(string path) =>
        Path.GetFileName(path).Contains("openvino", StringComparison.OrdinalIgnoreCase)
            ? "OpenVINO supports only Intel processors, graphics cards and accelerators. "
            : "";

    private static DemucsException Invalid(string path, string fault, string remedy, Exception? cause, params Remedy[] remedies) =>
        new(DemucsError.ProviderLibraryInvalid, $"The plug-in library '{path}' {fault} {remedy}", path, cause) { Remedies = remedies };
}
