using System.Numerics;
using System.Runtime.CompilerServices;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// Noise with a triangular distribution over (-1, 1) quantisation steps: the sum of two independent uniform draws of one
/// step each. It makes mean and variance of the rounding error independent of the signal (Lipshitz, Wannamaker, Vanderkooy,
/// "Quantization and Dither: A Theoretical Survey", JAES 1992).
/// </summary>
/// <remarks>The draws are SplitMix64's, so that a seed gives the same file on every runtime and version.</remarks>
internal struct TriangularDither(int seed)
{
    private const ulong Step = 0x9E37_79B9_7F4A_7C15;
    private const double Scale = 1.0 / 4_294_967_296, Centre = 4_294_967_295.0 / 4_294_967_296;

    private ulong _state = unchecked((ulong)seed);

    /// <summary>The next draws, in quantisation steps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(Span<double> draws)
    {
        unchecked
        {
            Span<double> last = stackalloc double[Vector<double>.Count];
            Vector<ulong> states = new Vector<ulong>(_state) + (Vector<ulong>.Indices + Vector<ulong>.One) * Step;
            _state += Step * (ulong)draws.Length;
            for (; draws.Length > 0; draws = draws[Math.Min(Vector<double>.Count, draws.Length)..])
            {
                Vector<ulong> bits = states;
                states += new Vector<ulong>(Step * (ulong)Vector<ulong>.Count);
                bits = (bits ^ (bits >>> 30)) * 0xBF58_476D_1CE4_E5B9;
                bits = (bits ^ (bits >>> 27)) * 0x94D0_49BB_1331_11EB;
                bits ^= bits >>> 31;
                // Of 32 bits each, so that they are the same numbers with a sign.
                Vector<double> lower = Vector.ConvertToDouble(Vector.AsVectorInt64(bits & new Vector<ulong>(uint.MaxValue))), upper = Vector.ConvertToDouble(Vector.AsVectorInt64(bits >>> 32));
                Vector<double> next = (lower + upper) * Scale - new Vector<double>(Centre);
                if (next.TryCopyTo(draws))
                    continue;
                next.CopyTo(last);
                last[..draws.Length].CopyTo(draws);
            }
        }
    }
}
