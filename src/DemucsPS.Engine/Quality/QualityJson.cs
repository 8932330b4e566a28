using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DemucsPS.Engine.Quality;

/// <summary>Figures as JSON: one line per track. What is not a figure is null; what is infinite is <c>"Infinity"</c>.</summary>
public static class QualityJson
{
    private const string Infinity = "Infinity",
        MinusInfinity = "-Infinity";

    // Names of any script stay readable; the output is not embedded in HTML.
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A track on one line.</summary>
    public static string Write(TrackQuality quality) => Encoding.UTF8.GetString(ToBytes(quality, identity: null));

    /// <summary>The same with what it was measured of.</summary>
    internal static byte[] ToBytes(TrackQuality quality, string? identity)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer, s_options))
        {
            writer.WriteStartObject();
            writer.WriteString("track", quality.Track);
            if (quality.Model is not null)
                writer.WriteString("model", quality.Model);
            writer.WriteStartObject("stems");
            foreach (StemQuality stem in quality.Stems)
            {
                writer.WriteStartObject(stem.StemName);
                Figures(writer, stem.Sdr, stem.Isr, stem.Sir, stem.Sar);
                Figure(writer, "nSdr", stem.NSdr);
                Figure(writer, "siSdr", stem.SiSdr);
                writer.WriteString("estimate", stem.EstimatePath);
                writer.WriteString("reference", stem.ReferencePath);
                writer.WriteStartArray("frames");
                foreach (FrameQuality frame in stem.Frames)
                {
                    writer.WriteStartObject();
                    writer.WriteNumber("time", frame.Start.TotalSeconds);
                    writer.WriteNumber("duration", frame.Duration.TotalSeconds);
                    Figures(writer, frame.Sdr, frame.Isr, frame.Sir, frame.Sar);
                    writer.WriteEndObject();
                }
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
            Figure(writer, "nullTestDb", quality.NullTestDb);
            writer.WriteNumber("sampleRate", quality.SampleRate);
            writer.WriteNumber("channels", quality.Channels);
            writer.WriteNumber("duration", quality.Duration.TotalSeconds);
            writer.WriteNumber("elapsed", quality.Elapsed.TotalSeconds);
            writer.WriteStartArray("warnings");
            foreach (string warning in quality.Warnings)
                writer.WriteStringValue(warning);
            writer.WriteEndArray();
            if (identity is not null)
                writer.WriteString("identity", identity);
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> has written.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    internal static (TrackQuality Quality, string? Identity) Parse(ReadOnlyMemory<byte> json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        try
        {
            JsonElement root = document.RootElement;
            string track = root.GetProperty("track").GetString()!;
            string? model = root.TryGetProperty("model", out JsonElement above) ? above.GetString() : null;
            TrackQuality quality = new()
            {
                Track = track,
                Model = model,
                Stems = root.GetProperty("stems")
                    .EnumerateObject()
                    .Select(stem => new StemQuality
                    {
                        Track = track,
                        Model = model,
                        StemName = stem.Name,
                        Sdr = Number(stem.Value, "sdr"),
                        Isr = Number(stem.Value, "isr"),
                        Sir = Number(stem.Value, "sir"),
                        Sar = Number(stem.Value, "sar"),
                        NSdr = Number(stem.Value, "nSdr"),
                        SiSdr = Number(stem.Value, "siSdr"),
                        EstimatePath = stem.Value.GetProperty("estimate").GetString()!,
                        ReferencePath = stem.Value.GetProperty("reference").GetString()!,
                        Frames = new FrameQualities([
                            .. stem
                                .Value.GetProperty("frames")
                                .EnumerateArray()
                                .Select(f => new FrameQuality(
                                    Seconds(f, "time"),
                                    Seconds(f, "duration"),
                                    Number(f, "sdr"),
                                    Number(f, "isr"),
                                    Number(f, "sir"),
                                    Number(f, "sar")
                                )),
                        ]),
                    })
                    .ToArray(),
                NullTestDb = Number(root, "nullTestDb"),
                SampleRate = root.GetProperty("sampleRate").GetInt32(),
                Channels = root.GetProperty("channels").GetInt32(),
                Duration = Seconds(root, "duration"),
                Elapsed = Seconds(root, "elapsed"),
                Warnings = root.GetProperty("warnings").EnumerateArray().Select(w => w.GetString()!).ToArray(),
                Resumed = true,
            };
            return (quality, root.TryGetProperty("identity", out JsonElement identity) ? identity.GetString() : null);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new JsonException(e.Message, e);
        }
    }

    private static void Figures(Utf8JsonWriter writer, double? sdr, double? isr, double? sir, double? sar)
    {
        Figure(writer, "sdr", sdr);
        Figure(writer, "isr", isr);
        Figure(writer, "sir", sir);
        Figure(writer, "sar", sar);
    }

    private static void Figure(Utf8JsonWriter writer, string name, double? figure)
    {
        if (figure is not { } value)
            writer.WriteNull(name);
        else if (double.IsInfinity(value))
            writer.WriteString(name, value > 0 ? Infinity : MinusInfinity);
        else
            writer.WriteNumber(name, value);
    }

    private static double? Number(JsonElement parent, string name)
    {
        JsonElement value = parent.GetProperty(name);
        return value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => value.GetString() == Infinity ? double.PositiveInfinity : double.NegativeInfinity,
            _ => value.GetDouble(),
        };
    }

    private static TimeSpan Seconds(JsonElement parent, string name) =>
        // To the nearest tick: FromSeconds cuts off, and what was written would come back a tick shorter.
        TimeSpan.FromTicks((long)Math.Round(parent.GetProperty(name).GetDouble() * TimeSpan.TicksPerSecond));
}
