using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Models.Quantization;
using DemucsPS.Engine.Onnx;
using Microsoft.Win32.SafeHandles;

namespace DemucsPS.Engine.Models;

/// <summary>
/// A model made accurate and fast: a copy of its graph in which constants are computed, long sums are taken axis by axis and what ONNX
/// Runtime does in many passes is said in fewer. It is
/// kept in the <see cref="PreparationCache"/>, or in memory where that cannot be written to; the model's own folder is left alone. The copy
/// is an ordinary ONNX model of the same inputs,
/// outputs and metadata, and uses the same weights file if there is one; one entry more of the metadata is its <see cref="CopySeal"/>. What
/// of that suits which execution provider, <see cref="GraphForm"/> says.
/// </summary>
internal sealed class PreparedModel : IDisposable
{
    /// <summary>Part of a prepared file's name; another number where the rewrites change makes old files unused.</summary>
    public const int RewriteVersion = 6;

    // Collecting takes some milliseconds.
    private const int BytesWorthCollecting = 8_000_000;

    // The last version that kept copies beside models.
    private const int LastVersionBeside = 3;

    private readonly string _weightsFolder;

    // One of both: the copy in the cache, held open, so that it stays what it is, or the copy itself.
    private readonly FileStream? _file;
    private readonly byte[]? _bytes;
    private readonly Lock _reading = new();
    private (string Sha256, bool IsIntact)? _read;

    // Whoever uses the copy counts, since one may let go of it while another still reads it on its thread.
    private int _users = 1;

    private PreparedModel(string name, string weightsFolder, FileStream file)
    {
        Name = name;
        _weightsFolder = weightsFolder;
        _file = file;
        Path = file.Name;
        Length = file.Length;
    }

    private PreparedModel(string name, string weightsFolder, byte[] bytes)
    {
        Name = name;
        _weightsFolder = weightsFolder;
        _bytes = bytes;
        Length = bytes.Length;
    }

    /// <summary>The copy's file name in the cache, also where it is not there. Copies of one name have one content.</summary>
    public string Name { get; }

    /// <summary>Full path of the copy in the cache; null if it is in memory only.</summary>
    public string? Path { get; }

    /// <summary>Whether it was in the cache already.</summary>
    internal bool WasFound { get; private init; }

    /// <summary>How many bytes the copy has.</summary>
    public long Length { get; }

    /// <summary>Bytes 4 to 7 of a file in ONNX Runtime's own format, which holds no ONNX graph.</summary>
    private static ReadOnlySpan<byte> RuntimeFormat => "ORTM"u8;

    /// <summary>Rewrites a model in memory, as far as that goes without the runtime computing its constants first.</summary>
    /// <param name="model">An ONNX file's bytes.</param>
    /// <returns>The rewritten file's bytes; null if there is nothing to rewrite.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: the bytes are not an ONNX model.</exception>
    public static byte[]? Prepare(ReadOnlyMemory<byte> model) => Rewrite(model, null, GraphTarget.Cpu, null)?.ToBytes();

    /// <summary>Finds or makes the prepared copy of a model file.</summary>
    /// <param name="modelPath">Full path of an existing model file.</param>
    /// <param name="target">What it is for. A model that cannot have a copy for <see cref="ModelPrecision.Int8"/> is an error, since it
    /// would be run in another precision than was requested.</param>
    /// <param name="cache">Where copies lie.</param>
    /// <param name="warn">Receives a message for the user where the copy cannot be kept; null to go without.</param>
    /// <param name="cancellationToken">Ends the work; no copy is left.</param>
    /// <remarks>A copy that was there is not read to its end: whoever runs it looks whether it is what it was.</remarks>
    /// <returns>The copy, to be disposed; null if the model runs without preparation: there is nothing to rewrite, it is in ONNX Runtime's
    /// own format, or a copy itself.</returns>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelInvalid"/>: the file is not an ONNX model, or the runtime cannot load it;
    /// <see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read;
    /// <see cref="DemucsError.ModelWriteFailed"/>: neither the cache nor the system's temporary folder can be written to;
    /// <see cref="DemucsError.OnnxRuntimeUnavailable"/>: no usable library;
    /// <see cref="DemucsError.ParameterInvalid"/>: nothing of the model can be computed in this precision;
    /// <see cref="DemucsError.PreparationRefused"/>: a test has refused the copy.
    /// </exception>
    /// <exception cref="OperationCanceledException">The work was canceled.</exception>
    public static PreparedModel? Prepare(
        string modelPath,
        GraphTarget target,
        PreparationCache cache,
        Action<string>? warn,
        CancellationToken cancellationToken
    ) => Prepare(modelPath, target, cache, warn, renew: false, evenIfRefused: false, cancellationToken);

    /// <summary>
    /// As above; with <paramref name="renew"/> a copy that is in the cache is not used but replaced, with <paramref name="evenIfRefused"/>
    /// one that a test has refused is made, to test it again.
    /// </summary>
    internal static PreparedModel? Prepare(
        string modelPath,
        GraphTarget target,
        PreparationCache cache,
        Action<string>? warn,
        bool renew,
        bool evenIfRefused,
        CancellationToken cancellationToken
    )
    {
        if (RunsAsItIs(modelPath, target.Precision))
            return null;
        // Hashed before it is read: where a copy is present, a model of hundreds of megabytes need not be in memory twice.
        string name = NameOf(modelPath, target, cancellationToken);
        if (!evenIfRefused && cache.ReasonAgainst(name) is { } reason)
            throw Refusal(modelPath, reason);
        if (Find(name, modelPath, cache, renew) is { } found)
            return found;

        byte[] source = Reading(modelPath, () => File.ReadAllBytes(modelPath));
        cancellationToken.ThrowIfCancellationRequested();
        if (Rewrite(source, modelPath, target, model => Fold(modelPath, model, cache, cancellationToken)) is not { } rewritten)
            return null;
        cancellationToken.ThrowIfCancellationRequested();
        if (NameOf(modelPath, target, cancellationToken) != name)
            throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"Model '{modelPath}' is being changed by another program. Try again when that is done.",
                modelPath
            );
        RemoveBeside(modelPath, source);
        IReadOnlyList<ReadOnlyMemory<byte>> copy = CopySeal.Seal(rewritten.Write(), cancellationToken);
        return Keep(
            name,
            System.IO.Path.GetDirectoryName(modelPath)!,
            cache,
            () => cache.Add(name, copy, cancellationToken),
            () => GraphModel.Join(copy),
            warn,
            cancellationToken
        );
    }

    /// <summary>Whether a file is a copy already, or holds nothing that could be rewritten.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: so it is, and it is in another precision than was
    /// requested.</exception>
    private static bool RunsAsItIs(string modelPath, ModelPrecision precision)
    {
        // What was prepared once, the runtime would fold again, and then there is this and that to rewrite again.
        if (ModelFiles.IsPrepared(modelPath))
            return ModelFiles.IsInt8(modelPath) == (precision == ModelPrecision.Int8)
                ? true
                : throw Wrong(
                    $"'{modelPath}' is a prepared copy of a model, for {(precision == ModelPrecision.Int8 ? "full precision" : "the precision Int8")}. Give the original model."
                );
        if (IsSealed(modelPath))
            return precision == ModelPrecision.Full
                ? true
                : throw Wrong(
                    $"'{modelPath}' is optimized for full precision, and cannot be rewritten for the precision {precision}. Give the original model."
                );
        if (IsRuntimeFormat(modelPath))
            return precision == ModelPrecision.Full
                ? true
                : throw Wrong(
                    $"Model '{modelPath}' is in ONNX Runtime's own format, which cannot be rewritten for the precision {precision}. Use the precision Full, or the .onnx file it was converted from."
                );
        return false;

        DemucsException Wrong(string message) => new(DemucsError.ParameterInvalid, message, modelPath);
    }

    /// <summary>A copy that is in the cache, to be disposed; null if there is none.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="modelPath">Full path of the model that it is of.</param>
    /// <param name="cache">Where copies lie.</param>
    /// <param name="renew">Whether it is not wanted even if there is one.</param>
    internal static PreparedModel? Find(string name, string modelPath, PreparationCache cache, bool renew) =>
        !renew && cache.Find(name) is { } found
            ? new PreparedModel(name, System.IO.Path.GetDirectoryName(modelPath)!, found) { WasFound = true }
            : null;

    /// <summary>Puts a copy that is written piece by piece into the cache; into memory, where that cannot be written to.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="modelPath">Full path of the model that it is of.</param>
    /// <param name="cache">Where copies lie.</param>
    /// <param name="write">Writes it, without its seal; called again where the first time failed.</param>
    /// <param name="warn">Receives a message for the user where the copy cannot be kept; null to go without.</param>
    /// <param name="cancellationToken">Ends the work; no copy is left.</param>
    /// <returns>The copy, to be disposed.</returns>
    internal static PreparedModel Keep(
        string name,
        string modelPath,
        PreparationCache cache,
        Action<Stream> write,
        Action<string>? warn,
        CancellationToken cancellationToken
    )
    {
        return Keep(
            name,
            System.IO.Path.GetDirectoryName(modelPath)!,
            cache,
            () => cache.Add(name, stream => CopySeal.Write(stream, write, cancellationToken)),
            InMemory,
            warn,
            cancellationToken
        );

        byte[] InMemory()
        {
            using MemoryStream memory = new();
            CopySeal.Write(memory, write, cancellationToken);
            return memory.ToArray();
        }
    }

    private static PreparedModel Keep(
        string name,
        string folder,
        PreparationCache cache,
        Func<FileStream> add,
        Func<byte[]> inMemory,
        Action<string>? warn,
        CancellationToken cancellationToken
    )
    {
        try
        {
            // Run as it is found there by whoever comes later, never as it is here.
            PreparedModel kept = new(name, folder, add());
            try
            {
                if (kept.IsIntact(cancellationToken))
                    return kept;
            }
            catch
            {
                kept.Dispose();
                throw;
            }
            kept.Discard();
            throw new IOException($"'{kept.Path}' reads back differently than it was written.");
        }
        catch (Exception e) when (e.IsFileError())
        {
            warn?.Invoke(
                $"Prepared copies of models cannot be stored in '{cache.Folder}', so they are made again each time, in memory. {e.Message} Free disk space there, or set ${PreparationCache.FolderVariable} to a writable folder."
            );
            return new PreparedModel(name, folder, inMemory());
        }
    }

    /// <summary>
    /// The model's own graph in float64 as far as the runtime computes in that, see <see cref="Float64Graph"/>; in memory only. It is not a
    /// copy to separate with, but an account of what exported and
    /// prepared graph should give.
    /// </summary>
    /// <param name="modelPath">Full path of an existing model file.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: the model is none that can be computed so, and why;
    /// <see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read.</exception>
    internal static PreparedModel InFloat64(string modelPath)
    {
        if (IsRuntimeFormat(modelPath))
            throw NotInFloat64(modelPath, "it is in ONNX Runtime's own format");
        return InFloat64(GraphOf(Reading(modelPath, () => File.ReadAllBytes(modelPath)), modelPath), modelPath);
    }

    /// <summary>As above, of a graph that was made of the file.</summary>
    internal static PreparedModel InFloat64(GraphModel graph, string modelPath)
    {
        try
        {
            Float64Graph.Apply(graph);
        }
        catch (NotSupportedException e)
        {
            throw NotInFloat64(modelPath, e.Message);
        }
        return new PreparedModel(System.IO.Path.GetFileName(modelPath), System.IO.Path.GetDirectoryName(modelPath)!, graph.ToBytes());
    }

    private static DemucsException NotInFloat64(string modelPath, string reason) =>
        new(DemucsError.DemucsModelInvalid, $"Model '{modelPath}' cannot be computed in float64: {reason}.", modelPath);

    /// <summary>
    /// Keeps a model's copies from being used: a test found them to be less exact than the model. Only what changes the copy's name, such
    /// as another version, or a new test lifts that.
    /// </summary>
    /// <param name="modelPath">Full path of the model's file.</param>
    /// <param name="cache">Where copies lie.</param>
    /// <param name="reason">Why, a sentence.</param>
    /// <param name="cancellationToken">Ends it before anything is written.</param>
    /// <returns>The error that using them is from now on. Where the cache cannot be written to, it says so, and they will be
    /// used.</returns>
    internal static DemucsException Refuse(string modelPath, PreparationCache cache, string reason, CancellationToken cancellationToken)
    {
        try
        {
            cache.Refuse(NameOf(modelPath, GraphTarget.Cpu, cancellationToken), reason);
        }
        catch (Exception e) when (e.IsFileError())
        {
            reason +=
                $" This cannot be recorded in the cache '{cache.Folder}', so the copy will still be used unless preparation is turned off: {e.Message}";
        }
        return Refusal(modelPath, reason);
    }

    /// <summary>Refuses a model whose copies are refused, without making or looking at one.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.PreparationRefused"/>; <see cref="DemucsError.DemucsModelNotFound"/>: the
    /// model cannot be read.</exception>
    internal static void CheckRefusal(string modelPath, PreparationCache cache)
    {
        // A model's name in the cache takes reading all of it, which is rarely worth it.
        if (
            cache.HoldsRefusals
            && NameFor(modelPath, GraphTarget.Cpu, CancellationToken.None) is { } name
            && cache.ReasonAgainst(name) is { } reason
        )
            throw Refusal(modelPath, reason);
    }

    /// <summary>Lets a model's copies be used again.</summary>
    internal static void Allow(string modelPath, PreparationCache cache, CancellationToken cancellationToken) =>
        cache.Allow(NameOf(modelPath, GraphTarget.Cpu, cancellationToken));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            _file?.Dispose();
    }

    /// <summary>Disposes it, and removes it from the cache.</summary>
    internal void Discard()
    {
        Dispose();
        if (Path is not null)
            PreparationCache.Delete(Path);
    }

    /// <summary>Whether the copy is as it was made. Reads it to its end, once.</summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    internal bool IsIntact(CancellationToken cancellationToken) => Read(cancellationToken).IsIntact;

    /// <summary>SHA-256 of the copy, in lower-case hexadecimal digits. Reads it to its end, once.</summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    internal string Hash(CancellationToken cancellationToken) => Read(cancellationToken).Sha256;

    /// <summary>The same for another user, who disposes it, too.</summary>
    internal PreparedModel Share()
    {
        Interlocked.Increment(ref _users);
        return this;
    }

    /// <summary>Loads the copy.</summary>
    /// <exception cref="OnnxRuntimeException">The runtime refuses it.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read any more.</exception>
    internal OnnxSession Open(OnnxSessionOptions options, CancellationToken cancellationToken)
    {
        OnnxSession session = Load(options with { WeightsFolder = _weightsFolder }, cancellationToken);
        // What loading took is of no use any more, and would count among the most that the process takes: by itself the collector would
        // come for it after the first run, if ever.
        if (_bytes is null && Length > BytesWorthCollecting)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            OnnxSession.GiveBackFreedMemory();
        }
        return session;
    }

    /// <summary>The copy, an ONNX file's bytes.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read any more.</exception>
    /// <exception cref="ObjectDisposedException">The copy is disposed.</exception>
    public byte[] ToBytes()
    {
        if (_bytes is not null)
            return _bytes;
        return Reading(Path!, () =>
        {
            using Stream stream = OpenStream();
            byte[] bytes = new byte[Length];
            stream.ReadExactly(bytes);
            return bytes;
        });
    }

    /// <summary>
    /// The name of the copy that a model file would be run as, if there is anything to rewrite; null if it runs without preparation.
    /// </summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read.</exception>
    internal static string? NameFor(string modelPath, GraphTarget target, CancellationToken cancellationToken) =>
        ModelFiles.IsPrepared(modelPath) || IsSealed(modelPath) || IsRuntimeFormat(modelPath)
            ? null
            : NameOf(modelPath, target, cancellationToken);

    /// <summary>
    /// Whether a file was written by this library in the form that runs best, whatever it is called: there is nothing to prepare.
    /// </summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read.</exception>
    private static bool IsSealed(string path) => Reading(path, () =>
        {
            using FileStream stream = RegularFile.OpenRead(path, bufferSize: 0);
            return CopySeal.Ends(stream);
        });

    /// <summary>Whether a file is in ONNX Runtime's own format.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read.</exception>
    internal static bool IsRuntimeFormat(string path) => Reading(path, () =>
        {
            using FileStream stream = RegularFile.OpenRead(path);
            Span<byte> head = stackalloc byte[8];
            return stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length
                && head[4..].SequenceEqual(RuntimeFormat);
        });

    private (string Sha256, bool IsIntact) Read(CancellationToken cancellationToken)
    {
        lock (_reading)
        {
            return _read ??= Reading(Path ?? Name, () =>
            {
                using Stream stream = OpenStream();
                return CopySeal.Read(stream, cancellationToken);
            });
        }
    }

    /// <summary>The copy from its beginning. Several may read at once.</summary>
    private Stream OpenStream()
    {
        if (_bytes is not null)
            return new MemoryStream(_bytes, writable: false);
        ObjectDisposedException.ThrowIf(_file!.SafeFileHandle.IsClosed, this);
        return new FileStream(
            new SafeFileHandle(_file.SafeFileHandle.DangerousGetHandle(), ownsHandle: false),
            FileAccess.Read,
            bufferSize: 0
        )
        {
            Position = 0,
        };
    }

    // Not inlined, so that the bytes are unreferenced when it returns.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private OnnxSession Load(OnnxSessionOptions options, CancellationToken cancellationToken)
    {
        // Only the CPU's plans are known to hold memory for shapes; others may want to know them.
        if (options.ExecutionProvider == ExecutionProvider.Cpu)
        {
            OnnxSession session = Mapped(options, cancellationToken)
                ?? OnnxSession.FromBytes(ShapeHiding.Apply(ToBytes()), options, cancellationToken);
            // Of what a Demucs model gives, only the batch may be open. Where a file does not declare the rest, the runtime has to find it
            // out.
            if (session.Outputs.All(output => output.Shape.Skip(1).All(length => length > 0)))
                return session;
            session.Dispose();
        }
        return OnnxSession.FromBytes(ToBytes(), options, cancellationToken);
    }

    /// <summary>
    /// A session that takes its weights from the file, which the system reads into memory as they are requested: otherwise they would be
    /// there twice in this process and once more in the
    /// runtime, before it makes of them what it computes with. Null if that is not to be done.
    /// </summary>
    private OnnxSession? Mapped(OnnxSessionOptions options, CancellationToken cancellationToken)
    {
        if (_file is null || !BitConverter.IsLittleEndian)
            return null;
        using MappedCopy copy = Reading(Path!, () => new MappedCopy(_file.SafeFileHandle, (int)Length));
        byte[] head;
        try
        {
            GraphModel graph = GraphModel.Parse(copy.Memory);
            // The runtime takes weights either from files or from here.
            if (graph.MayHaveExternalData)
                return null;
            ShapeHiding.Apply(graph);
            head = graph.WriteHead(copy.Memory, Name);
        }
        catch (InvalidDataException)
        {
            // A damaged copy is found out elsewhere.
            return null;
        }
        return OnnxSession.FromBytes(head, Name, copy.Address, Length, options, cancellationToken);
    }

    private static GraphModel GraphOf(ReadOnlyMemory<byte> bytes, string? path)
    {
        try
        {
            return GraphModel.Parse(bytes);
        }
        catch (InvalidDataException e)
        {
            throw Invalid(path, e);
        }
    }

    private static GraphModel? Rewrite(
        ReadOnlyMemory<byte> bytes,
        string? path,
        GraphTarget target,
        Func<byte[]?, GraphModel?>? fold
    )
    {
        try
        {
            GraphModel model = GraphModel.Parse(bytes);
            string? folder = System.IO.Path.GetDirectoryName(path);
            // The runtime would put nodes in their place that are hard to recognize.
            bool lowered = NormalizationLowering.Apply(model);
            // For the CPU the runtime would put a conversion around every operator of 16-bit floats, and they would stay for other
            // providers.
            if (fold is not null && !model.HoldsHalves && fold(lowered ? model.ToBytes() : null) is { } folded)
                model = folded;
            bool placed = Reading(path, () => PositionEmbeddings.Apply(model, folder)),
                quicker = Reading(path, () => KernelRewrites.Apply(model, folder, target.Form)),
                exacter = target.Form.HasShortSums() && ExactSumRewrites.Apply(model);
            if (target.Precision == ModelPrecision.Full)
                return lowered || placed || quicker || exacter ? model : null;
            return Reading(path, () => Int8Products.Apply(model, folder)) > 0
                ? model
                : throw new DemucsException(
                    DemucsError.ParameterInvalid,
                    $"Model '{path}' has no 32-bit float matrix products that are worth computing in 8 bits, so the precision {target.Precision} would change nothing. Use the precision Full.",
                    path
                );
        }
        catch (InvalidDataException e)
        {
            throw Invalid(path, e);
        }
    }

    /// <summary>
    /// Lets the runtime compute all constants of a model, shapes above all, without which little is known of an exported graph. Weights in
    /// a second file stay there. Null if
    /// the runtime has no kernel on the CPU for an operator of the model: then it is the same each time.
    /// </summary>
    /// <param name="path">The model's file.</param>
    /// <param name="model">The model in place of what is in the file; null for that.</param>
    /// <param name="cache">Where to write what the runtime makes of it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="DemucsException">The model cannot be loaded, or there is nowhere to write.</exception>
    internal static GraphModel? Fold(string path, byte[]? model, PreparationCache cache, CancellationToken cancellationToken)
    {
        Exception? refusal = null;
        foreach (string folder in new[] { cache.Folder, cache.OtherFolder })
        {
            try
            {
                return Fold(path, model, folder, cancellationToken);
            }
            catch (Exception e) when (e is InvalidDataException || e.IsFileError())
            {
                refusal ??= e;
            }
        }
        throw new DemucsException(
            DemucsError.ModelWriteFailed,
            $"Model '{path}' cannot be prepared: neither the cache '{cache.Folder}' nor the temporary folder '{cache.OtherFolder}' is writable. {refusal!.Message} Free disk space there, set ${PreparationCache.FolderVariable} to a writable folder, "
                + "or run the model without preparation.",
            path,
            refusal
        );
    }

    private static GraphModel? Fold(string path, byte[]? model, string folder, CancellationToken cancellationToken)
    {
        OnnxSessionOptions options = new()
        {
            // This level's rewrites suit any processor and any provider.
            OptimizationLevel = OnnxOptimizationLevel.Basic,
            IntraOpThreads = 1,
            ConfigEntries = new Dictionary<string, string> { ["session.disable_prepacking"] = "1" },
            WeightsFolder = System.IO.Path.GetDirectoryName(path),
        };
        Directory.CreateDirectory(folder);
        string folded = PreparationCache.TemporaryIn(folder);
        try
        {
            // Created here, so that a folder which cannot be written to is told from all that the runtime may say.
            new FileStream(folded, FileMode.CreateNew, FileAccess.Write).Dispose();
            try
            {
                Load(options with { OptimizedModelPath = folded });
            }
            catch (OnnxRuntimeException e) when (e.Code == OnnxRuntimeErrorCode.NotImplemented)
            {
                return null;
            }
            catch (OnnxRuntimeException e)
            {
                // What cannot be loaded cannot be loaded without writing either.
                try
                {
                    Load(options);
                }
                catch (OnnxRuntimeException fault)
                {
                    throw SeparationModel.NotLoaded(path, ExecutionProvider.Cpu, fault);
                }
                throw new IOException($"ONNX Runtime reports: {e.Message.ReplaceLineEndings(" ").Trim()}", e);
            }
            return GraphModel.Parse(File.ReadAllBytes(folded));
        }
        finally
        {
            PreparationCache.Delete(folded);
        }

        void Load(OnnxSessionOptions how) =>
            (
                model is null ? OnnxSession.FromFile(path, how, cancellationToken) : OnnxSession.FromBytes(model, how, cancellationToken)
            ).Dispose();
    }

    /// <summary>
    /// The name of a model's copy: by the model's file, and by what else the copy depends on, namely weights in other files, what folds it
    /// and what rewrites it.
    /// </summary>
    private static string NameOf(string modelPath, GraphTarget target, CancellationToken cancellationToken) =>
        Reading(modelPath, () =>
        {
            using IncrementalHash content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256),
                surroundings = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            DurableFiles.Append(content, modelPath, cancellationToken);
            surroundings.AppendData(Encoding.UTF8.GetBytes($"{RewriteVersion}\0{OnnxRuntimeLibrary.Version}\0{target.NamePart}"));
            foreach (string weights in ExternalWeights.Read(modelPath).Where(File.Exists))
            {
                surroundings.AppendData(
                    Encoding.UTF8.GetBytes(
                        $"{System.IO.Path.GetRelativePath(System.IO.Path.GetDirectoryName(modelPath)!, weights)}\0{RegularFile.Info(weights).Length}\0"
                    )
                );
                DurableFiles.Append(surroundings, weights, cancellationToken);
            }
            return PreparationCache.NameOf(modelPath, content.GetHashAndReset(), surroundings.GetHashAndReset(), target);
        });

    /// <summary>
    /// Removes what earlier versions made of just this model, next to it and in the folder that they used else: nothing uses it any more.
    /// </summary>
    private static void RemoveBeside(string modelPath, byte[] source)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int version = 1; version <= LastVersionBeside; version++)
        {
            hash.AppendData(source);
            hash.AppendData([(byte)version]);
            string name =
                $"{System.IO.Path.GetFileNameWithoutExtension(modelPath)}.{Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8))}";
            foreach (
                string folder in new[]
                {
                    System.IO.Path.GetDirectoryName(modelPath)!,
                    System.IO.Path.Combine(ApplicationFolder.Path, "prepared"),
                }
            )
            {
                PreparationCache.Delete(System.IO.Path.Combine(folder, name + ModelFiles.PreparedSuffix));
                PreparationCache.Delete(System.IO.Path.Combine(folder, name + ModelFiles.Int8Suffix));
            }
        }
    }

    private static DemucsException Refusal(string modelPath, string reason) =>
        new(
            DemucsError.PreparationRefused,
            $"Model '{modelPath}' is not prepared: a test found that the prepared copy is less accurate than the model as exported. {reason}",
            modelPath
        )
        {
            Remedies = [Remedy.NoPreparation],
        };

    private static T Reading<T>(string? path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(DemucsError.DemucsModelNotFound, $"Model '{path}' cannot be read: {e.Message}", path, e);
        }
    }

    private static DemucsException Invalid(string? path, InvalidDataException e) =>
        new(
            DemucsError.DemucsModelInvalid,
            $"{(path is null ? "The model" : $"Model '{path}'")} is damaged, incomplete or not an ONNX file: {e.Message}.{(path is null ? "" : " Copy or download it again.")}",
            path,
            e
        );
}
