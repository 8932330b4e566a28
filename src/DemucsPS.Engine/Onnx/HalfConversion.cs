using System.Numerics;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Onnx;

/// <summary>
/// Conversion between float32 and float16 (IEEE 754 binary16), several values at once, with the results of the casts of <see cref="Half"/>.
/// </summary>
internal static class HalfConversion
{
    private const uint SignBit = 0x8000_0000,
        InfinityBits = 0x7F80_0000;

    /// <summary>Widens; exact. A NaN stays one.</summary>
    public static void ToSingle(ReadOnlySpan<Half> source, Span<float> target)
    {
        ReadOnlySpan<ushort> bits = MemoryMarshal.Cast<Half, ushort>(source);
        int i = 0;
        for (; i <= bits.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(bits[i..]), out Vector<uint> low, out Vector<uint> high);
            Widen(low).CopyTo(target[i..]);
            Widen(high).CopyTo(target[(i + Vector<uint>.Count)..]);
        }
        for (; i < source.Length; i++)
            target[i] = (float)source[i];
    }

    /// <summary>Narrows, rounding to the nearest, halves to even; beyond ±65,519 to infinity. A NaN stays one.</summary>
    public static void ToHalf(ReadOnlySpan<float> source, Span<Half> target)
    {
        Span<ushort> bits = MemoryMarshal.Cast<Half, ushort>(target);
        int i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector<uint> low = Narrow(new Vector<float>(source[i..])),
                high = Narrow(new Vector<float>(source[(i + Vector<float>.Count)..]));
            Vector.Narrow(low, high).CopyTo(bits[i..]);
        }
        for (; i < source.Length; i++)
            target[i] = (Half)source[i];
    }

    private static Vector<float> Widen(Vector<uint> half)
    {
        // With the fields moved to their places the value is 2^112 times too small, subnormal halves included: they become subnormal
        // floats.
        Vector<uint> magnitude = (half & new Vector<uint>(0x7FFF)) << 13;
        Vector<float> scaled = Vector.AsVectorSingle(magnitude) * new Vector<float>(BitConverter.UInt32BitsToSingle((127u + 112) << 23));
        Vector<uint> special = Vector.GreaterThanOrEqual(magnitude, new Vector<uint>(0x7C00u << 13));
        Vector<uint> finite = Vector.ConditionalSelect(special, magnitude | new Vector<uint>(InfinityBits), Vector.AsVectorUInt32(scaled));
        return Vector.AsVectorSingle(finite | ((half & new Vector<uint>(0x8000)) << 16));
    }

    private static Vector<uint> Narrow(Vector<float> single)
    {
        Vector<uint> bits = Vector.AsVectorUInt32(single),
            sign = bits & new Vector<uint>(SignBit),
            magnitude = bits & new Vector<uint>(~SignBit);
        // Adding 0.5 puts the last bit of a subnormal half at the last bit of the sum, so the addition rounds.
        Vector<uint> half = new(BitConverter.SingleToUInt32Bits(0.5f));
        Vector<uint> subnormal = Vector.AsVectorUInt32(Vector.AsVectorSingle(magnitude) + Vector.AsVectorSingle(half)) - half;
        // Otherwise the exponent is moved by 112, and what rounds half to even is added below the last bit that stays; a carry into the
        // exponent is right.
        Vector<uint> odd = (magnitude >> 13) & Vector<uint>.One;
        Vector<uint> normal = (magnitude - new Vector<uint>(112u << 23) + new Vector<uint>(0xFFF) + odd) >> 13;
        Vector<uint> special = Vector.ConditionalSelect(
            Vector.GreaterThan(magnitude, new Vector<uint>(InfinityBits)),
            new Vector<uint>(0x7E00),
            new Vector<uint>(0x7C00)
        );
        Vector<uint> result = Vector.ConditionalSelect(Vector.LessThan(magnitude, new Vector<uint>(113u << 23)), subnormal, normal);
        result = Vector.ConditionalSelect(Vector.GreaterThanOrEqual(magnitude, new Vector<uint>(143u << 23)), special, result);
        return result | (sign >> 16);
    }
}
