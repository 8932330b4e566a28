using System.Numerics;
using System.Runtime.CompilerServices;

namespace DemucsPS.Engine.Audio.Pcm;

/// <summary>
/// Noise with a triangular distribution over (-1, 1) quantization steps: the sum of two independent uniform draws of one
/// step each. It makes mean and variance of the rounding error independent of the signal (Lipshitz, Wannamaker, Vanderkooy,
/// "Quantization and Dither: A Theoretical Survey", JAES 1992).
/// </summary>
/// <remarks>The draws are those of <see cref="SplitMix64"/>, so that a seed gives the same file on every runtime and version.</remarks>
internal struct TriangularDither(int seed)
{
    private const double Scale = 1.0 / 4_294_967_296,
        Center = 4_294_967_295.0 / 4_294_967_296;

    private ulong _state = SplitMix64.StateOf(seed);

    /// <summary>The next draws, in quantization steps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(Span<double> draws)
    {
        unchecked
        {
            Span<double> last = stackalloc double[Vector<double>.Count];
            Vector<ulong> states = new Vector<ulong>(_state) + (Vector<ulong>.Indices + Vector<ulong>.One) * SplitMix64.Step;
            _state += SplitMix64.Step * (ulong)draws.Length;
            for (; draws.Length > 0; draws = draws[Math.Min(Vector<double>.Count, draws.Length)..])
            {
                Vector<ulong> bits = SplitMix64.Mix(states);
                states += new Vector<ulong>(SplitMix64.Step * (ulong)Vector<ulong>.Count);
                // Of 32 bits each, so that they are the same numbers with a sign.
                Vector<double> lower = Vector.ConvertToDouble(Vector.AsVectorInt64(bits & new Vector<ulong>(uint.MaxValue))),
                    upper = Vector.ConvertToDouble(Vector.AsVectorInt64(bits >>> 32));
                Vector<double> next = (lower + upper) * Scale - new Vector<double>(Center);
                if (next.TryCopyTo(draws))
                    continue;
                next.CopyTo(last);
                last[..draws.Length].CopyTo(draws);
            }
        }
    }
}
