using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using DemucsPS.Engine.Models.Weights;

namespace DemucsPS.Engine.Tests.Models.Weights;

/// <summary>Makes safetensors files.</summary>
internal sealed class SafetensorsBytes
{
    private readonly List<(string Name, string Type, int[] Shape, byte[] Bytes)> _tensors = [];

    public List<(string Key, string Value)> Metadata { get; } = [];

    /// <summary>The metadata of a model, its keyword arguments in JSON.</summary>
    public static SafetensorsBytes Of(string keywords, string klass = "demucs.htdemucs.HTDemucs", string args = "[]")
    {
        SafetensorsBytes file = new();
        file.Metadata.AddRange([("klass", klass), ("args", args), ("kwargs", keywords)]);
        return file;
    }

    /// <summary>A model of one tensor, with the usual stems.</summary>
    public static SafetensorsBytes Small() =>
        Of(
                """{"sources": ["drums", "bass", "other", "vocals"], "channels": 8, "segment": {"_type": "fraction", "numerator": 39, "denominator": 5}}"""
            )
            .With("encoder.0.conv.weight", WeightType.Float32, [2, 3], [1, -2, 3, 0.5f, 0, -0.25f]);

    public SafetensorsBytes With(string name, WeightType type, int[] shape, params float[] values)
    {
        byte[] bytes = type switch
        {
            WeightType.Float32 => MemoryMarshal.AsBytes(values.AsSpan()).ToArray(),
            WeightType.Float16 => MemoryMarshal.AsBytes(values.Select(v => (Half)v).ToArray().AsSpan()).ToArray(),
            _ => MemoryMarshal.AsBytes(values.Select(v => (ushort)(BitConverter.SingleToUInt32Bits(v) >> 16)).ToArray().AsSpan()).ToArray(),
        };
        return With(
            name,
            type switch
            {
                WeightType.Float32 => "F32",
                WeightType.Float16 => "F16",
                _ => "BF16",
            },
            shape,
            bytes
        );
    }

    public SafetensorsBytes With(string name, string type, int[] shape, byte[] bytes)
    {
        _tensors.Add((name, type, shape, bytes));
        return this;
    }

    /// <summary>The file.</summary>
    /// <param name="edit">Changes the header's JSON before it is written; its length is that of what comes back.</param>
    public byte[] ToBytes(Func<string, string>? edit = null)
    {
        List<string> entries =
            Metadata.Count == 0 ? [] : [$"\"__metadata__\":{{{string.Join(',', Metadata.Select(m => $"{Text(m.Key)}:{Text(m.Value)}"))}}}"];
        long at = 0;
        foreach ((string name, string type, int[] shape, byte[] bytes) in _tensors)
        {
            entries.Add(
                $"{Text(name)}:{{\"dtype\":\"{type}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{at},{at + bytes.Length}]}}"
            );
            at += bytes.Length;
        }
        string json = $"{{{string.Join(',', entries)}}}";
        byte[] header = Encoding.UTF8.GetBytes(edit is null ? json.PadRight((json.Length + 7) / 8 * 8) : edit(json)),
            length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. header, .. _tensors.SelectMany(t => t.Bytes)];
    }

    /// <summary>
    /// Makes a damaged file's lengths fit again, so that what lies behind them is reached, too: that of the header, and that of the
    /// tensors' bytes.
    /// </summary>
    public static byte[] Mend(byte[] file)
    {
        int end = file.AsSpan().LastIndexOf("]}}"u8) + 3;
        if (end < 11)
            return file;
        long bytes = Regex
            .Matches(Encoding.Latin1.GetString(file, 0, end), "\"data_offsets\":\\[[0-9]+,([0-9]{1,5})\\]")
            .Select(m => long.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture))
            .DefaultIfEmpty()
            .Max();
        byte[] mended = new byte[end + bytes];
        file.AsSpan(0, Math.Min(file.Length, mended.Length)).CopyTo(mended);
        BinaryPrimitives.WriteInt64LittleEndian(mended, end - 8);
        return mended;
    }

    private static string Text(string text) => JsonSerializer.Serialize(text);
}
