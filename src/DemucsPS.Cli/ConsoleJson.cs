using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DemucsPS.Cli;

/// <summary>How objects are written to stdout where <c>--json</c> asks for them.</summary>
internal static class ConsoleJson
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        // Names of any script stay readable; the output is not embedded in HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new SecondsConverter(), new JsonStringEnumConverter() },
        // A null test can leave nothing at all: -Infinity dB.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>The object on one line.</summary>
    public static string Of<T>(T value) => JsonSerializer.Serialize(value, s_options);
}
