using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Models.HTDemucs;
using DemucsPS.Engine.Models.Quantization;
using DemucsPS.Engine.Models.Weights;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Models;

/// <summary>
/// A model whose file contains weights and no graph, see <see cref="HTDemucsWeights"/>: its graph is written by code, in the form that runs
/// best, and kept in the <see cref="PreparationCache"/> as
/// prepared copies are. There is no other form that it could be run in, so it is always that one.
/// </summary>
internal static class WeightsModel
{
    private static readonly int[] s_spectrogram = [SegmentSpectrogram.Planes, SegmentSpectrogram.Bins];

    /// <summary>Finds or makes the graph of a model.</summary>
    /// <param name="source">The model; its file has weights.</param>
    /// <param name="target">What it is for.</param>
    /// <param name="cache">Where graphs lie.</param>
    /// <param name="warn">Receives messages for the user; null to go without.</param>
    /// <param name="renew">Whether one that is in the cache is not used but replaced.</param>
    /// <param name="cancellationToken">Ends the work; nothing is left.</param>
    /// <returns>The graph, to be disposed.</returns>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelInvalid"/>: the file is damaged, or holds what is not understood;
    /// <see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read;
    /// <see cref="DemucsError.ParameterInvalid"/>: nothing of the model can be computed in this precision.
    /// </exception>
    public static PreparedModel Prepare(
        ModelSource source,
        GraphTarget target,
        PreparationCache cache,
        Action<string>? warn,
        bool renew,
        CancellationToken cancellationToken
    )
    {
        using HTDemucsWeights weights = Open(source, warn);
        string name = NameOf(source, weights, target, cancellationToken);
        return PreparedModel.Find(name, source.Path!, cache, renew)
            ?? PreparedModel.Keep(
                name,
                source.Path!,
                cache,
                stream => Write(weights, source, target, cache, stream, cancellationToken),
                warn,
                cancellationToken
            );
    }

    /// <summary>
    /// The graph of a model in float64 as far as the runtime computes in that, see <see cref="Float64Graph"/>: what the graph should give.
    /// </summary>
    /// <param name="source">The model; its file has weights.</param>
    /// <param name="cache">Where to write what the runtime makes of it on the way.</param>
    /// <param name="cancellationToken">Ends the work; nothing is left.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">As <see cref="Prepare"/>.</exception>
    public static PreparedModel InFloat64(ModelSource source, PreparationCache cache, CancellationToken cancellationToken)
    {
        using HTDemucsWeights weights = Open(source, null);
        return PreparedModel.InFloat64(Folded(weights, source, GraphTarget.Cpu, cache, cancellationToken), source.Path!);
    }

    /// <summary>Writes the graph of a model as an ONNX file.</summary>
    /// <param name="source">The model; its file has weights.</param>
    /// <param name="destination">Takes the file.</param>
    /// <param name="warn">Receives messages for the user; null to go without.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">As <see cref="Prepare"/>.</exception>
    public static void Write(ModelSource source, Stream destination, Action<string>? warn, CancellationToken cancellationToken)
    {
        using HTDemucsWeights weights = Open(source, warn);
        HTDemucsGraph.Write(weights, GraphOptions(weights, source, GraphTarget.Cpu), destination, cancellationToken);
    }

    /// <summary>The name that a model's graph has in the cache.</summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">As <see cref="Prepare"/>.</exception>
    public static string NameOf(ModelSource source, GraphTarget target, CancellationToken cancellationToken)
    {
        using HTDemucsWeights weights = Open(source, null);
        return NameOf(source, weights, target, cancellationToken);
    }

    /// <summary>What a model is, whatever its file looks like; see <see cref="HTDemucsWeights.Identify"/>.</summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">As <see cref="Prepare"/>.</exception>
    public static string Identify(string path, CancellationToken cancellationToken)
    {
        using HTDemucsWeights weights = HTDemucsWeights.Open(path);
        return weights.Identify(cancellationToken);
    }

    /// <summary>What a model's graph takes and gives, without writing it.</summary>
    /// <exception cref="DemucsException">As <see cref="Prepare"/>.</exception>
    public static ModelSignature Declare(ModelSource source)
    {
        using HTDemucsWeights weights = Open(source, null);
        long segment = SegmentFrames(weights, source.Segment),
            frames = SegmentSpectrogram.FrameCount((int)segment),
            stems = weights.Architecture.Sources.Count;
        return new ModelSignature(
            [Tensor("mix", 1, 2, segment), Tensor("spectrogram", [1, .. s_spectrogram, frames])],
            [Tensor("spectrograms", [1, stems, .. s_spectrogram, frames]), Tensor("waveforms", 1, stems, 2, segment)],
            new Dictionary<string, string> { [ModelContract.SourcesKey] = string.Join(',', weights.Architecture.Sources) }
        );

        static OnnxTensorInfo Tensor(string name, params long[] shape) => new(name, OnnxElementType.Float32, shape);
    }

    /// <summary>Bytes of a model's weights when they are raised to float32.</summary>
    /// <exception cref="DemucsException">As <see cref="Prepare"/>.</exception>
    public static long WeightBytes(string path)
    {
        using HTDemucsWeights weights = HTDemucsWeights.Open(path);
        return weights.Tensors.Sum(t => (long)t.Count * sizeof(float));
    }

    private static HTDemucsWeights Open(ModelSource source, Action<string>? warn)
    {
        HTDemucsWeights weights = HTDemucsWeights.Open(source.Path!, warn);
        try
        {
            HTDemucsGraph.Check(weights.Architecture, weights.Path);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <param name="weights">The weights.</param>
    /// <param name="source">The model.</param>
    /// <param name="target">What the graph is for.</param>
    /// <param name="cache">Where to write what the runtime makes of it on the way.</param>
    /// <param name="destination">Takes the graph.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private static void Write(
        HTDemucsWeights weights,
        ModelSource source,
        GraphTarget target,
        PreparationCache cache,
        Stream destination,
        CancellationToken cancellationToken
    )
    {
        if (target.Precision == ModelPrecision.Full)
        {
            HTDemucsGraph.Write(weights, GraphOptions(weights, source, target), destination, cancellationToken);
            return;
        }
        GraphModel graph = Folded(weights, source, target, cache, cancellationToken);
        if (Int8Products.Apply(graph, null) == 0)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"Model '{source.Path}' has no matrix products that are worth computing in 8 bits, so the precision {ModelPrecision.Int8} would change nothing. Use the precision Full.",
                source.Path
            );
        foreach (ReadOnlyMemory<byte> piece in graph.Write())
            destination.Write(piece.Span);
    }

    /// <summary>The graph in which the runtime has raised the weights to floats, and knows all shapes.</summary>
    private static GraphModel Folded(
        HTDemucsWeights weights,
        ModelSource source,
        GraphTarget target,
        PreparationCache cache,
        CancellationToken cancellationToken
    )
    {
        byte[] whole = HTDemucsGraph.ToBytes(weights, GraphOptions(weights, source, target), cancellationToken);
        return PreparedModel.Fold(source.Path!, whole, cache, cancellationToken) ?? GraphModel.Parse(whole);
    }

    private static HTDemucsGraphOptions GraphOptions(HTDemucsWeights weights, ModelSource source, GraphTarget target) =>
        new()
        {
            SegmentFrames = SegmentFrames(weights, source.Segment),
            Batch = target.Batch,
            Form = target.Form,
        };

    /// <summary>Of the segment that a bag gives its models, those that are shorter already keep theirs.</summary>
    private static int SegmentFrames(HTDemucsWeights weights, double? segment) =>
        segment is { } seconds && seconds <= weights.Architecture.Segment
            ? (int)(seconds * weights.Architecture.SampleRate)
            : weights.Architecture.SegmentFrames;

    private static string NameOf(
        ModelSource source,
        HTDemucsWeights weights,
        GraphTarget target,
        CancellationToken cancellationToken
    )
    {
        byte[] content = Convert.FromHexString(weights.Identify(cancellationToken));
        byte[] surroundings = SHA256.HashData(
            Encoding.UTF8.GetBytes(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"HTDemucs\0{HTDemucsGraph.Version}\0{PreparedModel.RewriteVersion}\0{SegmentFrames(weights, source.Segment)}\0{(target.Precision == ModelPrecision.Full ? "" : OnnxRuntimeLibrary.Version)}{target.NamePart}"
                )
            )
        );
        return PreparationCache.NameOf(source.Path!, content, surroundings, target);
    }
}
