using System.Buffers.Binary;
using System.Text.Json;

namespace DemucsPS.Engine.Encoders;

/// <summary>
/// The atom that makes an MP4 file a .stem.mp4 file (Native Instruments, "Stems for developers"): <c>moov/udta/stem</c>, with JSON that
/// names and colors the four stems and sets what is done with their sum. Compressor and
/// limiter are switched off, so that the stems sum to the mix.
/// </summary>
internal static class StemAtom
{
    // An index of that size belongs to a file of days.
    private const long MaxIndexBytes = 1L << 30;

    // Colors that people who see few colors can tell apart (Okabe and Ito), in the order of the stems.
    private static readonly string[] s_colors = ["#E69F00", "#56B4E9", "#009E73", "#CC79A7"];

    /// <summary>The JSON for four stems.</summary>
    /// <param name="stems">Their names.</param>
    public static byte[] Json(IReadOnlyList<string> stems) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                mastering_dsp = new
                {
                    compressor = new
                    {
                        enabled = false,
                        ratio = 3,
                        output_gain = 0.5,
                        release = 0.3,
                        attack = 0.003,
                        input_gain = 0.5,
                        threshold = 0,
                        hp_cutoff = 300,
                        dry_wet = 50,
                    },
                    limiter = new
                    {
                        enabled = false,
                        release = 0.05,
                        threshold = 0,
                        ceiling = -0.35,
                    },
                },
                version = 1,
                stems = stems.Select((name, i) => new { name, color = s_colors[i % s_colors.Length] }),
            }
        );

    /// <summary>
    /// Adds the atom to an MP4 file whose index (<c>moov</c>) is its last box, so that nothing that the index points to moves.
    /// </summary>
    /// <param name="file">The file, readable and writable.</param>
    /// <param name="path">For messages.</param>
    /// <param name="outputs">Names of the mix and of the stems, in the order of the streams.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: the file is not built like that.</exception>
    public static void Append(Stream file, string path, IReadOnlyList<string> outputs)
    {
        (long start, long length) = LastBox(file, path);
        byte[] index = new byte[length];
        file.Position = start;
        file.ReadExactly(index);
        if (!index.AsSpan(4, 4).SequenceEqual("moov"u8))
            throw Unexpected(path, "does not end with its index");
        byte[] stem = Box("stem"u8, Json([.. outputs.Skip(1)]));
        int at = UserData(index, path);
        byte[] patched = at < 0 ? [.. index, .. Box("udta"u8, stem)] : Insert(index, at, stem);
        BinaryPrimitives.WriteUInt32BigEndian(patched, (uint)patched.Length);
        file.Position = start;
        file.Write(patched);
    }

    /// <summary>Where the last box of a file is.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: there are no boxes, or not to the end.</exception>
    internal static (long Start, long Length) LastBox(Stream file, string path)
    {
        Span<byte> head = stackalloc byte[16];
        for (long at = 0; ;)
        {
            file.Position = at;
            if (file.ReadAtLeast(head, 8, throwOnEndOfStream: false) < 8)
                throw Unexpected(path, "is cut short");
            long size = BinaryPrimitives.ReadUInt32BigEndian(head);
            if (size == 1)
                size = BinaryPrimitives.ReadInt64BigEndian(head[8..]);
            if (size < 8 || size > file.Length - at)
                throw Unexpected(path, "has a box that is longer than the file");
            if (at + size == file.Length)
                return size <= MaxIndexBytes ? (at, size) : throw Unexpected(path, "does not end with its index");
            at += size;
        }
    }

    /// <summary>Where the user data box is among those in the index; −1 where there is none.</summary>
    private static int UserData(ReadOnlySpan<byte> index, string path)
    {
        for (int at = 8; at < index.Length;)
        {
            uint size = index.Length - at < 8 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(index[at..]);
            if (size < 8 || size > index.Length - at)
                throw Unexpected(path, "has a damaged index");
            if (index.Slice(at + 4, 4).SequenceEqual("udta"u8))
                return at;
            at += (int)size;
        }
        return -1;
    }

    private static byte[] Insert(byte[] index, int at, byte[] box)
    {
        int end = at + (int)BinaryPrimitives.ReadUInt32BigEndian(index.AsSpan(at));
        byte[] patched = [.. index[..end], .. box, .. index[end..]];
        BinaryPrimitives.WriteUInt32BigEndian(patched.AsSpan(at), (uint)(end - at + box.Length));
        return patched;
    }

    private static byte[] Box(ReadOnlySpan<byte> type, byte[] content)
    {
        byte[] box = [0, 0, 0, 0, .. type, .. content];
        BinaryPrimitives.WriteUInt32BigEndian(box, (uint)box.Length);
        return box;
    }

    private static DemucsException Unexpected(string path, string what) =>
        new(DemucsError.StemWriteFailed, $"'{path}' cannot be finished: the file that ffmpeg wrote {what}. Use another ffmpeg.", path);
}
