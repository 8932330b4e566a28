using System.Buffers.Binary;
using DemucsPS.Engine.Models.Weights;

namespace DemucsPS.Engine.Tests.Models.Weights;

/// <summary>Safetensors files: values of all three types, and everything that a damaged, foreign or hostile file may be.</summary>
public sealed class SafetensorsFileTests
{
    [Fact]
    public void Tensors_of_every_type_are_raised_to_float32()
    {
        // More than a block, so that the parts are put together.
        float[] many = [.. Enumerable.Range(0, 40_000).Select(i => (i - 20_000) / 64f)];
        using SafetensorsFile file = Open(
            new SafetensorsBytes()
                .With("half", WeightType.Float16, [3], 1, -65504, 5.9604645e-8f)
                .With("brain", WeightType.BFloat16, [2, 1], -1.5f, 3.3895314e38f)
                .With("single", WeightType.Float32, [], 0.1f)
                .With("many", WeightType.Float16, [200, 200], many)
                .With("none", WeightType.Float32, [0, 4])
                .ToBytes()
        );
        Assert.Equal(["brain", "half", "many", "none", "single"], file.Tensors.Select(t => t.Name));
        Assert.Equal([1, -65504, 5.9604645e-8f], Values(file, "half"));
        Assert.Equal([-1.5f, 3.3895314e38f], Values(file, "brain"));
        Assert.Equal([0.1f], Values(file, "single"));
        Assert.Equal(many.Select(v => (float)(Half)v), Values(file, "many"));
        Assert.Empty(Values(file, "none"));
        WeightTensor brain = file.Find("brain")!;
        byte[] stored = new byte[brain.Bytes];
        file.ReadStored(brain, stored);
        Assert.Equal([0xC0, 0xBF, 0x7F, 0x7F], stored);
        Assert.Equal((WeightType.BFloat16, 2, "2,1"), (brain.Type, brain.Count, string.Join(',', brain.Shape)));
        Assert.Null(file.Find("Half"));
        Assert.Throws<ArgumentException>(() => file.Read(brain, new float[3]));
        Assert.Throws<ArgumentException>(() => file.ReadStored(brain, new byte[3]));
    }

    [Theory]
    [InlineData("beyond the end", "[0,24]", "[0,9223372036854775807]", "at bytes 0 to 9223372036854775807, but the tensors have 24 bytes")]
    [InlineData("more than 64 bits", "[0,24]", "[0,18446744073709551616]", "no 'data_offsets'")]
    [InlineData("turned round", "[0,24]", "[24,0]", "at bytes 24 to 0")]
    [InlineData("below nothing", "[0,24]", "[-24,0]", "no 'data_offsets'")]
    [InlineData("one number", "[0,24]", "[24]", "no 'data_offsets'")]
    [InlineData("a size of 2^60", "[2,3]", "[1073741824,1073741824]", "their product is at most 2147483647")]
    [InlineData("a product that wraps to 6", "[2,3]", "[4294967297,6]", "whole numbers")]
    [InlineData("a negative dimension", "[2,3]", "[-2,-3]", "whole numbers of at least 0")]
    [InlineData("a broken dimension", "[2,3]", "[2.5,3]", "whole numbers")]
    [InlineData("another shape", "[2,3]", "[2,2]", "has 24 bytes, but its shape [2,2] takes 16")]
    [InlineData("too many dimensions", "[2,3]", "[2,3,1,1,1,1,1,1,1]", "at most 8 dimensions")]
    [InlineData("another type", "\"F32\"", "\"F64\"", "stored as F64; F32, F16 and BF16 are supported")]
    [InlineData("no type", "\"dtype\"", "\"type\"", "the unknown entry 'type'")]
    [InlineData("a type twice", "\"dtype\":", "\"dtype\":\"F16\",\"dtype\":", "has 'dtype' twice")]
    [InlineData("no object", "{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}", "7", "not described by a JSON object")]
    [InlineData("no JSON", "\"shape\"", "shape", "its header is not valid JSON")]
    [InlineData("half a character", "encoder", "\\ud800", "not valid Unicode")]
    [InlineData("metadata that is no text", "\"[]\"", "[]", "'args' is not a text")]
    [InlineData("metadata twice", "\"args\"", "\"klass\":\"x\",\"args\"", "metadata has 'klass' twice")]
    [InlineData("metadata that is a list", "\"__metadata__\":{", "\"__metadata__\":[],\"m\":{", "'__metadata__' is not a JSON object")]
    public void A_header_that_says_what_cannot_be_is_refused_by_what_it_says(string what, string old, string @new, string message)
    {
        byte[] bytes = SafetensorsBytes.Small().ToBytes(json => Replaced(json, old, @new));
        DemucsException error = Assert.Throws<DemucsException>(() => Open(bytes));
        Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
        Assert.Contains("'/weights/some.safetensors'", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Contains(message, StringComparison.Ordinal), $"{what}: {error.Message}");
    }

    [Fact]
    public void Tensors_do_not_overlap_nor_leave_bytes_between_them()
    {
        SafetensorsBytes two = new SafetensorsBytes()
            .With("a", WeightType.Float16, [4], 1, 2, 3, 4)
            .With("b", WeightType.Float16, [2], 5, 6);
        Assert.Contains(
            "its tensors 'a' and 'b' overlap",
            Refused(two.ToBytes(json => Replaced(json, "[8,12]", "[6,10]"))),
            StringComparison.Ordinal
        );
        Assert.Contains("overlap", Refused(two.ToBytes(json => Replaced(json, "[8,12]", "[0,4]"))), StringComparison.Ordinal);
        Assert.Contains("it has 4 bytes after its last tensor", Refused([.. two.ToBytes(), 0, 0, 0, 0]), StringComparison.Ordinal);
        Assert.Contains(
            "it has 2 bytes before its tensor 'b'",
            Refused([.. two.ToBytes(json => Replaced(json, "[8,12]", "[10,14]")), 0, 0]),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "its header has 'a' twice",
            Refused(two.ToBytes(json => Replaced(json, "\"b\"", "\"a\""))),
            StringComparison.Ordinal
        );
        Assert.Contains("at bytes 8 to 12, but the tensors have 11 bytes", Refused(two.ToBytes()[..^1]), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_safetensors_file_is_refused_before_memory_is_taken()
    {
        Assert.Contains("shorter than the eight bytes", Refused([]), StringComparison.Ordinal);
        Assert.Contains("shorter than the eight bytes", Refused([1, 2, 3]), StringComparison.Ordinal);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, 1L << 60);
        Assert.Contains(
            "declare a header of 1152921504606846976 bytes",
            Refused(length).Replace("give ", "gives ", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
        BinaryPrimitives.WriteInt64LittleEndian(length, 1000);
        Assert.Contains("ends at byte 8, within its header of 1000 bytes", Refused(length), StringComparison.Ordinal);
        Assert.Contains("damaged or of another kind", Refused("<!DOCTYPE html><html></html>"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("not a JSON object", Refused([2, 0, 0, 0, 0, 0, 0, 0, .. "[]"u8]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(nameof(WeightType.Float32), float.NaN)]
    [InlineData(nameof(WeightType.Float32), float.PositiveInfinity)]
    [InlineData(nameof(WeightType.Float16), float.NaN)]
    [InlineData(nameof(WeightType.Float16), 70000)]
    [InlineData(nameof(WeightType.BFloat16), float.NaN)]
    [InlineData(nameof(WeightType.BFloat16), float.NegativeInfinity)]
    public void A_tensor_with_a_value_that_is_no_finite_number_is_refused_by_its_name(string type, float value)
    {
        using SafetensorsFile file = Open(
            new SafetensorsBytes().With("decoder.1.bias", Enum.Parse<WeightType>(type), [3], 1, value, 2).ToBytes()
        );
        WeightTensor tensor = Assert.Single(file.Tensors);
        string told = Assert.Throws<DemucsException>(() => file.Read(tensor, new float[3])).Message;
        Assert.Contains("'decoder.1.bias'", told, StringComparison.Ordinal);
        Assert.Contains("infinite or NaN", told, StringComparison.Ordinal);
        Assert.Throws<DemucsException>(() => file.ReadStored(tensor, new byte[tensor.Bytes]));
    }

    [Fact]
    public void A_file_that_is_not_there_or_a_folder_is_told()
    {
        using TemporaryFolder folder = new();
        Assert.Equal(
            DemucsError.DemucsModelNotFound,
            Assert.Throws<DemucsException>(() => SafetensorsFile.Open(folder["none.safetensors"])).Error
        );
        Assert.Equal(DemucsError.DemucsModelNotFound, Assert.Throws<DemucsException>(() => SafetensorsFile.Open(folder.Path)).Error);
        File.WriteAllBytes(folder["a.safetensors"], SafetensorsBytes.Small().ToBytes());
        using SafetensorsFile file = SafetensorsFile.Open(folder["a.safetensors"]);
        Assert.Equal([1, -2, 3, 0.5f, 0, -0.25f], Values(file, "encoder.0.conv.weight"));
        Assert.Equal("[]", file.Metadata["args"]);
    }

    internal static string Replaced(string text, string old, string @new)
    {
        Assert.Contains(old, text, StringComparison.Ordinal);
        return text.Replace(old, @new, StringComparison.Ordinal);
    }

    private static SafetensorsFile Open(byte[] bytes) => SafetensorsFile.Open(new MemoryStream(bytes), "/weights/some.safetensors");

    private static string Refused(byte[] bytes) => Assert.Throws<DemucsException>(() => Open(bytes)).Message;

    private static float[] Values(SafetensorsFile file, string name)
    {
        WeightTensor tensor = file.Find(name)!;
        float[] values = new float[tensor.Count];
        file.Read(tensor, values);
        return values;
    }
}
