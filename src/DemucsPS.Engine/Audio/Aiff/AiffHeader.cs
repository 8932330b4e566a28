using System.Buffers.Binary;
using System.Globalization;
using DemucsPS.Engine.Audio.Id3;
using DemucsPS.Engine.Audio.Pcm;
using DemucsPS.Engine.Audio.Wav;

namespace DemucsPS.Engine.Audio.Aiff;

/// <summary>
/// The chunks of an AIFF or AIFF-C file (Apple, "Audio Interchange File Format" 1.3, and "AIFF-C", draft of 1991): what its samples are,
/// where, and what it says about its music. They may come in any order.
/// </summary>
internal sealed class AiffHeader
{
    private readonly ByteSource _source;
    private readonly AudioTagBuilder _tags = new();
    private readonly List<string> _warnings = [];
    private readonly List<RiffChunk> _tagged = [];

    // What the common chunk says; the samples' form is null for compressed ones.
    private PcmForm? _form;
    private bool _hasForm;
    private long _soundSize = -1;
    private long _soundStart;

    private AiffHeader(ByteSource source) => _source = source;

    /// <summary>Whether it is AIFF, or AIFF-C that stores samples as AIFF does.</summary>
    public bool IsPlain { get; private set; }

    /// <summary>Bits of a sample.</summary>
    public int Bits { get; private set; }

    /// <summary>Frames according to the common chunk.</summary>
    public long Frames { get; private set; }

    /// <summary>Its tags.</summary>
    public AudioTagBuilder Tags => _tags;

    /// <summary>What is odd with it, in sentences for the user, apart from its samples' length.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Whether a file begins like AIFF or AIFF-C.</summary>
    public static bool IsAiff(ReadOnlySpan<byte> start) =>
        start.Length >= 12 && start.StartsWith("FORM"u8) && (start[8..12].SequenceEqual("AIFF"u8) || start[8..12].SequenceEqual("AIFC"u8));

    /// <summary>Reads the chunks of a file that can be moved in.</summary>
    /// <param name="source">The file at its first byte.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/> or <see cref="DemucsError.AudioFormatUnsupported"/>:
    /// no known program reads it correctly.</exception>
    public static AiffHeader Read(ByteSource source)
    {
        AiffHeader header = new(source);
        header.Walk();
        header.ReadTags();
        return header;
    }

    /// <summary>The samples; null for compressed ones.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: there are none, or their format is
    /// unknown.</exception>
    public PcmFile? Samples()
    {
        if (!_hasForm)
            throw PcmFile.Corrupt(_source, "is damaged or cut short: it lacks the description of its samples ('COMM' chunk)");
        if (_form is null)
            return null;
        if (_soundSize < 0)
            throw PcmFile.Corrupt(_source, "is damaged or cut short: it has no samples ('SSND' chunk)");
        List<string> warnings = [.. _warnings];
        long bytes = SampleBytes(_form, what => warnings.Add($"'{_source.Path}' {what}"));
        _source.MoveTo(_soundStart);
        return new PcmFile([new PcmPart(_form, _soundStart, bytes)], _tags, warnings);
    }

    private void Walk()
    {
        Span<byte> start = stackalloc byte[12];
        _source.Read(start);
        bool isCompressible = start[8..].SequenceEqual("AIFC"u8);
        RiffChunks chunks = new(_source, RiffDialect.Aiff);
        long end = _source.Position;
        while (chunks.TryRead(out RiffChunk chunk))
        {
            long used = 0;
            if (chunk.Name == RiffChunk.Form || (!chunks.IsPlausible(chunk) && !chunk.IsKnown))
            {
                string what = chunk.Name == RiffChunk.Form ? "are another file" : "are not a chunk";
                _warnings.Add(
                    $"'{_source.Path}' has {Count(_source.Position + _source.Remaining!.Value - end)} bytes after its last chunk that {what}. They are ignored."
                );
                break;
            }

            if (chunk.Name == RiffChunk.Common && !_hasForm)
                used = ReadCommon(chunk.Size, isCompressible);
            else if (chunk.Name == RiffChunk.Sound && _soundSize < 0)
                used = ReadSound(chunk);
            else if (
                chunk.IsId3
                || chunk.Name == RiffChunk.Title
                || chunk.Name == RiffChunk.Author
                || chunk.Name == RiffChunk.Copyright
                || chunk.Name == RiffChunk.Annotation
            )
                _tagged.Add(chunk);
            // What is after samples of no length are the samples.
            if (!chunks.Skip(chunk.Size, used) || (chunk.Name == RiffChunk.Sound && chunk.Size < used))
                break;
            end = _source.Position + (chunk.Size & 1);
        }

        if (chunks.LacksFilling)
            _warnings.Add($"'{_source.Path}' has a chunk of odd length without its padding byte. Few programs read that.");
    }

    private long ReadCommon(long size, bool isCompressible)
    {
        Span<byte> bytes = stackalloc byte[22];
        int wanted = (int)Math.Min(size, isCompressible ? 22 : 18);
        if (wanted < 18 || _source.Read(bytes[..wanted]) < wanted)
            throw PcmFile.Corrupt(_source, "is cut short in the description of its samples ('COMM' chunk)");
        int channels = BinaryPrimitives.ReadInt16BigEndian(bytes);
        Frames = BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]);
        Bits = BinaryPrimitives.ReadInt16BigEndian(bytes[6..]);
        double rate = Extended(bytes[8..]);
        PcmFile.CheckForm(_source, channels, rate);
        _hasForm = true;
        string compression = wanted == 22 ? System.Text.Encoding.Latin1.GetString(bytes[18..22]) : "NONE";
        IsPlain = compression == "NONE";
        int width = (Bits + 7) / 8;
        (PcmEncoding Encoding, bool IsBig)? stored = compression switch
        {
            "NONE" or "twos" when width is >= 1 and <= 4 => (PcmForm.Integer(width), true),
            "sowt" when width is >= 1 and <= 4 => (PcmForm.Integer(width), false),
            "raw " when width == 1 => (PcmEncoding.UInt8, true),
            "in24" => (PcmEncoding.Int24, true),
            "in32" => (PcmEncoding.Int32, true),
            "42ni" => (PcmEncoding.Int24, false),
            "23ni" => (PcmEncoding.Int32, false),
            "fl32" or "FL32" => (PcmEncoding.Float32, true),
            "fl64" or "FL64" => (PcmEncoding.Float64, true),
            "alaw" or "ALAW" => (PcmEncoding.ALaw, true),
            "ulaw" or "ULAW" => (PcmEncoding.MuLaw, true),
            // ffmpeg takes these for one byte, or two.
            "NONE" or "twos" or "sowt" or "raw " => throw PcmFile.Corrupt(
                _source,
                $"is damaged or unusable: it declares samples of {Bits} bits, stored as '{compression}'"
            ),
            _ => null,
        };
        if (stored is { } form)
        {
            int bits = form.Encoding is PcmEncoding.Int24 or PcmEncoding.Int32
                ? (Bits > 0 && (Bits + 7) / 8 == PcmBytes(form.Encoding) ? Bits : 8 * PcmBytes(form.Encoding))
                : Bits;
            string codec = form.Encoding switch
            {
                PcmEncoding.Float32 => "float 32 bit",
                PcmEncoding.Float64 => "float 64 bit",
                PcmEncoding.ALaw => "A-law",
                PcmEncoding.MuLaw => "µ-law",
                _ => $"{bits} bit{(form.IsBig ? "" : ", little-endian")}",
            };
            _form = new PcmForm(form.Encoding, (int)Math.Round(rate), channels, $"AIFF {codec}") { IsBigEndian = form.IsBig };
        }

        return wanted;
    }

    private static int PcmBytes(PcmEncoding encoding) => encoding == PcmEncoding.Int24 ? 3 : 4;

    private long ReadSound(RiffChunk chunk)
    {
        Span<byte> bytes = stackalloc byte[8];
        if (_source.Read(bytes) < bytes.Length)
            return bytes.Length;
        // Samples may begin after an offset, which hardly any program writes.
        long offset = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        bool fits = offset <= (_source.Remaining ?? 0) && (offset == 0 || offset <= chunk.Size - bytes.Length);
        if (!fits)
            _warnings.Add(
                $"'{_source.Path}' declares that its samples begin {Count(offset)} bytes after the header of their chunk, beyond its end. They are read from the header on."
            );
        _soundStart = _source.Position + (fits ? offset : 0);
        _soundSize = Math.Max(0, chunk.Size - bytes.Length - (fits ? offset : 0));
        return bytes.Length;
    }

    /// <summary>How many bytes of samples there are: two chunks say it, and the file shows it.</summary>
    private long SampleBytes(PcmForm form, Action<string> warn)
    {
        long there = _source.Position + _source.Remaining!.Value - _soundStart,
            counted = Frames * form.FrameBytes;
        // The chunk can be longer by what fills it up.
        if (Math.Abs(_soundSize - counted) < Math.Max(2, form.FrameBytes) && counted > 0)
            return counted;
        if (_soundSize > 0 && _soundSize <= there)
        {
            warn(
                $"declares {Count(Frames)} frames, but its sample chunk has {Count(_soundSize / form.FrameBytes)}. The frames in the chunk are read."
            );
            return _soundSize;
        }

        if (counted > 0 && counted <= there)
        {
            warn($"declares {Count(_soundSize)} bytes of samples in one place and {Count(counted)} in another. The second number is used.");
            return counted;
        }

        if (counted == 0)
        {
            warn(
                $"declares no samples, as after a recorder's power loss. All {Count(there / form.FrameBytes)} frames to the end of the file are read."
            );
            return there;
        }

        return counted;
    }

    /// <summary>Reads ID3 tags, then what they do not say.</summary>
    private void ReadTags()
    {
        foreach (RiffChunk chunk in _tagged.OrderBy(c => c.IsId3 ? 0 : 1))
        {
            _source.MoveTo(chunk.Start);
            if (chunk.IsId3)
            {
                _tags.MayHavePicture = true;
                Id3v2.Read(_source, chunk.Size, _tags);
                _tags.Seal();
                continue;
            }

            byte[] text = new byte[Math.Min(chunk.Size, AudioLimits.MaxTagValueBytes + 1)];
            int read = _source.Read(text);
            _tags.Add(FieldOf(chunk), WavInfo.Decode(text.AsSpan(0, read)));
        }
    }

    private static string FieldOf(RiffChunk chunk) =>
        chunk.Name == RiffChunk.Title ? "title"
        : chunk.Name == RiffChunk.Author ? "artist"
        : chunk.Name == RiffChunk.Copyright ? "copyright"
        : "comment";

    /// <summary>A number of 80 bits: sign and exponent, then a mantissa whose first bit is written.</summary>
    private static double Extended(ReadOnlySpan<byte> bytes) =>
        Math.ScaleB(BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]), (BinaryPrimitives.ReadUInt16BigEndian(bytes) & 0x7FFF) - 16383 - 63)
        * ((bytes[0] & 0x80) == 0 ? 1 : -1);

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
