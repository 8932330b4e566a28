using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// The options of OpenVINO's provider. Left to itself it computes in 16-bit floats wherever the device has them, so the precision is always
/// said.
/// </summary>
internal static class OpenVinoSettings
{
    private const string ConfigOption = "load_config",
        PrecisionKey = "INFERENCE_PRECISION_HINT",
        ThreadsKey = "INFERENCE_NUM_THREADS";

    /// <summary>Whether a device belongs to OpenVINO, under any name.</summary>
    public static bool Takes(PluginDevice device) => device.Provider.StartsWith("OpenVINO", StringComparison.Ordinal);

    /// <summary>Whether a device supports bfloat16 natively.</summary>
    public static bool HasBFloat16(PluginDevice device) =>
        (device.ProviderMetadata.GetValueOrDefault("OPTIMIZATION_CAPABILITIES") ?? "")
            .Split([' ', ','], StringSplitOptions.RemoveEmptyEntries)
            .Contains("BF16");

    /// <summary>The options, with defaults filled in.</summary>
    /// <param name="given">Those of the user.</param>
    /// <param name="device">What runs the model.</param>
    /// <param name="precision">In what numbers.</param>
    /// <param name="threads">Threads of the CPU.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ParameterInvalid"/>: the configuration is not a JSON object, or says another precision;
    /// <see cref="DemucsError.ExecutionProviderUnavailable"/>: the device lacks the precision.
    /// </exception>
    public static Dictionary<string, string> Complete(
        IReadOnlyDictionary<string, string> given,
        PluginDevice device,
        ModelPrecision precision,
        int threads
    )
    {
        if (precision == ModelPrecision.BFloat16 && !HasBFloat16(device))
        {
            throw new DemucsException(
                DemucsError.ExecutionProviderUnavailable,
                $"The device {ProviderLibraries.Describe(device)} ({device.Vendor}) does not support bfloat16, so the precision {precision} would gain nothing. A processor needs AVX512_BF16 or AMX_BF16 for it. Use the precision {ModelPrecision.Full}."
            );
        }
        JsonObject config = Parse(given.GetValueOrDefault(ConfigOption));
        // GPU.1 is configured as any GPU.
        string name = ProviderLibraries.Names([device])[0].Split('.')[0];
        if (config[name] is not JsonObject own)
            config[name] = own = [];
        string hint = precision == ModelPrecision.BFloat16 ? "bf16" : "f32";
        if (own[PrecisionKey]?.ToString() is { } said && !said.Equals(hint, StringComparison.OrdinalIgnoreCase))
        {
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The option {ConfigOption} sets {PrecisionKey} = '{said}', which is not the precision {precision}. Remove it, and choose the precision with its own parameter."
            );
        }
        own[PrecisionKey] = hint;
        if (device.Kind == "CPU")
            own[ThreadsKey] ??= threads.ToString(CultureInfo.InvariantCulture);
        return new(given) { [ConfigOption] = config.ToJsonString() };
    }

    private static JsonObject Parse(string? text)
    {
        if (text is null)
            return [];
        try
        {
            if (JsonNode.Parse(text) is JsonObject config)
                return config;
        }
        catch (JsonException)
        {
            // As any other text that is not an object.
        }
        throw new DemucsException(
            DemucsError.ParameterInvalid,
            $$$"""The option {{{ConfigOption}}} is '{{{text}}}', which is not a JSON object with OpenVINO's settings by device, such as {"CPU": {"NUM_STREAMS": "1"}}."""
        )
        {
            Parameter = EngineParameter.ProviderOption,
        };
    }
}
