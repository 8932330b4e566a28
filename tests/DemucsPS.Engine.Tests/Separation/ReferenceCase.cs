using System.Runtime.InteropServices;
using System.Text.Json;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>A case of cases.json: what the official PyTorch pipeline computes for an input, a model and parameters.</summary>
internal sealed class ReferenceCase
{
    private ReferenceCase(JsonElement json)
    {
        Name = json.GetProperty("name").GetString()!;
        JsonElement input = json.GetProperty("input");
        Start = Number(input, "start") ?? 0;
        Frames = Number(input, "frames");
        Gain = input.TryGetProperty("gain", out JsonElement gain) ? gain.GetSingle() : 1;
        Add = input.TryGetProperty("add", out JsonElement add) ? add.GetSingle() : 0;
        Models = [.. json.GetProperty("models").EnumerateArray().Select(m => m.GetString()!)];
        Overlap = json.GetProperty("overlap").GetDouble();
        if (json.GetProperty("shift_offsets") is { ValueKind: JsonValueKind.Array } shifts)
            ShiftOffsets = [.. shifts.EnumerateArray().Select(s => s.GetInt32())];
        Stems = [.. json.GetProperty("stems").EnumerateArray().Select(s => s.GetString()!)];
        if (json.TryGetProperty("weights", out JsonElement weights))
            Weights = [.. weights.EnumerateArray().Select(row => row.EnumerateArray().Select(w => w.GetDouble()).ToArray())];
        ProbeStep = json.GetProperty("probe_step").GetInt32();
        Probes = json.GetProperty("shape")[2].GetInt32();
        Values = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(RepositoryFiles.Reference("expected", json.GetProperty("file").GetString()!))).ToArray();
    }

    public string Name { get; }
    public int Start { get; }
    public int? Frames { get; }
    public float Gain { get; }
    public float Add { get; }
    public string[] Models { get; }
    public double Overlap { get; }
    public int[]? ShiftOffsets { get; }
    public string[] Stems { get; }
    public double[][]? Weights { get; }
    public int ProbeStep { get; }
    public int Probes { get; }

    /// <summary>[stem][channel][probe].</summary>
    public float[] Values { get; }

    public MemoryTrack Input() => MemoryTrack.Song(Start, Frames, Gain, Add);

    public static ReferenceCase Load(string name)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Reference("expected", "cases.json")));
        return new ReferenceCase(document.RootElement.GetProperty("cases").EnumerateArray().Single(c => c.GetProperty("name").GetString() == name));
    }

    private static int? Number(JsonElement parent, string name) => parent.TryGetProperty(name, out JsonElement value) ? value.GetInt32() : null;
}
