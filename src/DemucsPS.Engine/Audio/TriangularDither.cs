namespace DemucsPS.Engine.Audio;

/// <summary>
/// Noise with a triangular distribution over (-1, 1) quantisation steps: the sum of two independent uniform draws of one
/// step each. It makes mean and variance of the rounding error independent of the signal (Lipshitz, Wannamaker, Vanderkooy,
/// "Quantization and Dither: A Theoretical Survey", JAES 1992).
/// </summary>
/// <remarks>The draws are SplitMix64's, so that a seed gives the same file on every runtime and version.</remarks>
internal struct TriangularDither(int seed)
{
    private ulong _state = unchecked((ulong)seed);

    /// <summary>The next draw, in quantisation steps.</summary>
    public double Next()
    {
        unchecked
        {
            ulong bits = _state += 0x9E37_79B9_7F4A_7C15;
            bits = (bits ^ (bits >> 30)) * 0xBF58_476D_1CE4_E5B9;
            bits = (bits ^ (bits >> 27)) * 0x94D0_49BB_1331_11EB;
            bits ^= bits >> 31;
            return ((uint)bits + (double)(bits >> 32)) * (1.0 / 4_294_967_296) - (4_294_967_295.0 / 4_294_967_296);
        }
    }
}
