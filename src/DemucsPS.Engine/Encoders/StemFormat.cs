using System.Globalization;
using DemucsPS.Engine.Audio.Wav;

namespace DemucsPS.Engine.Encoders;

/// <summary>How stems are written.</summary>
public sealed record StemFormat
{
    /// <summary>The kind of file.</summary>
    public StemFileFormat File { get; init; }

    /// <summary>16 or 24 bit integers, or (WAV only) 32-bit floats. Formats with losses take floats, whatever is set here.</summary>
    public WavSampleFormat Sample { get; init; } = WavSampleFormat.Pcm24;

    /// <summary>Bit rate of formats with losses in kbit/s; null for the usual: MP3 320, AAC 256, Opus 192.</summary>
    public int? BitRate { get; init; }

    /// <summary>Quality of MP3 with a variable bit rate: 0 (best) … 9; null for a constant one.</summary>
    public int? Quality { get; init; }

    /// <summary>
    /// What happens beyond full scale; null for the usual: <see cref="ClipMode.None"/> for 32-bit floats, which cannot clip,
    /// <see cref="ClipMode.Rescale"/> for all others.
    /// </summary>
    public ClipMode? Clip { get; init; }

    /// <summary>
    /// Whether integers get triangular dither of two quantization steps peak to peak before they are rounded. Always the same noise, so
    /// equal input still gives equal files. Floats, which
    /// formats with losses take, too, get none.
    /// </summary>
    public bool Dither { get; init; }

    /// <summary>
    /// Frames per second of the files, 8,000 to 384,000; null for the rate of each track's source, and exactly its length. MP3 and AAC have
    /// some rates only: null then stands for the next one that
    /// they have, and the track's length at that. Opus files have 48,000 always, whatever the encoder is given.
    /// </summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: out of range.</exception>
    public int? SampleRate
    {
        get;
        init =>
            field = value is null or (>= 8_000 and <= 384_000)
                ? value
                : throw Wrong(
                    $"The sample rate of the stems is {value}; it must be 8000 to 384000 Hz, or 'Source' for the source's rate.",
                    EngineParameter.SampleRate
                );
    } = DemucsAudio.SampleRate;

    /// <summary>Whether the stems of a track with one channel have one channel, the mean of the two that were separated.</summary>
    public bool KeepMono { get; init; }

    internal ClipMode ClipInEffect =>
        Clip ?? (File == StemFileFormat.Wav && Sample == WavSampleFormat.Float32 ? ClipMode.None : ClipMode.Rescale);

    /// <summary>The extension of the files, with its dot.</summary>
    internal string Extension =>
        File switch
        {
            StemFileFormat.Wav => ".wav",
            StemFileFormat.Flac => ".flac",
            StemFileFormat.Mp3 => ".mp3",
            StemFileFormat.Opus => ".opus",
            StemFileFormat.StemMp4 => ".stem.mp4",
            _ => ".m4a",
        };

    /// <summary>Whether one file contains all stems.</summary>
    internal bool IsOneFile => File == StemFileFormat.StemMp4;

    /// <summary>Whether decoding gives the samples that were encoded.</summary>
    internal bool IsLossless => File is StemFileFormat.Wav or StemFileFormat.Flac or StemFileFormat.Alac;

    internal int BitRateInEffect =>
        BitRate
        ?? File switch
        {
            StemFileFormat.Mp3 => 320,
            StemFileFormat.Opus => 192,
            _ => 256,
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
            : throw Wrong(
                $"The sample rate of the stems is '{text}'; it must be a number of Hz such as 48000, or 'Source' for the source's rate.",
                EngineParameter.SampleRate
            );
    }

    /// <summary>The format with that many bits per sample.</summary>
    /// <param name="bits">16, 24 or 32 (float).</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: another number.</exception>
    public static WavSampleFormat FromBits(int bits) =>
        bits switch
        {
            16 => WavSampleFormat.Pcm16,
            24 => WavSampleFormat.Pcm24,
            32 => WavSampleFormat.Float32,
            _ => throw Wrong($"The bit depth is {bits}; it must be 16, 24 or 32 (float).", EngineParameter.BitDepth),
        };

    /// <summary>A format as users ask for it, checked.</summary>
    /// <param name="file">The kind of file.</param>
    /// <param name="bits">16, 24 or 32 (float); null for the usual, 24.</param>
    /// <param name="bitRate">In kbit/s; null for the usual.</param>
    /// <param name="quality">0 … 9; null for none.</param>
    /// <param name="clip">Null for the usual.</param>
    /// <param name="dither">Whether to dither.</param>
    /// <param name="sampleRate">As <see cref="ParseSampleRate"/> takes it; null for the usual.</param>
    /// <param name="keepMono">Whether mono stays mono.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: a value is out of range, or the kind of file does not
    /// have it.</exception>
    public static StemFormat Create(
        StemFileFormat file,
        int? bits = null,
        int? bitRate = null,
        int? quality = null,
        ClipMode? clip = null,
        bool dither = false,
        string? sampleRate = null,
        bool keepMono = false
    )
    {
        StemFormat format = new()
        {
            File = file,
            Sample = FromBits(bits ?? 24),
            BitRate = bitRate,
            Quality = quality,
            Clip = clip,
            Dither = dither,
            SampleRate = sampleRate is null ? DemucsAudio.SampleRate : ParseSampleRate(sampleRate),
            KeepMono = keepMono,
        };
        format.Check();
        if (!format.IsLossless && bits is not null)
            throw Wrong($"{file} files have no bit depth. Leave it out, or choose Wav, Flac or Alac.", EngineParameter.BitDepth);
        return format;
    }

    /// <summary>Frames per second of the files of a track.</summary>
    /// <param name="sourceRate">Those of its source.</param>
    internal int RateFor(int sourceRate) =>
        SampleRate ?? (SampleRates(File) is { } rates ? rates.FirstOrDefault(rate => rate >= sourceRate, rates[^1]) : sourceRate);

    /// <summary>Whether how many bytes there will be depends on the music, and <see cref="BytesOf"/> gives the most.</summary>
    internal bool BytesAreMost => File is StemFileFormat.Flac or StemFileFormat.Alac || Quality is not null;

    /// <summary>Bytes of one output, without tags and pictures.</summary>
    internal long BytesOf(StemShape shape) =>
        IsLossless
            // Samples that do not fit fewer bits stay unchanged.
            ? shape.Frames
                * shape.Channels
                * Sample switch
                {
                    WavSampleFormat.Pcm16 => 2,
                    WavSampleFormat.Pcm24 => 3,
                    _ => 4,
                }
            : (long)(shape.Frames * ((Quality is null ? BitRateInEffect : BitRates(File).Last()) * 125.0) / shape.SampleRate);

    /// <summary>Refuses settings that contradict each other.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    internal void Check()
    {
        if (File is StemFileFormat.Flac or StemFileFormat.Alac && Sample == WavSampleFormat.Float32)
            throw Wrong(
                $"{File} does not support 32-bit floating point samples. Use 16 or 24 bits, or the format Wav.",
                EngineParameter.BitDepth
            );
        if (IsLossless && BitRate is not null)
            throw Wrong(
                $"{File} is lossless, so it has no bit rate. Leave it out, or choose Mp3, Aac, Opus or StemMp4.",
                EngineParameter.BitRate
            );
        if (Quality is not null && File != StemFileFormat.Mp3)
            throw Wrong(
                $"Quality is only available for Mp3, not for {File}.{(IsLossless ? "" : " Choose a bit rate.")}",
                EngineParameter.Quality
            );
        if (Quality is < 0 or > 9)
            throw Wrong($"The quality is {Quality}; it must be 0 (best) to 9.", EngineParameter.Quality);
        if (Quality is not null && BitRate is not null)
            throw Wrong("Quality and bit rate cannot be combined: with a quality, the bit rate varies. Choose one of them.");
        if (SampleRate is { } hertz && SampleRates(File) is { } rates && !rates.Contains(hertz))
            throw Wrong(
                $"The sample rate of the stems is {hertz}; for {File} it must be {string.Join(", ", rates)} Hz, or 'Source' for the source's rate.",
                EngineParameter.SampleRate
            );
        if (BitRate is { } rate && !BitRates(File).Contains(rate))
        {
            throw Wrong(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The bit rate is {rate}; for {File} it must be {(File == StemFileFormat.Mp3 ? string.Join(", ", BitRates(File)) : $"{BitRates(File).First()} to {BitRates(File).Last()}")} kbit/s."
                ),
                EngineParameter.BitRate
            );
        }
    }

    /// <summary>
    /// Those that MPEG-1 layer III has; what AAC allows for two channels at 44.1 kHz, rounded down; what Opus allows for two channels.
    /// </summary>
    private static IEnumerable<int> BitRates(StemFileFormat file) =>
        file switch
        {
            StemFileFormat.Mp3 => [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
            StemFileFormat.Opus => Enumerable.Range(16, 495),
            _ => Enumerable.Range(32, 481),
        };

    /// <summary>The sample rates of MPEG-1, 2 and 2.5 layer III and of MPEG-4 AAC, ascending; null for formats that take any.</summary>
    private static int[]? SampleRates(StemFileFormat file) =>
        file switch
        {
            StemFileFormat.Mp3 => [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000],
            StemFileFormat.Aac or StemFileFormat.StemMp4 =>
            [
                8000,
                11025,
                12000,
                16000,
                22050,
                24000,
                32000,
                44100,
                48000,
                64000,
                88200,
                96000,
            ],
            _ => null,
        };

    private static DemucsException Wrong(string message, EngineParameter? parameter = null) =>
        new(DemucsError.ParameterInvalid, message) { Parameter = parameter };
}
