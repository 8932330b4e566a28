using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Weights;

/// <summary>
/// A safetensors file whose header is read and checked. Tensors are read when they are requested, in blocks, into the caller's memory.
/// Thread-safe.
/// </summary>
internal sealed class SafetensorsFile : IDisposable
{
    /// <summary>How names of such files end.</summary>
    public const string Extension = ".safetensors";

    private const int BlockBytes = 1 << 16;

    private readonly Stream _file;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, WeightTensor> _byName;

    private SafetensorsFile(Stream file, string path)
    {
        _file = file;
        Path = path;
        try
        {
            SafetensorsHeader header = SafetensorsHeader.Read(file);
            Tensors = header.Tensors;
            Metadata = header.Metadata;
        }
        catch (InvalidDataException e)
        {
            throw Invalid($"{e.Message}. Copy or download it again", e);
        }
        _byName = Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>Full path of the file.</summary>
    public string Path { get; }

    /// <summary>The file's metadata: texts by their names.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors in ordinal order of their names.</summary>
    public IReadOnlyList<WeightTensor> Tensors { get; }

    /// <summary>Opens a file and reads its header.</summary>
    /// <param name="path">Its full path.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read;
    /// <see cref="DemucsError.DemucsModelInvalid"/>: it is no such file, or damaged.</exception>
    public static SafetensorsFile Open(string path)
    {
        FileStream? file = null;
        try
        {
            // What is read is read in blocks already. Nobody may write to it while its tensors are read, as far as the system minds.
            file = RegularFile.OpenRead(path, FileShare.Read | FileShare.Delete, bufferSize: 0);
            return new SafetensorsFile(file, path);
        }
        catch (Exception e) when (e.IsFileError())
        {
            file?.Dispose();
            throw Unreadable(path, e);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>As above, from a stream that can be sought in, which it owns.</summary>
    internal static SafetensorsFile Open(Stream file, string path) => new(file, path);

    /// <summary>A tensor by its name; null if there is none.</summary>
    public WeightTensor? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Reads a tensor, raised to float32, which is exact.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    /// <param name="destination">Takes its <see cref="WeightTensor.Count"/> values, the last dimension running fastest.</param>
    /// <exception cref="ArgumentException">The memory has not the tensor's length.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: a value is infinite or not a number;
    /// <see cref="DemucsError.DemucsModelNotFound"/>: the file cannot be read any more.</exception>
    public void Read(WeightTensor tensor, Span<float> destination)
    {
        if (destination.Length != tensor.Count)
            throw new ArgumentException($"There is memory for {destination.Length} values of {tensor.Count}.", nameof(destination));
        if (tensor.Type == WeightType.Float32)
        {
            ReadStored(tensor, MemoryMarshal.AsBytes(destination));
            if (!BitConverter.IsLittleEndian)
            {
                Span<uint> words = MemoryMarshal.Cast<float, uint>(destination);
                BinaryPrimitives.ReverseEndianness(words, words);
            }
            return;
        }
        byte[] block = new byte[(int)Math.Min(BlockBytes, tensor.Bytes)];
        for (int done = 0; done < tensor.Count;)
        {
            Span<byte> bytes = block.AsSpan(0, (int)Math.Min(block.Length, (tensor.Count - (long)done) * tensor.Width));
            ReadBlock(tensor, (long)done * tensor.Width, bytes);
            Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(bytes);
            if (!BitConverter.IsLittleEndian)
                BinaryPrimitives.ReverseEndianness(halves, halves);
            Span<float> values = destination.Slice(done, halves.Length);
            if (tensor.Type == WeightType.Float16)
            {
                HalfConversion.ToSingle(MemoryMarshal.Cast<ushort, Half>(halves), values);
            }
            else
            {
                for (int i = 0; i < halves.Length; i++)
                    values[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
            }
            done += halves.Length;
        }
    }

    /// <summary>Reads the stored bytes of a tensor, little-endian.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    /// <param name="destination">Takes its <see cref="WeightTensor.Bytes"/>.</param>
    /// <exception cref="ArgumentException">The memory has not the tensor's length.</exception>
    /// <exception cref="DemucsException">As <see cref="Read"/>.</exception>
    public void ReadStored(WeightTensor tensor, Span<byte> destination)
    {
        if (destination.Length != tensor.Bytes)
            throw new ArgumentException($"There is memory for {destination.Length} bytes of {tensor.Bytes}.", nameof(destination));
        ReadBlock(tensor, 0, destination);
    }

    /// <summary>
    /// SHA-256 over the tensors in the order of their names: name, type, shape and bytes. The file's own order of them, and its metadata,
    /// do not count. Reads all of it.
    /// </summary>
    /// <param name="hash">Takes them.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">As <see cref="Read"/>.</exception>
    internal void AppendTo(IncrementalHash hash, CancellationToken cancellationToken)
    {
        byte[] block = new byte[BlockBytes];
        foreach (WeightTensor tensor in Tensors)
        {
            // A name may hold anything; its length before it tells where it ends.
            byte[] name = Encoding.UTF8.GetBytes(tensor.Name);
            hash.AppendData(Encoding.ASCII.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name.Length} ")));
            hash.AppendData(name);
            hash.AppendData(Encoding.ASCII.GetBytes($" {tensor.Type} [{string.Join(',', tensor.Shape)}]\n"));
            for (long at = 0; at < tensor.Bytes; at += block.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Span<byte> bytes = block.AsSpan(0, (int)Math.Min(block.Length, tensor.Bytes - at));
                ReadBlock(tensor, at, bytes);
                hash.AppendData(bytes);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>An error of this file.</summary>
    /// <param name="what">What is wrong, and what to do: a sentence without its end.</param>
    /// <param name="cause">The exception that told it, if any.</param>
    internal DemucsException Invalid(string what, Exception? cause = null) =>
        new(DemucsError.DemucsModelInvalid, $"The weights '{Path}' cannot be used: {what}.", Path, cause);

    private void ReadBlock(WeightTensor tensor, long offset, Span<byte> bytes)
    {
        try
        {
            lock (_gate)
            {
                _file.Position = tensor.Offset + offset;
                _file.ReadExactly(bytes);
            }
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw Unreadable(Path, e);
        }
        if (!IsFinite(bytes, tensor.Type))
            throw Invalid(
                $"its tensor '{tensor.Name}' has values that are infinite or NaN. Copy or download the file again, or train the model again",
                null
            );
    }

    /// <summary>Whether no number has an exponent of ones only.</summary>
    private static bool IsFinite(ReadOnlySpan<byte> bytes, WeightType type)
    {
        if (type == WeightType.Float32)
        {
            const uint Exponent = 0x7F80_0000;
            uint mask = BitConverter.IsLittleEndian ? Exponent : BinaryPrimitives.ReverseEndianness(Exponent);
            foreach (uint word in MemoryMarshal.Cast<byte, uint>(bytes))
            {
                if ((word & mask) == mask)
                    return false;
            }
            return true;
        }
        ushort ones = type == WeightType.Float16 ? (ushort)0x7C00 : (ushort)0x7F80;
        if (!BitConverter.IsLittleEndian)
            ones = BinaryPrimitives.ReverseEndianness(ones);
        foreach (ushort word in MemoryMarshal.Cast<byte, ushort>(bytes))
        {
            if ((word & ones) == ones)
                return false;
        }
        return true;
    }

    private static DemucsException Unreadable(string path, Exception e) =>
        e is EndOfStreamException
            ? new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"The weights '{path}' cannot be used: the file became shorter while it was read. Copy or download it again.",
                path,
                e
            )
            : new DemucsException(DemucsError.DemucsModelNotFound, $"The weights '{path}' cannot be read: {e.Message}", path, e);
}
