using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Inference;

/// <summary>The casts of <see cref="Half"/> are the measure.</summary>
public sealed class HalfConversionTests
{
    [Fact]
    public void Every_half_is_widened_to_its_value()
    {
        Half[] all = [.. Enumerable.Range(0, 65536).Select(bits => BitConverter.UInt16BitsToHalf((ushort)bits))];
        float[] widened = new float[all.Length];
        HalfConversion.ToSingle(all, widened);
        for (int i = 0; i < all.Length; i++)
        {
            if (Half.IsNaN(all[i]))
                Assert.True(float.IsNaN(widened[i]));
            else
                Assert.Equal(BitConverter.SingleToUInt32Bits((float)all[i]), BitConverter.SingleToUInt32Bits(widened[i]));
        }
    }

    [Fact]
    public void Floats_are_rounded_to_the_nearest_half()
    {
        List<float> values =
        [
            0,
            -0f,
            float.MaxValue,
            float.Epsilon,
            float.PositiveInfinity,
            float.NegativeInfinity,
            65504,
            65519.99f,
            65520,
            65536,
            -1e9f,
        ];
        // Every half, what lies just beside it, and what lies between it and the next, where ties are.
        for (int bits = 0; bits < 0x7C00; bits++)
        {
            float half = (float)BitConverter.UInt16BitsToHalf((ushort)bits),
                next = bits == 0x7BFF ? 65536 : (float)BitConverter.UInt16BitsToHalf((ushort)(bits + 1));
            float tie = (half + next) / 2;
            values.AddRange([
                half,
                -half,
                tie,
                -tie,
                BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(tie) + 1),
                BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(tie) - 1),
            ]);
        }
        Half[] narrowed = new Half[values.Count];
        HalfConversion.ToHalf([.. values], narrowed);
        for (int i = 0; i < narrowed.Length; i++)
            Assert.Equal(BitConverter.HalfToUInt16Bits((Half)values[i]), BitConverter.HalfToUInt16Bits(narrowed[i]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(67)]
    public void Lengths_that_fill_no_vector_are_converted_whole(int length)
    {
        float[] values = MemoryTrack.Noise(length, 3).Left,
            back = new float[length];
        Half[] halves = new Half[length];
        HalfConversion.ToHalf(values, halves);
        HalfConversion.ToSingle(halves, back);
        Assert.Equal(values.Select(v => (float)(Half)v), back);
    }

    [Fact]
    public void What_is_no_number_stays_none()
    {
        float[] values = [.. Enumerable.Repeat(float.NaN, 33)],
            back = new float[33];
        Half[] halves = new Half[33];
        HalfConversion.ToHalf(values, halves);
        HalfConversion.ToSingle(halves, back);
        Assert.All(back, v => Assert.True(float.IsNaN(v)));
    }
}
