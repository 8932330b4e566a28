using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Separation;

/// <summary>How stems are written.</summary>
public sealed record StemFormat
{
    /// <summary>16 or 24 bit integers, or 32-bit floats.</summary>
    public WavSampleFormat Sample { get; init; } = WavSampleFormat.Pcm24;

    /// <summary>What happens beyond full scale; null for the usual: <see cref="ClipMode.Rescale"/> for integers, <see cref="ClipMode.None"/> for floats, which cannot clip.</summary>
    public ClipMode? Clip { get; init; }

    /// <summary>
    /// Whether integers get triangular dither of two quantisation steps peak to peak before they are rounded. Always the same noise, so equal input still gives equal files.
    /// </summary>
    public bool Dither { get; init; }

    internal ClipMode ClipInEffect => Clip ?? (Sample == WavSampleFormat.Float32 ? ClipMode.None : ClipMode.Rescale);

    internal int BytesPerFrame => 2 * Sample switch
    {
        WavSampleFormat.Pcm16 => 2,
        WavSampleFormat.Pcm24 => 3,
        _ => 4,
    };

    /// <summary>The format with that many bits a sample.</summary>
    /// <param name="bits">16, 24 or 32 (float).</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: another number.</exception>
    public static WavSampleFormat FromBits(int bits) => bits switch
    {
        16 => WavSampleFormat.Pcm16,
        24 => WavSampleFormat.Pcm24,
        32 => WavSampleFormat.Float32,
        _ => throw new DemucsException(DemucsError.ParameterInvalid, $"The bit depth is {bits}; it can be 16, 24 or 32 (float)."),
    };
}
