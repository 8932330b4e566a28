using Microsoft.ML.OnnxRuntime;

namespace DemucsPS.OnnxRuntime;

/// <summary>
/// The plug-in libraries of execution providers that are registered in this process. Only after <see cref="NativeRuntime.Start"/>.
/// </summary>
/// <remarks>
/// Each is registered once, and stays so until the process ends: the runtime does not know which sessions use a library, and taking it away
/// under one ends the process. Nothing would be gained either,
/// for what such libraries load by themselves stays in memory (measured of OpenVINO's).
/// </remarks>
internal static class PluginLibraries
{
    private static readonly Lock s_gate = new();
    private static readonly Dictionary<string, PluginDevice[]> s_registered = [];

    /// <summary>The hardware that the runtime sees, as kind and vendor.</summary>
    public static IReadOnlyList<string> Hardware =>
        RuntimeException.Translate(() =>
            OrtEnv.Instance().GetHardwareDevices().Select(device => $"{device.Type} of {device.Vendor}").ToArray()
        );

    /// <summary>Whether a library was registered.</summary>
    /// <param name="path">Its full path.</param>
    public static bool IsRegistered(string path)
    {
        lock (s_gate)
            return s_registered.ContainsKey(path);
    }

    /// <summary>What a library's providers can run models on here; registers it at its first use.</summary>
    /// <param name="path">Its full path.</param>
    /// <exception cref="RuntimeException">It cannot be loaded, is no such library or does not start.</exception>
    public static IReadOnlyList<PluginDevice> Devices(string path)
    {
        lock (s_gate)
        {
            if (s_registered.TryGetValue(path, out PluginDevice[]? known))
                return known;
            return s_registered[path] = RuntimeException.Translate(() =>
            {
                OrtEnv
                    .Instance()
                    .RegisterExecutionProviderLibrary(FormattableString.Invariant($"{nameof(DemucsPS)}.{s_registered.Count}"), path);
                return OrtEnv
                    .Instance()
                    .GetEpDevices()
                    .Select(PluginDevice.Of)
                    .Where(device => device.ProviderMetadata.GetValueOrDefault("library_path") == path)
                    .ToArray();
            });
        }
    }
}
