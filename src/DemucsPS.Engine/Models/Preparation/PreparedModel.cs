using System.Security.Cryptography;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Makes models exact and quick: a copy of the graph in which constants are computed, long sums are taken axis by axis and what ONNX Runtime does
/// in many passes is said in fewer, kept beside the model. The copy is an ordinary ONNX file of the same inputs, outputs and metadata, and uses
/// the same weights file if there is one. Its attention is an operator of ONNX Runtime's own (com.microsoft).
/// </summary>
public static class PreparedModel
{
    /// <summary>Part of a prepared file's name; another number where the rewrites change makes old files unused.</summary>
    public const int RewriteVersion = 4;

    /// <summary>Bytes 4 to 7 of a file in ONNX Runtime's own format, which holds no ONNX graph.</summary>
    private static ReadOnlySpan<byte> RuntimeFormat => "ORTM"u8;

    /// <summary>Rewrites a model in memory, as far as that goes without the runtime computing its constants first.</summary>
    /// <param name="model">An ONNX file's bytes.</param>
    /// <returns>The rewritten file's bytes; null if there is nothing to rewrite.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: the bytes are no ONNX model.</exception>
    public static byte[]? Prepare(ReadOnlyMemory<byte> model) => Rewrite(model, null, ModelPrecision.Full)?.ToBytes();

    /// <summary>
    /// Finds or makes the prepared copy of a model file, <c>NAME.HASH.prepared.onnx</c> beside it, where HASH stands for the model's content and
    /// <see cref="RewriteVersion"/>. If that folder cannot be written to, the copy goes into the cache folder, unless the model has weights in
    /// a second file, which are only found beside it. Safe in several threads and processes at once: a copy appears whole or not at all.
    /// </summary>
    /// <param name="modelPath">Full path of an existing model file.</param>
    /// <param name="cacheFolder">A folder for copies that cannot lie beside their model; null for one in the user's local application data.</param>
    /// <param name="warn">Takes a sentence for the user where the model can only be used as it is; null to go without.</param>
    /// <param name="cancellationToken">Ends the work; no copy is left.</param>
    /// <returns>The path of the copy; <paramref name="modelPath"/> if there is nothing to rewrite or nowhere to put the copy.</returns>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelInvalid"/>: the file is no ONNX model; <see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read.
    /// </exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static string Prepare(string modelPath, string? cacheFolder, Action<string>? warn, CancellationToken cancellationToken) =>
        Prepare(modelPath, ModelPrecision.Full, cacheFolder, warn, cancellationToken);

    /// <summary>
    /// As above, for a precision. A copy for <see cref="ModelPrecision.Int8"/>, <c>NAME.HASH.int8.prepared.onnx</c>, lies beside the other. A model that cannot have one is an error, since
    /// it would be run in another precision than was asked for.
    /// </summary>
    /// <exception cref="DemucsException">
    /// As above; with <see cref="ModelPrecision.Int8"/> also <see cref="DemucsError.ParameterInvalid"/>: nothing of the model can be computed so; and
    /// <see cref="DemucsError.ModelWriteFailed"/>: there is nowhere to put the copy.
    /// </exception>
    public static string Prepare(string modelPath, ModelPrecision precision, string? cacheFolder, Action<string>? warn, CancellationToken cancellationToken) =>
        Prepare(modelPath, precision, cacheFolder, warn, path => new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None), cancellationToken);

    /// <summary>As above, with the way to create files, so that a test can have a folder that cannot be written to.</summary>
    internal static string Prepare(string modelPath, string? cacheFolder, Action<string>? warn, Func<string, FileStream> create, CancellationToken cancellationToken) =>
        Prepare(modelPath, ModelPrecision.Full, cacheFolder, warn, create, cancellationToken);

    /// <summary>As above, for a precision.</summary>
    internal static string Prepare(string modelPath, ModelPrecision precision, string? cacheFolder, Action<string>? warn, Func<string, FileStream> create, CancellationToken cancellationToken)
    {
        // What was prepared once, the runtime would fold anew, and then there is this and that to rewrite again.
        if (ModelFiles.IsPrepared(modelPath))
        {
            return ModelFiles.IsInt8(modelPath) == (precision == ModelPrecision.Int8) ? modelPath : throw new DemucsException(DemucsError.ParameterInvalid,
                $"'{modelPath}' is a copy that was made of a model for {(precision == ModelPrecision.Int8 ? "full precision" : "the precision Int8")}. Give the model itself.", modelPath);
        }
        string beside = Path.GetDirectoryName(modelPath) ?? throw new ArgumentException($"'{modelPath}' is no file's full path.", nameof(modelPath));
        cacheFolder ??= Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "DemucsPS", "prepared");
        string[] folders = [beside, cacheFolder];
        try
        {
            // Hashed before it is read: where a copy is present, a model of hundreds of megabytes need not be in memory twice.
            using (FileStream stream = File.OpenRead(modelPath))
            {
                if (IsRuntimeFormat(stream))
                {
                    return precision == ModelPrecision.Full ? modelPath : throw new DemucsException(DemucsError.ParameterInvalid,
                        $"Model '{modelPath}' is in ONNX Runtime's own format, which cannot be rewritten for the precision {precision}. Use the precision Full, or the .onnx file that it was made of.", modelPath);
                }
                string name = NameOf(modelPath, precision, Hash(stream, RewriteVersion, cancellationToken));
                if (Array.Find(folders, folder => File.Exists(Path.Combine(folder, name))) is { } found)
                    return Path.Combine(found, name);
            }

            byte[] source = File.ReadAllBytes(modelPath);
            cancellationToken.ThrowIfCancellationRequested();
            if (Rewrite(source, modelPath, precision) is not { } rewritten)
                return modelPath;
            string copy = Name(RewriteVersion);
            using (FileStream stream = File.OpenRead(modelPath))
            {
                if (NameOf(modelPath, precision, Hash(stream, RewriteVersion, cancellationToken)) != copy)
                    throw new IOException("It is being changed.");
            }
            bool bound = rewritten.MayHaveExternalData;
            Exception? refusal = null;
            foreach (string folder in bound ? [beside] : folders)
            {
                try
                {
                    string written = Write(rewritten, folder, copy, create, cancellationToken);
                    for (int version = 1; version < RewriteVersion; version++)
                        RemoveOld(Path.Combine(folder, Name(version)));
                    return written;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    refusal ??= e;
                }
            }
            if (precision != ModelPrecision.Full)
            {
                throw new DemucsException(DemucsError.ModelWriteFailed,
                    $"Model '{modelPath}' cannot be run in the precision {precision}: its copy '{copy}' cannot be written{Nowhere()}. {refusal!.Message} Use the precision Full, or copy the model to a folder of your own.", modelPath, refusal);
            }
            warn?.Invoke(
                $"Model '{modelPath}' is used as it is, less exactly than it could be: its prepared copy '{copy}' cannot be written"
                + $"{Nowhere()}. {refusal!.Message} Run once with the right to write there, or copy the model to a folder of your own.");
            return modelPath;

            string Nowhere() => bound ? " beside it, where its weights file lies" : $" beside it or into '{cacheFolder}'";

            string Name(int version)
            {
                using MemoryStream bytes = new(source);
                return NameOf(modelPath, precision, Hash(bytes, version, cancellationToken));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemucsException(DemucsError.DemucsModelNotFound, $"Model '{modelPath}' cannot be read: {e.Message}", modelPath, e);
        }
    }

    private static GraphModel? Rewrite(ReadOnlyMemory<byte> bytes, string? path, ModelPrecision precision)
    {
        try
        {
            GraphModel model = GraphModel.Parse(bytes);
            // The runtime would put nodes in their place that are hard to recognise.
            bool lowered = NormalizationLowering.Apply(model);
            // For the CPU the runtime would put a conversion around every operator of 16-bit floats, and they would stay for other providers.
            if (path is not null && !model.HoldsHalves && Fold(path, lowered ? model.ToBytes() : null) is { } folded)
                model = GraphModel.Parse(folded);
            bool placed = PositionEmbeddings.Apply(model, Path.GetDirectoryName(path));
            bool quicker = QuickGraph.Apply(model), exacter = ExactSums.Apply(model);
            if (precision == ModelPrecision.Full)
                return lowered || placed || quicker || exacter ? model : null;
            return Int8Products.Apply(model, Path.GetDirectoryName(path)) > 0 ? model : throw new DemucsException(DemucsError.ParameterInvalid,
                $"Model '{path}' has no products with constant matrices of 32-bit floats that are worth computing in 8 bits, so the precision {precision} would change nothing. Use the precision Full.", path);
        }
        catch (InvalidDataException e)
        {
            throw new DemucsException(DemucsError.DemucsModelInvalid, $"{(path is null ? "The model" : $"Model '{path}'")} is damaged, incomplete or not an ONNX file: {e.Message}.", path, e);
        }
    }

    /// <summary>
    /// Lets the runtime compute all constants of a model, shapes above all, without which little is known of an exported graph. Weights in a
    /// second file stay there. Null if the runtime cannot load it: the reason is given when it is loaded to be run.
    /// </summary>
    /// <param name="path">The model's file.</param>
    /// <param name="model">The model in place of what is in the file; null for that.</param>
    private static byte[]? Fold(string path, byte[]? model)
    {
        string folded = Path.GetTempFileName();
        try
        {
            OnnxSessionOptions options = new()
            {
                // This level's rewrites suit any processor and any provider.
                OptimizationLevel = OnnxOptimizationLevel.Basic,
                OptimizedModelPath = folded,
                IntraOpThreads = 1,
                ConfigEntries = new Dictionary<string, string>
                {
                    ["session.disable_prepacking"] = "1",
                    ["session.model_external_initializers_file_folder_path"] = Path.GetDirectoryName(path)!,
                },
            };
            (model is null ? OnnxSession.FromFile(path, options) : OnnxSession.FromBytes(model, options)).Dispose();
            return File.ReadAllBytes(folded);
        }
        catch (OnnxRuntimeException)
        {
            return null;
        }
        finally
        {
            File.Delete(folded);
        }
    }

    private static void RemoveOld(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another process still runs it; it is in nobody's way.
        }
    }

    private static string Write(GraphModel model, string folder, string name, Func<string, FileStream> create, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, name);
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (FileStream stream = create(temporary))
            {
                foreach (ReadOnlyMemory<byte> piece in model.Write())
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    stream.Write(piece.Span);
                }
                stream.Flush(flushToDisk: true);
            }
            try
            {
                DurableFiles.Rename(temporary, path, overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && File.Exists(path))
            {
                // Windows refuses to replace an open file; another process was quicker, and its copy is the same.
                File.Delete(temporary);
            }
            return path;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Whether a file is in ONNX Runtime's own format.</summary>
    internal static bool IsRuntimeFormat(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return IsRuntimeFormat(stream);
    }

    private static bool IsRuntimeFormat(FileStream stream)
    {
        Span<byte> head = stackalloc byte[8];
        bool found = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length && head[4..].SequenceEqual(RuntimeFormat);
        stream.Position = 0;
        return found;
    }

    private static byte[] Hash(Stream stream, int version, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, count);
        }
        hash.AppendData([(byte)version]);
        return hash.GetHashAndReset();
    }

    private static string NameOf(string modelPath, ModelPrecision precision, byte[] hash) =>
        $"{Path.GetFileNameWithoutExtension(modelPath)}.{Convert.ToHexStringLower(hash.AsSpan(0, 8))}{(precision == ModelPrecision.Int8 ? ModelFiles.Int8Suffix : ModelFiles.PreparedSuffix)}";
}
