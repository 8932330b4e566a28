using System.Globalization;
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

    /// <summary>Frames a second of the files, 8,000 to 384,000; null for the rate of each track's source, and exactly its length.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: out of range.</exception>
    public int? SampleRate
    {
        get;
        init => field = value is null or (>= 8_000 and <= 384_000)
            ? value
            : throw new DemucsException(DemucsError.ParameterInvalid, $"The sample rate of the stems is {value}; it can be 8000 to 384000 Hz, or 'Source' for the source's own.");
    } = Separator.SampleRate;

    /// <summary>Whether the stems of a track with one channel have one channel, the mean of the two that were separated.</summary>
    public bool KeepMono { get; init; }

    internal ClipMode ClipInEffect => Clip ?? (Sample == WavSampleFormat.Float32 ? ClipMode.None : ClipMode.Rescale);

    internal int BytesPerSample => Sample switch
    {
        WavSampleFormat.Pcm16 => 2,
        WavSampleFormat.Pcm24 => 3,
        _ => 4,
    };

    /// <summary>A rate as a user gives it.</summary>
    /// <param name="text">A number of Hz, or <c>Source</c> in any case.</param>
    /// <returns>What <see cref="SampleRate"/> takes: null for the source's own.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: neither.</exception>
    public static int? ParseSampleRate(string text)
    {
        if (string.Equals(text, "Source", StringComparison.OrdinalIgnoreCase))
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int rate)
            ? rate
            : throw new DemucsException(DemucsError.ParameterInvalid, $"The sample rate of the stems is '{text}'; it can be a number of Hz such as 48000, or 'Source' for the source's own.");
    }

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
