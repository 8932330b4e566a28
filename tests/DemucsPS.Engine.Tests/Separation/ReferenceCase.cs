using System.Runtime.InteropServices;
using System.Text.Json;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>A case of cases.json: what the official PyTorch pipeline computes for an input, a model and parameters.</summary>
internal sealed class ReferenceCase
{
    private ReferenceCase(JsonElement json, Func<string, string> find)
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
        if (json.TryGetProperty("official_float32_db", out JsonElement official))
            OfficialDb = [.. Stems.Select(stem => official.GetProperty(stem).GetDouble())];
        ZerosAfter = Number(input, "zeros_after") ?? 0;
        if (json.TryGetProperty("segment_seconds", out JsonElement segment) && segment.ValueKind == JsonValueKind.Number)
            Segment = segment.GetDouble();
        ProbeStep = json.GetProperty("probe_step").GetInt32();
        Probes = json.GetProperty("shape")[2].GetInt32();
        Values = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(find(json.GetProperty("file").GetString()!))).ToArray();
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
    public int ZerosAfter { get; }

    /// <summary>The chunks' length in seconds; null for the model's own.</summary>
    public double? Segment { get; }

    /// <summary>
    /// How far the official float32 code is from these values, which are computed in float64, by stem; null where they are float32
    /// themselves.
    /// </summary>
    public double[]? OfficialDb { get; }

    public int ProbeStep { get; }
    public int Probes { get; }

    /// <summary>[stem][channel][probe].</summary>
    public float[] Values { get; }

    public MemoryTrack Input() => MemoryTrack.Song(Start, Frames, Gain, Add, ZerosAfter);

    public static ReferenceCase Load(string name) => Load(file => RepositoryFiles.Reference("expected", file), name);

    /// <summary>A case of the official code, see <see cref="OfficialFiles"/>.</summary>
    public static ReferenceCase LoadOfficial(string name) => Load(file => OfficialFiles.Find("expected", file), name);

    private static ReferenceCase Load(Func<string, string> find, string name)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(find("cases.json")));
        return new ReferenceCase(
            document.RootElement.GetProperty("cases").EnumerateArray().Single(c => c.GetProperty("name").GetString() == name),
            find
        );
    }

    /// <summary>The folder with the real-size model (htdemucs.onnx and its unpacked .data file); without it the test is skipped.</summary>
    public static string RealModelFolder()
    {
        const string Variable = "DEMUCSPS_REFERENCE_MODELS";
        string? folder = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(folder))
            Assert.Skip(
                $"The real-size model is not in the repository; set {Variable} to a folder that holds htdemucs.onnx and htdemucs.onnx.data."
            );
        return folder;
    }

    /// <summary>Separates the input with models at these paths.</summary>
    /// <returns>Each stem's ratio of signal to error in dB.</returns>
    public IReadOnlyList<(string Stem, double Snr)> Compare(Func<string, string> modelPath)
    {
        using ModelBag bag = ModelBag.Load([.. Models.Select(m => ModelSource.Find(modelPath(m)))], Weights, new OnnxSessionOptions());
        return Compare(bag);
    }

    /// <summary>Separates the input with loaded models.</summary>
    /// <returns>Each stem's ratio of signal to error in dB.</returns>
    public IReadOnlyList<(string Stem, double Snr)> Compare(ModelBag bag)
    {
        MemoryTrack track = Input();
        Assert.Equal(Stems, bag.Contract.Stems);
        StemMatrix selection = StemMatrix.Choose(bag.Contract.Stems, null);
        Separator separator = new(
            bag,
            selection,
            new SeparationOptions
            {
                Overlap = Overlap,
                Segment = Segment,
                ShiftOffsets = ShiftOffsets,
            }
        );
        TrackStatistics statistics = TrackStatistics.Measure(track.Restarted(), "song");
        MemorySink sink = new(selection.Names.Count);
        separator.Separate(track, "song", statistics, sink, null, CancellationToken.None);

        List<(string, double)> result = [];
        for (int stem = 0; stem < Stems.Length; stem++)
        {
            float[] samples = sink.Interleaved(stem);
            Assert.Equal(2 * track.Frames, samples.Length);
            float[] got = new float[2 * Probes];
            for (int channel = 0; channel < 2; channel++)
            {
                for (int probe = 0; probe < Probes; probe++)
                    got[channel * Probes + probe] = samples[2 * probe * ProbeStep + channel];
            }
            result.Add((Stems[stem], Decibels.Snr(Values.AsSpan(stem * got.Length, got.Length), got)));
        }
        return result;
    }

    private static int? Number(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) ? value.GetInt32() : null;
}
