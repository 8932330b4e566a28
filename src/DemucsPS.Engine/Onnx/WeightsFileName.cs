using System.Text;

namespace DemucsPS.Engine.Onnx;

/// <summary>The name of a file with an ONNX model's weights, as it stands in the model.</summary>
internal static class WeightsFileName
{
    /// <summary>Whether a name may be a weights file's: that of a file in the model's folder, or below it.</summary>
    /// <remarks>
    /// The runtime takes some names with an asterisk for addresses in its memory, and ends the process where they are none; no exporter
    /// writes one.
    /// </remarks>
    public static bool IsInside(string name) =>
        name.Length > 0 && !Path.IsPathRooted(name) && !name.AsSpan().ContainsAny('\0', '*') && !name.Split('/', '\\').Contains("..");

    /// <summary>Reads it from a model.</summary>
    /// <exception cref="InvalidDataException">It is not UTF-8, and so no file that .NET could open has that name.</exception>
    public static string Decode(ReadOnlySpan<byte> text)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException("the name of a weights file is not valid UTF-8", e);
        }
    }
}
