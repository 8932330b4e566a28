using System.Globalization;
using DemucsPS.Engine.Machine;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Engine.Inference;

/// <summary>What models can run on here.</summary>
public static class ExecutionDevices
{
    /// <summary>
    /// Every execution provider that is known, and every device of each plug-in library, those that cannot be used with the reason. Each is
    /// tried with a model of one node, so plug-in libraries are
    /// loaded. The CPU comes first.
    /// </summary>
    /// <param name="libraries">Full paths of further plug-in libraries than those in <see cref="ProviderLibraries.Folder"/>.</param>
    /// <param name="say">Makes a reason of an error, with what can be done in the terms of whoever asks; null for its message alone.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.OnnxRuntimeUnavailable"/>: no usable library; <see cref="DemucsError.ProviderLibraryInvalid"/> or
    /// <see cref="DemucsError.ParameterInvalid"/>: the folder cannot be read, or is not a full path.
    /// </exception>
    public static IReadOnlyList<ExecutionDevice> List(IReadOnlyList<string> libraries, Func<DemucsException, string>? say = null)
    {
        List<ExecutionDevice> devices =
        [
            new()
            {
                ExecutionProvider = ExecutionProvider.Cpu,
                Provider = ExecutionProviderChoice.ListedName(ExecutionProvider.Cpu),
                Version = OnnxRuntimeLibrary.Version,
                Device = "CPU",
                Memory = MachineLimits.Memory,
                Precisions = [ModelPrecision.Full, ModelPrecision.Int8],
            },
        ];
        string[] files = [.. libraries.Concat(ProviderLibraries.Find()).Distinct()];
        List<ExecutionDevice> plugins = [.. files.SelectMany(file => InLibrary(file, say))];
        foreach (
            ExecutionProvider provider in (ReadOnlySpan<ExecutionProvider>)
                [ExecutionProvider.Cuda, ExecutionProvider.DirectML, ExecutionProvider.CoreML, ExecutionProvider.WebGpu]
        )
        {
            bool isIn = OnnxRuntimeLibrary.AvailableProviders.Contains(ExecutionProviderChoice.ListedName(provider));
            if (isIn || !plugins.Exists(device => device.ExecutionProvider == provider))
            {
                devices.Add(
                    new ExecutionDevice
                    {
                        ExecutionProvider = provider,
                        Provider = isIn ? ExecutionProviderChoice.ListedName(provider) : null,
                        Version = isIn ? OnnxRuntimeLibrary.Version : null,
                        Precisions = [ModelPrecision.Full],
                        Reason = isIn
                            ? ExecutionProviderChoice.WhyNot(new OnnxSessionOptions { ExecutionProvider = provider })
                            : Said(ExecutionProviderChoice.NotListed(provider), say),
                    }
                );
            }
        }
        if (!plugins.Exists(device => device.ExecutionProvider == ExecutionProvider.OpenVINO))
            devices.Add(
                new ExecutionDevice
                {
                    ExecutionProvider = ExecutionProvider.OpenVINO,
                    Reason = Said(ExecutionProviderChoice.NotListed(ExecutionProvider.OpenVINO), say),
                }
            );
        return [.. devices, .. plugins];
    }

    /// <summary>Every device of one plug-in library; of a library that cannot be used, one with the reason.</summary>
    /// <param name="path">Full path of the library, which is loaded.</param>
    /// <param name="say">As for <see cref="List"/>.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/>: no usable library of the runtime.</exception>
    public static IEnumerable<ExecutionDevice> InLibrary(string path, Func<DemucsException, string>? say = null)
    {
        OnnxRuntimeLibrary.Load();
        PluginDevice[] found;
        ExecutionProvider named = ProviderLibraries.NamedBy(path);
        try
        {
            found = [.. ProviderLibraries.Devices(path)];
            // What nothing fits is said as a separation would say it.
            if (found.Length == 0)
                _ = ProviderLibraries.DeviceFor(new OnnxSessionOptions { ExecutionProvider = named, ProviderLibrary = path });
        }
        catch (DemucsException e)
        {
            return
            [
                new ExecutionDevice
                {
                    ExecutionProvider = named,
                    Library = path,
                    Reason = Said(e, say),
                },
            ];
        }
        return found
            .GroupBy(device => device.Provider)
            .SelectMany(group =>
            {
                PluginDevice[] devices = [.. group];
                return ProviderLibraries.Names(devices).Zip(devices, (name, device) => Describe(path, name, device));
            });
    }

    private static string Said(DemucsException e, Func<DemucsException, string>? say) => say is null ? e.Message : say(e);

    private static ExecutionDevice Describe(string path, string name, PluginDevice device)
    {
        ExecutionProvider provider = ProviderLibraries.ProviderOf(device);
        return new ExecutionDevice
        {
            ExecutionProvider = provider,
            Provider = device.Provider,
            Version = ProviderLibraries.VersionOf(device),
            Device = name,
            Vendor = device.Vendor,
            Description = device.ProviderMetadata.GetValueOrDefault("FULL_DEVICE_NAME")
                ?? device.HardwareMetadata.GetValueOrDefault("Description"),
            Memory = device.Kind == "CPU" ? MachineLimits.Memory : MemoryOf(device),
            Precisions =
                provider == ExecutionProvider.OpenVINO && OpenVinoSettings.HasBFloat16(device)
                    ? [ModelPrecision.Full, ModelPrecision.BFloat16]
                    : [ModelPrecision.Full],
            Library = path,
            Reason = ExecutionProviderChoice.WhyNot(
                new OnnxSessionOptions
                {
                    ExecutionProvider = provider,
                    ProviderLibrary = path,
                    ExecutionProviderOptions = new Dictionary<string, string> { [ProviderLibraries.DeviceOption] = name },
                }
            ),
        };
    }

    /// <summary>What OpenVINO says of graphics cards in bytes, or Windows in megabytes with their name after it.</summary>
    private static long? MemoryOf(PluginDevice device) =>
        long.TryParse(
            device.ProviderMetadata.GetValueOrDefault("GPU_DEVICE_TOTAL_MEM_SIZE"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out long bytes
        )
            ? bytes
        : long.TryParse(
            device.HardwareMetadata.GetValueOrDefault("DxgiVideoMemory")?.Split(' ')[0],
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out long megabytes
        )
            ? megabytes << 20
        : null;
}
