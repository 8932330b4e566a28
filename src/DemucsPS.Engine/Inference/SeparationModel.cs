using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Preparation;

namespace DemucsPS.Engine.Inference;

/// <summary>A loaded model with its recognised contract. Thread-safe; runs may go on in parallel, each over its own <see cref="ModelTensors"/>.</summary>
public sealed class SeparationModel : IDisposable
{
    private readonly OnnxSession _session;

    private SeparationModel(OnnxSession session, string name, string? path, bool isDemucs, ModelFiles? files, bool isPrepared)
    {
        _session = session;
        Files = files;
        IsPrepared = isPrepared;
        Name = name;
        Path = path;
        IsDemucs = isDemucs;
        Contract = ModelContract.Recognise(session, path ?? name);
    }

    /// <summary>The model's name: the file's without its extension, or that of a built-in model. Names the output folder.</summary>
    public string Name { get; }

    /// <summary>Full path of the model's file; null for a built-in model.</summary>
    public string? Path { get; }

    /// <summary>False for the built-in baseline, which is classical signal processing.</summary>
    public bool IsDemucs { get; }

    /// <summary>Whether the file's prepared copy runs.</summary>
    internal bool IsPrepared { get; }

    /// <summary>What was loaded; null for a built-in model.</summary>
    internal ModelFiles? Files { get; }

    /// <summary>What the model takes and gives.</summary>
    public ModelContract Contract { get; }

    /// <summary>Loads a model.</summary>
    /// <param name="source">A built-in model's name or the full path of a file.</param>
    /// <param name="options">How it will run.</param>
    /// <param name="prepare">Whether to run its prepared copy, see <see cref="PreparedModel"/>, which is made if it is missing. Built-in models need none.</param>
    /// <param name="warn">Takes a sentence for the user where the copy cannot be kept; null to go without.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelNotFound"/>, <see cref="DemucsError.DemucsModelInvalid"/> (not ONNX, weights missing, another contract) or
    /// <see cref="DemucsError.OnnxRuntimeUnavailable"/>.
    /// </exception>
    public static SeparationModel Load(ModelSource source, OnnxSessionOptions options, bool prepare = false, Action<string>? warn = null)
    {
        string? path = source.Path is { } original && prepare ? PreparedModel.Prepare(original, null, warn, CancellationToken.None) : source.Path;
        ModelFiles? files = path is null ? null : ModelFiles.Of(source.Path!, path);
        OnnxSession session;
        try
        {
            session = path is null ? OnnxSession.FromBytes(BaselineModel.Build(), options) : OnnxSession.FromFile(path, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new DemucsException(DemucsError.DemucsModelInvalid, Explain(source, e), source.Path, e);
        }
        try
        {
            return new SeparationModel(session, source.Name, source.Path, isDemucs: source.Path is not null, files, isPrepared: path != source.Path);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Runs the model on the inputs in <paramref name="tensors"/> and leaves its outputs there.</summary>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelInvalid"/>: the runtime failed on this model; its own words. <see cref="DemucsError.OutOfMemory"/>: it lacked memory.
    /// </exception>
    public void Run(ModelTensors tensors, CancellationToken cancellationToken)
    {
        ModelContract c = Contract;
        try
        {
            _session.Run(
                [
                    OnnxTensor.Create(c.WaveformInput, tensors.WaveformMemory, 1, 2, c.SegmentFrames),
                    OnnxTensor.Create(c.SpectrogramInput, tensors.SpectrogramMemory, 1, Spectral.SegmentSpectrogram.Planes, Spectral.SegmentSpectrogram.Bins, c.SpectrogramFrames),
                ],
                [
                    OnnxTensor.Create(c.SpectrogramOutput, tensors.StemSpectrogramMemory, 1, c.Stems.Count, Spectral.SegmentSpectrogram.Planes, Spectral.SegmentSpectrogram.Bins, c.SpectrogramFrames),
                    OnnxTensor.Create(c.WaveformOutput, tensors.StemWaveformMemory, 1, c.Stems.Count, 2, c.SegmentFrames),
                ],
                cancellationToken);
        }
        catch (OnnxRuntimeException e) when (e.IsOutOfMemory)
        {
            throw new DemucsException(DemucsError.OutOfMemory, $"There is not enough memory to run model '{Path ?? Name}': {e.Message} Run fewer jobs, or close other programs.", Path, e);
        }
        catch (OnnxRuntimeException e)
        {
            throw new DemucsException(DemucsError.DemucsModelInvalid, $"Model '{Path ?? Name}' failed while running: {e.Message}", Path, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private static string Explain(ModelSource source, OnnxRuntimeException e)
    {
        string path = source.Path ?? source.Name;
        // The runtime's message for missing weights names them only in passing, so the remedy is said in full.
        return e.Message.Contains("external", StringComparison.OrdinalIgnoreCase) || e.Message.Contains(".data", StringComparison.OrdinalIgnoreCase)
            ? $"Model '{path}' cannot be loaded: its weights are in a second file (usually *.onnx.data), which must lie beside it under the name it was exported with. ONNX Runtime says: {e.Message}"
            : $"Model '{path}' cannot be loaded; it may be damaged, incomplete or not an ONNX file. ONNX Runtime says: {e.Message}";
    }
}
