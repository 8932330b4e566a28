using Microsoft.ML.OnnxRuntime;

namespace DemucsPS.OnnxRuntime;

/// <summary>What an execution provider of a plug-in library can run models on. Valid until the process ends.</summary>
internal sealed record PluginDevice
{
    /// <summary>The provider's name, such as OpenVINOExecutionProvider.</summary>
    public required string Provider { get; init; }

    /// <summary>What the provider says of itself on this device.</summary>
    public required IReadOnlyDictionary<string, string> ProviderMetadata { get; init; }

    /// <summary>CPU, GPU or NPU.</summary>
    public required string Kind { get; init; }

    /// <summary>The vendor of the hardware.</summary>
    public required string Vendor { get; init; }

    /// <summary>What the runtime has found out about the hardware.</summary>
    public required IReadOnlyDictionary<string, string> HardwareMetadata { get; init; }

    /// <summary>What the runtime knows it by.</summary>
    public OrtEpDevice? Handle { get; init; }

    /// <summary>Reads what the runtime says of a device.</summary>
    public static PluginDevice Of(OrtEpDevice device)
    {
        OrtHardwareDevice hardware = device.HardwareDevice;
        return new PluginDevice
        {
            Provider = device.EpName,
            ProviderMetadata = device.EpMetadata.Entries,
            Kind = hardware.Type.ToString(),
            Vendor = hardware.Vendor,
            HardwareMetadata = hardware.Metadata.Entries,
            Handle = device,
        };
    }
}
