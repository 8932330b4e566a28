using System.Buffers.Binary;
using System.Text.Json.Nodes;

namespace DemucsPS.Engine.Tests.Models.Weights;

/// <summary>
/// The small HTDemucs of <c>tests/fixtures/official/little.py</c>: every kind of layer, segments of 1.5 s, weights in float16.
/// </summary>
internal static class LittleModel
{
    public const int Segment = 66_150;

    public static string Folder { get; } = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "official", "models");

    public static string File { get; } = Path.Combine(Folder, "little.safetensors");

    public static string Bag { get; } = Path.Combine(Folder, "little-bag.yaml");

    /// <summary>
    /// The same model saved anew: other bytes, since the metadata comes in another order and the tensors in the other direction, and the
    /// same tensors.
    /// </summary>
    public static byte[] SavedAnew() =>
        Edited(static header =>
        {
            JsonObject old = header["__metadata__"]!.AsObject(),
                turned = [];
            foreach ((string name, JsonNode? value) in old.Reverse().ToArray())
                turned[name] = value!.DeepClone();
            header["__metadata__"] = turned;
        });

    /// <summary>The file with another header.</summary>
    public static byte[] Edited(Action<JsonObject> edit)
    {
        byte[] file = System.IO.File.ReadAllBytes(File);
        int end = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        JsonObject header = JsonNode.Parse(file.AsSpan(8, end - 8))!.AsObject();
        edit(header);
        byte[] json = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString()),
            length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json, .. file.AsSpan(end)];
    }

    /// <summary>The file with another value of a keyword argument.</summary>
    public static byte[] With(string keyword, JsonNode? value) =>
        Edited(header =>
        {
            JsonObject keywords = JsonNode.Parse((string)header["__metadata__"]!["kwargs"]!)!.AsObject();
            keywords[keyword] = value;
            header["__metadata__"]!["kwargs"] = keywords.ToJsonString();
        });
}
