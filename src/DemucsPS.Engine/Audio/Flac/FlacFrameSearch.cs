namespace DemucsPS.Engine.Audio.Flac;

/// <summary>
/// Opens FLAC streams that lack their beginning, as a program that listens to a broadcast stores them: without fLaC and STREAMINFO, from a
/// frame on or from within one. What the frames are, each of their headers says.
/// </summary>
internal static class FlacFrameSearch
{
    // Longer than any frame: 65,535 samples of 8 channels of 33 bits. What comes before the first whole frame is part of one.
    private const int MaxSearchBytes = 4 * 1024 * 1024;

    // Bytes that look like a header by chance are one in some millions; a file that is made of them must not take forever.
    private const int MaxTries = 100;

    // Containers of FLAC frames, which are for ffmpeg, whatever the file is called: Ogg, Matroska, RIFF, AIFF and CAF. MP4 has its mark
    // later.
    private static readonly byte[][] s_containers =
    [
        "OggS"u8.ToArray(),
        [0x1A, 0x45, 0xDF, 0xA3],
        "RIFF"u8.ToArray(),
        "FORM"u8.ToArray(),
        "caff"u8.ToArray(),
    ];

    /// <summary>
    /// Finds the first frame: at the first byte, or anywhere near the beginning if the file is called .flac. It is one if both its
    /// checksums are right and another one, or the end of the file, follows at once.
    /// </summary>
    /// <param name="source">The file from its first byte; rewound if there is no such frame.</param>
    /// <param name="onDamage">What happens where sound is lost.</param>
    /// <returns>A reader at that frame; null if there is none.</returns>
    public static FlacReader? Open(ByteSource source, DamageHandling onDamage)
    {
        byte[] start = new byte[FlacFrameHeader.MaxBytes];
        start = start[..source.Read(start)];
        source.Rewind();
        if (FlacFrameHeader.HasSync(start) && TryOpen(source, 0, start, onDamage) is { } reader)
            return reader;
        source.Rewind();
        if (!Path.GetExtension(source.Path).Equals(".flac", StringComparison.OrdinalIgnoreCase) || IsContainer(start))
            return null;

        byte[] bytes = new byte[(int)Math.Min(MaxSearchBytes, source.Remaining ?? 0)];
        bytes = bytes[..source.Read(bytes)];
        if (OpenBehindJunk(source, bytes, onDamage) is { } whole)
            return whole;
        int tries = 0;
        for (int at = 1; at + 1 < bytes.Length && tries < MaxTries; at++)
        {
            at += bytes.AsSpan(at).IndexOf((byte)0xFF) is var next and >= 0 ? next : bytes.Length;
            if (at >= bytes.Length || !FlacFrameHeader.TryRead(bytes.AsSpan(at), out _, out _))
                continue;
            tries++;
            if (TryOpen(source, at, bytes.AsSpan(at), onDamage) is { } found)
                return found;
        }

        source.Rewind();
        return null;
    }

    /// <summary>Opens a stream that has its beginning, but not at the file's.</summary>
    private static FlacReader? OpenBehindJunk(ByteSource source, ReadOnlySpan<byte> bytes, DamageHandling onDamage)
    {
        int at = 0;
        for (int tries = 0; tries < MaxTries && bytes[at..].IndexOf("fLaC"u8) is >= 0 and int next; tries++, at++)
        {
            at += next;
            if (!FlacMetadata.BeginsStream(bytes[at..]))
                continue;
            source.MoveTo(at);
            FlacReader reader = new(FlacMetadata.ReadStream(new FlacBitReader(source)), onDamage);
            reader.AddWarning(FlacFault.Junk(source.Path, 0, at));
            return reader;
        }

        return null;
    }

    private static FlacReader? TryOpen(ByteSource source, long position, ReadOnlySpan<byte> bytes, DamageHandling onDamage)
    {
        if (
            !FlacFrameHeader.TryRead(bytes[..Math.Min(bytes.Length, FlacFrameHeader.MaxBytes)], out FlacFrameHeader header, out _)
            || header.SampleRate is not > 0
            || header.BitsPerSample is null
        )
        {
            return null;
        }

        source.MoveTo(position);
        try
        {
            FlacReader reader = new(
                FlacMetadata.None(
                    new FlacBitReader(source),
                    new FlacForm(header.SampleRate.Value, header.Channels, header.BitsPerSample.Value)
                ),
                onDamage
            );
            if (!reader.IsFollowedByFrame)
                return null;
            reader.AddWarning(
                $"'{source.Path}' lacks the beginning of a FLAC file: it begins with {(position == 0 ? "a frame" : $"{position} bytes that are not a whole frame")}. It is read from its first whole frame on. Music may be missing."
            );
            return reader;
        }
        catch (DemucsException)
        {
            // No frame after all.
            return null;
        }
    }

    private static bool IsContainer(ReadOnlySpan<byte> start)
    {
        foreach (byte[] mark in s_containers)
        {
            if (start.StartsWith(mark))
                return true;
        }

        return start.Length >= 8 && start[4..].StartsWith("ftyp"u8);
    }
}
