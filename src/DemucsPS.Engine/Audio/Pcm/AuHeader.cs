using System.Buffers.Binary;
using System.Globalization;

namespace DemucsPS.Engine.Audio.Pcm;

/// <summary>
/// Little-endian AU files, which begin with "dns." instead of ".snd" (Sun's and NeXT's format as DEC wrote it, and as SoX and libsndfile
/// still do). ffmpeg does not know them, and takes those of 64 bits for a telephone's recording; the usual ones it reads.
/// </summary>
internal static class AuHeader
{
    private const int LeastBytes = 24;

    /// <summary>Whether a file begins like one.</summary>
    public static bool IsLittleEndian(ReadOnlySpan<byte> start) => start.StartsWith("dns."u8);

    /// <summary>Reads it. The source stands at the first sample then.</summary>
    /// <param name="source">The file at its first byte.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>, or <see cref="DemucsError.AudioFormatUnsupported"/>
    /// for compressed samples.</exception>
    public static PcmFile Read(ByteSource source)
    {
        Span<byte> bytes = stackalloc byte[LeastBytes];
        if (source.Read(bytes) < bytes.Length)
            throw PcmFile.Corrupt(source, "is cut short in its header");
        uint start = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
            size = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
            encoding = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
        uint rate = BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]),
            channels = BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]);
        PcmFile.CheckForm(source, channels, rate);
        if (start < LeastBytes)
            throw PcmFile.Corrupt(source, $"is damaged: its samples begin inside its header, at byte {start}");
        (PcmEncoding stored, string codec) = encoding switch
        {
            1 => (PcmEncoding.MuLaw, "µ-law"),
            >= 2 and <= 5 => (PcmForm.Integer((int)encoding - 1), $"PCM {8 * (encoding - 1)} bit"),
            6 => (PcmEncoding.Float32, "float 32 bit"),
            7 => (PcmEncoding.Float64, "float 64 bit"),
            27 => (PcmEncoding.ALaw, "A-law"),
            _ => throw new DemucsException(
                DemucsError.AudioFormatUnsupported,
                $"'{source.Path}' is a little-endian AU file with encoding {encoding}, which is not supported. Convert it: sox in.au -e signed -b 16 out.wav",
                source.Path
            ),
        };
        source.Skip(start - LeastBytes);
        PcmForm form = new(stored, (int)rate, (int)channels, $"AU {codec}, little-endian");
        List<string> warnings = [];
        long? there = source.Remaining;
        if (size != uint.MaxValue && there > size)
        {
            warnings.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{source.Path}' has {there - size:N0} bytes after its samples. They are ignored."
                )
            );
            if (size == 0)
            {
                warnings =
                [
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"'{source.Path}' declares 0 bytes of samples, as after a recorder's power loss. All {there / form.FrameBytes:N0} frames to the end of the file are read."
                    ),
                ];
                return new PcmFile([new PcmPart(form, source.Position, there)], new AudioTagBuilder(), warnings);
            }
        }

        return new PcmFile([new PcmPart(form, source.Position, size == uint.MaxValue ? there : size)], new AudioTagBuilder(), warnings);
    }
}
