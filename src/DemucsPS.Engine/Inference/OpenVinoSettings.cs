using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Engine.Inference;

/// <summary>The options of OpenVINO's provider. Left to itself it computes in 16-bit floats wherever the device has them, so the precision is always said.</summary>
internal static class OpenVinoSettings
{
    private const string ConfigOption = "load_config", PrecisionKey = "INFERENCE_PRECISION_HINT", ThreadsKey = "INFERENCE_NUM_THREADS";

    /// <summary>Whether a device is one of OpenVINO's, be it asked for by that name or not.</summary>
    public static bool Takes(PluginDevice device) => device.Provider.StartsWith("OpenVINO", StringComparison.Ordinal);

    /// <summary>Whether a device computes in bfloat16 by itself.</summary>
    public static bool HasBFloat16(PluginDevice device) => (device.ProviderMetadata.GetValueOrDefault("OPTIMIZATION_CAPABILITIES") ?? "").Split([' ', ','], StringSplitOptions.RemoveEmptyEntries).Contains("BF16");

    /// <summary>The options with what is not said in them.</summary>
    /// <param name="given">Those of the user.</param>
    /// <param name="device">What runs the model.</param>
    /// <param name="precision">In what numbers.</param>
    /// <param name="threads">Of the processor.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ParameterInvalid"/>: the configuration is no JSON object, or says another precision; <see cref="DemucsError.ExecutionProviderUnavailable"/>: the device lacks the precision.
    /// </exception>
    public static Dictionary<string, string> Complete(IReadOnlyDictionary<string, string> given, PluginDevice device, ModelPrecision precision, int threads)
    {
        if (precision == ModelPrecision.BFloat16 && !HasBFloat16(device))
        {
            throw new DemucsException(DemucsError.ExecutionProviderUnavailable,
                $"The device {ProviderLibraries.Describe(device)} ({device.Vendor}) does not compute in bfloat16 by itself, so the precision {precision} would gain nothing: of a processor it takes AVX512_BF16 or AMX_BF16. Use the precision {ModelPrecision.Full}.");
        }
        JsonObject config = Parse(given.GetValueOrDefault(ConfigOption));
        // GPU.1 is configured as any GPU.
        string name = ProviderLibraries.Names([device])[0].Split('.')[0];
        if (config[name] is not JsonObject own)
            config[name] = own = [];
        string hint = precision == ModelPrecision.BFloat16 ? "bf16" : "f32";
        if (own[PrecisionKey]?.ToString() is { } said && !said.Equals(hint, StringComparison.OrdinalIgnoreCase))
        {
            throw new DemucsException(DemucsError.ParameterInvalid,
                $"The option {ConfigOption} says {PrecisionKey} = '{said}', which is not the precision {precision}. Leave it out, and choose the precision by its own parameter.");
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
            // As any other text that is no object.
        }
        throw new DemucsException(DemucsError.ParameterInvalid, $$$"""The option {{{ConfigOption}}} is '{{{text}}}', which is no JSON object of OpenVINO's settings by device, such as {"CPU": {"NUM_STREAMS": "1"}}.""");
    }
}
