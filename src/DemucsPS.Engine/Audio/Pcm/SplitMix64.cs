using System.Numerics;
using System.Runtime.CompilerServices;

namespace DemucsPS.Engine.Audio.Pcm;

/// <summary>
/// The random numbers of this library: SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014). A
/// seed gives the same numbers on every runtime and version, which no generator of the runtime promises.
/// </summary>
internal struct SplitMix64(int seed)
{
    /// <summary>From one state to the next: 2⁶⁴ divided by the golden ratio.</summary>
    public const ulong Step = 0x9E37_79B9_7F4A_7C15;

    /// <summary>The state that a seed stands for; negative seeds are extended to 64 bits.</summary>
    public static ulong StateOf(int seed) => unchecked((ulong)seed);

    /// <summary>Makes random bits of states.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<ulong> Mix(Vector<ulong> states)
    {
        unchecked
        {
            states = (states ^ (states >>> 30)) * 0xBF58_476D_1CE4_E5B9;
            states = (states ^ (states >>> 27)) * 0x94D0_49BB_1331_11EB;
            return states ^ (states >>> 31);
        }
    }

    private ulong _state = StateOf(seed);

    /// <summary>The next number, evenly from 0 to below a bound.</summary>
    /// <param name="bound">At least 1. Its share of 2⁶⁴ is how uneven the numbers are at most: nothing, for the bounds in use.</param>
    public int Next(int bound)
    {
        _state = unchecked(_state + Step);
        return (int)Math.BigMul(Mix(new Vector<ulong>(_state))[0], (ulong)bound, out _);
    }
}
