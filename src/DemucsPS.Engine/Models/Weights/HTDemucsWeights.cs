using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace DemucsPS.Engine.Models.Weights;

/// <summary>
/// The trained weights of an HTDemucs and its architecture, as Demucs 4.1 writes them into a safetensors file. Tensors are read when they
/// are requested; which were, is kept in mind, so that what a graph left out is noticed. Thread-safe.
/// </summary>
internal sealed class HTDemucsWeights : IDisposable
{
    private readonly SafetensorsFile _file;
    private readonly ConcurrentDictionary<string, byte> _used = new(StringComparer.Ordinal);

    private HTDemucsWeights(SafetensorsFile file, Action<string>? warn)
    {
        _file = file;
        try
        {
            Architecture = ArchitectureReader.Read(file.Metadata, out IReadOnlyList<string> unknown);
            if (unknown.Count > 0)
                warn?.Invoke(
                    $"The weights '{file.Path}' have arguments unknown to HTDemucs, which are ignored, as in Demucs: {string.Join(", ", unknown.Take(10))}."
                );
        }
        catch (InvalidDataException e)
        {
            throw file.Invalid($"{e.Message}. Export the model again, with Demucs 4.1 or later", e);
        }
    }

    /// <summary>Full path of the file.</summary>
    public string Path => _file.Path;

    /// <summary>What the weights belong to.</summary>
    public HTDemucsArchitecture Architecture { get; }

    /// <summary>The tensors in ordinal order of their names.</summary>
    public IReadOnlyList<WeightTensor> Tensors => _file.Tensors;

    /// <summary>Opens a file, and reads its header and architecture.</summary>
    /// <param name="path">Its full path.</param>
    /// <param name="warn">Receives a message for the user where the file gives arguments that HTDemucs has not; null to go without.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read; <see cref="DemucsError.DemucsModelInvalid"/>: it is not a
    /// safetensors file, damaged, or holds another kind of model.
    /// </exception>
    public static HTDemucsWeights Open(string path, Action<string>? warn = null) => Of(SafetensorsFile.Open(path), warn);

    /// <summary>As above, from a stream that can be sought in, which it owns.</summary>
    internal static HTDemucsWeights Open(Stream file, string path, Action<string>? warn = null) =>
        Of(SafetensorsFile.Open(file, path), warn);

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => _file.Find(name) is not null;

    /// <summary>A tensor that the architecture has to have.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Its shape.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: there is none, or it has another shape.</exception>
    public WeightTensor Require(string name, params ReadOnlySpan<int> shape)
    {
        if (_file.Find(name) is not { } tensor)
            throw _file.Invalid(
                $"it has no tensor '{name}', which its architecture needs with the shape [{string.Join(',', shape.ToArray())}]. Its metadata or its tensors are another model's"
            );
        _used.TryAdd(name, 0);
        if (!tensor.Shape.SequenceEqual(shape.ToArray()))
            throw _file.Invalid(
                $"its tensor '{name}' has the shape [{string.Join(',', tensor.Shape)}], but its architecture needs [{string.Join(',', shape.ToArray())}]. Its metadata or its tensors are another model's"
            );
        return tensor;
    }

    /// <summary>The values of a tensor, raised to float32.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">The shape that it has to have.</param>
    /// <returns>A new array, the last dimension running fastest.</returns>
    /// <exception cref="DemucsException">As <see cref="Require"/> and <see cref="SafetensorsFile.Read"/>.</exception>
    public float[] Read(string name, params ReadOnlySpan<int> shape)
    {
        WeightTensor tensor = Require(name, shape);
        float[] values = new float[tensor.Count];
        _file.Read(tensor, values);
        return values;
    }

    /// <summary>As above, into memory of the caller's.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">The shape that it has to have.</param>
    /// <param name="destination">Takes as many values as the shape has.</param>
    /// <exception cref="ArgumentException">The memory has another length.</exception>
    /// <exception cref="DemucsException">As above.</exception>
    public void Read(string name, ReadOnlySpan<int> shape, Span<float> destination) => _file.Read(Require(name, shape), destination);

    /// <summary>The stored bytes of a tensor, little-endian; <see cref="Require"/> returns their type.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">The shape that it has to have.</param>
    /// <exception cref="DemucsException">As above.</exception>
    public byte[] ReadStored(string name, params ReadOnlySpan<int> shape)
    {
        WeightTensor tensor = Require(name, shape);
        byte[] bytes = new byte[tensor.Bytes];
        _file.ReadStored(tensor, bytes);
        return bytes;
    }

    /// <summary>Makes sure that every tensor was requested: one that a graph has no use for belongs to another architecture.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: some were not; the message names the first of
    /// them.</exception>
    public void RefuseUnused()
    {
        string[] unused = [.. Tensors.Select(t => t.Name).Where(n => !_used.ContainsKey(n))];
        if (unused.Length > 0)
            throw _file.Invalid(
                $"it has {(unused.Length == 1 ? "a tensor" : $"{unused.Length} tensors")} that its architecture does not use: {string.Join(", ", unused.Take(3))}{(unused.Length > 3 ? ", …" : "")}. Its metadata or its tensors are another model's"
            );
    }

    /// <summary>
    /// What the model is, whatever its file looks like: SHA-256 over the tensors in the order of their names and the architecture, in
    /// lower-case hexadecimal digits. Two exports of one checkpoint have the same, though their files differ: the library that writes them
    /// changes the order of the metadata. Reads the whole file, and makes sure that all values are finite.
    /// </summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">As <see cref="SafetensorsFile.Read"/>.</exception>
    public string Identify(CancellationToken cancellationToken = default)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        _file.AppendTo(hash, cancellationToken);
        Architecture.AppendTo(hash);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static HTDemucsWeights Of(SafetensorsFile file, Action<string>? warn)
    {
        try
        {
            return new HTDemucsWeights(file, warn);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
