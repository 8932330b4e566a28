using System.Buffers.Binary;
using System.Globalization;
using DemucsPS.Engine.Audio.Id3;
using DemucsPS.Engine.Audio.Pcm;

namespace DemucsPS.Engine.Audio.Wav;

/// <summary>
/// Reads what a WAV file is and where its samples are, in every <see cref="RiffDialect"/>. What the file says of itself is compared with
/// what is there, as far as the source is a file: where lengths contradict each other, those that fit are taken, with a warning, and files
/// that are joined one after another are read as one.
/// </summary>
internal sealed class WavHeader
{
    // More joined files than in practice; each takes at least 44 bytes.
    private const int MaxJoined = 10_000;

    private const int MaxWarnings = 50;

    private readonly ByteSource _source;
    private readonly AudioTagBuilder _tags = new();
    private readonly List<string> _warnings = [];
    private readonly List<PcmPart> _parts = [];

    // Chunks with tags, of the first file.
    private readonly List<(RiffChunk Chunk, RiffDialect Dialect)> _tagged = [];

    private WavHeader(ByteSource source) => _source = source;

    // Where the file ends, which only a file tells.
    private long? FileEnd => !_source.IsPipe && _source.Remaining is { } rest ? _source.Position + rest : null;

    /// <summary>True when a file begins like a WAV file.</summary>
    /// <param name="start">Its first bytes, <see cref="RiffDialect.MaxStartBytes"/> where there are so many.</param>
    public static bool IsWav(ReadOnlySpan<byte> start) => RiffDialect.Of(start) is not null;

    /// <summary>Reads it. Afterwards the source stands at the first sample, unless there is nothing to be read.</summary>
    /// <param name="source">The file from its first byte.</param>
    /// <returns>Null for samples that are compressed, and others that <see cref="PcmForm"/> does not know.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/> or
    /// <see cref="DemucsError.AudioFormatUnsupported"/>.</exception>
    public static PcmFile? Read(ByteSource source)
    {
        WavHeader header = new(source);
        if (header.ReadForm(0) is not { } tail)
            return null;
        if (header.FileEnd is not null)
        {
            header.ReadTags();
            header.ReadJoined(tail);
            source.MoveTo(header._parts[0].Start);
        }

        return new PcmFile(header._parts, header._tags, header._warnings);
    }

    /// <summary>Reads one WAV file and adds its samples to the parts.</summary>
    /// <param name="start">Its first byte, where the source stands.</param>
    /// <returns>What is after its samples, as far as that is known; null for samples that are not read here.</returns>
    private WavTail? ReadForm(long start)
    {
        Span<byte> bytes = stackalloc byte[RiffDialect.MaxStartBytes];
        int read = _source.Read(bytes[..12]);
        if (read == 12 && RiffDialect.Of(bytes[..12]) is null)
            read += _source.Read(bytes[12..]);
        if (RiffDialect.Of(bytes[..read]) is not { } dialect)
            throw Corrupt("is not a WAV file: its first bytes are not RIFF … WAVE");

        RiffChunks chunks = new(_source, dialect);
        if (!TryReadChunks(chunks, dialect, out PcmForm? form, out RiffChunk? samples))
            return null;
        if (form is null)
            throw Corrupt("is damaged or cut short: it has no format ('fmt ' chunk)");
        if (samples is not { } data)
            throw Corrupt("is damaged or cut short: it has no samples ('data' chunk)");
        if (FileEnd is not { } fileEnd)
        {
            _parts.Add(new PcmPart(form, data.Start, LengthInStream(data, chunks.Lengths)));
            return default(WavTail);
        }

        WavExtent extent = new(_source, dialect, chunks.Lengths, start, data, fileEnd);
        (long length, WavTail tail) = extent.Find(FormEnd(bytes, dialect, chunks.Lengths, start), form.FrameBytes, Warn);
        if (chunks.LacksFilling || extent.LacksFilling)
            Warn("has a chunk of odd length without its padding byte. Few programs read that.");
        _parts.Add(new PcmPart(form, data.Start, length));
        if (_parts.Count == 1)
            _tagged.AddRange(extent.ChunksBehind.Where(HasTags).Select(chunk => (chunk, dialect)));
        return tail;
    }

    /// <summary>Reads chunks until the format is known and the samples are found, as far as there are such.</summary>
    /// <returns>False for samples that are not read here.</returns>
    private bool TryReadChunks(RiffChunks chunks, RiffDialect dialect, out PcmForm? form, out RiffChunk? samples)
    {
        form = null;
        samples = null;
        while (chunks.TryRead(out RiffChunk chunk))
        {
            long used = 0;
            if (chunk.Name == RiffChunk.Data && samples is null)
            {
                samples = chunk;
                if (form is not null)
                    break;
                // The format may stand after them.
                if (chunk.Size == RiffChunk.UnknownSize && chunks.Lengths is { } lengths)
                    chunk = chunk with { Size = lengths.DataBytes };
                if (FileEnd is null || chunk.Size > _source.Remaining)
                    throw Corrupt("is damaged: its samples come before their format ('data' chunk before 'fmt ')");
            }
            else if (chunk.Name == RiffChunk.Format && form is null)
            {
                form = WavFormat.Read(_source, dialect, chunk.Size, out used, out string? warning);
                if (form is null)
                    return false;
                if (warning is not null)
                    Warn(warning);
                if (samples is not null)
                {
                    Warn("has its samples before their format ('data' chunk before 'fmt '). Few programs read that.");
                    break;
                }
            }
            else if (dialect.HasTable && chunk.Name == RiffChunk.Lengths && chunks.Lengths is null)
            {
                chunks.Lengths = RiffLengths.Read(_source, chunk.Size, out used);
            }
            else if (dialect.HasTable && chunk.Size == RiffChunk.UnknownSize)
            {
                throw Corrupt($"is damaged: the length of its '{chunk}' chunk is missing from 'ds64'");
            }

            used = NoteTags(chunk, used, dialect);
            if (!chunks.Skip(chunk.Size, used))
                break;
        }
        return true;
    }

    /// <summary>What a pipe's samples declare; null when they go on until it ends.</summary>
    private long? LengthInStream(RiffChunk data, RiffLengths? lengths) =>
        data.Size == RiffChunk.UnknownSize ? lengths?.DataBytes
        : data.Size == 0 && _source.IsPipe ? null
        : data.Size;

    /// <summary>Where a file says that it ends; null if it does not declare it.</summary>
    private static long? FormEnd(ReadOnlySpan<byte> start, RiffDialect dialect, RiffLengths? lengths, long at)
    {
        if (dialect.IsWave64)
            return BinaryPrimitives.ReadUInt64LittleEndian(start[16..]) is > 0 and < long.MaxValue / 2 and ulong all
                ? at + (long)all
                : null;
        uint size = dialect.IsBigEndian
            ? BinaryPrimitives.ReadUInt32BigEndian(start[4..])
            : BinaryPrimitives.ReadUInt32LittleEndian(start[4..]);
        if (lengths is not null && size == uint.MaxValue)
            return lengths.FormBytes > 0 ? at + 8 + lengths.FormBytes : null;
        return size is 0 or uint.MaxValue ? null : at + 8 + size;
    }

    private static bool HasTags(RiffChunk chunk) => chunk.IsId3 || chunk.Name == RiffChunk.List;

    /// <summary>
    /// Reads tags in a stream, and notes where they are in a file, where they are read in their order of preference later.
    /// </summary>
    private long NoteTags(RiffChunk chunk, long used, RiffDialect dialect)
    {
        if (!HasTags(chunk) || _parts.Count > 0)
            return used;
        if (FileEnd is not null)
            _tagged.Add((chunk, dialect));
        else
            used += ReadTags(chunk, dialect);
        return used;
    }

    /// <summary>Reads ID3 tags, then of the lists what ID3 does not say.</summary>
    private void ReadTags()
    {
        foreach ((RiffChunk chunk, RiffDialect dialect) in _tagged.OrderBy(t => t.Chunk.IsId3 ? 0 : 1))
        {
            try
            {
                _source.MoveTo(chunk.Start);
                ReadTags(chunk, dialect);
            }
            catch (DemucsException)
            {
                // The samples may be readable anyway; whoever needs those bytes will hear of it.
                _tags.IsDamaged = true;
            }
        }
    }

    private long ReadTags(RiffChunk chunk, RiffDialect dialect)
    {
        if (!chunk.IsId3)
            return WavInfo.Read(_source, chunk.Size, dialect.IsBigEndian, _tags);
        _tags.MayHavePicture = true;
        long used = Id3v2.Read(_source, chunk.Size, _tags);
        _tags.Seal();
        return used;
    }

    /// <summary>Continues with the files after the first one, as long as they fit.</summary>
    private void ReadJoined(WavTail tail)
    {
        while (tail.Kind == WavTailKind.AnotherFile)
        {
            int parts = _parts.Count,
                warnings = _warnings.Count;
            (string? misfit, WavTail next) = parts == MaxJoined ? ("", default) : TryJoin(tail.End);
            if (misfit is not null)
            {
                _parts.RemoveRange(parts, _parts.Count - parts);
                _warnings.RemoveRange(warnings, _warnings.Count - warnings);
                Warn(
                    $"has another WAV file{misfit} after its end: {Count(FileEnd!.Value - tail.End)} bytes are ignored. Split the file in two to read both."
                );
                break;
            }

            // They can all have the same fault.
            if (_warnings.Count > MaxWarnings)
                _warnings.RemoveRange(MaxWarnings, _warnings.Count - MaxWarnings);
            tail = next;
        }

        if (_parts.Count > 1)
            Warn($"is {_parts.Count} WAV files joined. They are read as one track.");
    }

    /// <summary>Adds the samples of the file that begins at a byte.</summary>
    /// <returns>Why it does not fit, or null; and what is after it.</returns>
    private (string? Misfit, WavTail Tail) TryJoin(long start)
    {
        try
        {
            _source.MoveTo(start);
            if (ReadForm(start) is not { } tail)
                return (" of compressed samples", default);
            PcmForm first = _parts[0].Form,
                form = _parts[^1].Form;
            bool fits = form.SampleRate == first.SampleRate && form.Channels == first.Channels;
            return (
                fits
                    ? null
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $" ({form.Channels} channels, {form.SampleRate} Hz, {(double)(_parts[^1].Frames ?? 0) / form.SampleRate:F1} s)"
                    ),
                tail
            );
        }
        catch (DemucsException)
        {
            return (" that is damaged", default);
        }
    }

    private void Warn(string what) => _warnings.Add($"'{_source.Path}' {what}");

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private DemucsException Corrupt(string what) => PcmFile.Corrupt(_source, what);
}
