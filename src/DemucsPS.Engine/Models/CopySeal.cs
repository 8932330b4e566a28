using System.Security.Cryptography;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models;

/// <summary>
/// The end of a prepared copy: an entry of the model's metadata with the SHA-256 of all bytes before it, so that a copy in which a disk has
/// changed weights is known as well as one that it cut off. It lies in the copy itself, since two files would have to be replaced at once.
/// </summary>
internal static class CopySeal
{
    /// <summary>Its name among the metadata.</summary>
    public const string Key = "demucsps.sha256";

    // onnx.proto: ModelProto.metadata_props, StringStringEntryProto.key and value.
    private const int Property = 14,
        PropertyKey = 1,
        PropertyValue = 2;

    private const int BlockBytes = 1 << 20;

    private static readonly int s_length = Of(new byte[SHA256.HashSizeInBytes]).Length;

    /// <summary>A copy with its seal.</summary>
    /// <param name="copy">Its bytes, in pieces.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Seal(IReadOnlyList<ReadOnlyMemory<byte>> copy, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ReadOnlyMemory<byte> piece in copy)
            Append(hash, piece.Span, cancellationToken);
        return [.. copy, Of(hash.GetHashAndReset())];
    }

    /// <summary>As above, of a copy that is written piece by piece.</summary>
    /// <param name="destination">Takes the copy and its seal.</param>
    /// <param name="write">Writes the copy.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static void Write(Stream destination, Action<Stream> write, CancellationToken cancellationToken)
    {
        using SealingStream sealing = new(destination, cancellationToken);
        write(sealing);
        destination.Write(Of(sealing.Hash()));
    }

    /// <summary>Reads a copy to its end.</summary>
    /// <param name="copy">Its bytes, the seal's among them, from the first on.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>SHA-256 of all of it, in lower-case hexadecimal digits, and whether it is as it was made.</returns>
    public static (string Sha256, bool IsIntact) Read(Stream copy, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[BlockBytes];
        for (long left = Math.Max(0, copy.Length - s_length); left > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int read = copy.Read(block, 0, (int)Math.Min(left, block.Length));
            if (read == 0)
                throw new EndOfStreamException();
            hash.AppendData(block, 0, read);
            left -= read;
        }
        ReadOnlySpan<byte> seal = block.AsSpan(0, copy.ReadAtLeast(block.AsSpan(0, s_length), s_length, throwOnEndOfStream: false));
        bool isIntact = seal.SequenceEqual(Of(hash.GetCurrentHash()));
        hash.AppendData(seal);
        return (Convert.ToHexStringLower(hash.GetHashAndReset()), isIntact);
    }

    /// <summary>Whether a file ends with a seal, whatever it is called; whether it is as it was made, is not looked at.</summary>
    /// <param name="file">A file that can be sought in.</param>
    public static bool Ends(Stream file)
    {
        if (file.Length < s_length)
            return false;
        byte[] end = new byte[s_length];
        file.Position = file.Length - s_length;
        file.ReadExactly(end);
        // Before the digits it is always the same.
        return end.AsSpan(0, s_length - 2 * SHA256.HashSizeInBytes)
            .SequenceEqual(Of(new byte[SHA256.HashSizeInBytes]).AsSpan(0, s_length - 2 * SHA256.HashSizeInBytes));
    }

    private static byte[] Of(ReadOnlySpan<byte> sha256) =>
        new ProtobufMessage()
            .Message(Property, new ProtobufMessage().Text(PropertyKey, Key).Text(PropertyValue, Convert.ToHexStringLower(sha256)))
            .Bytes.ToArray();

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> bytes, CancellationToken cancellationToken)
    {
        for (int at = 0; at < bytes.Length; at += BlockBytes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(bytes.Slice(at, Math.Min(BlockBytes, bytes.Length - at)));
        }
    }
}
