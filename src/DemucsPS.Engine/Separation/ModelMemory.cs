using System.Globalization;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Engine.Separation;

/// <summary>What a loaded model is expected to take of memory. An estimate, to decide whether several models are loaded together.</summary>
/// <param name="Bytes">The weights, and what running takes.</param>
internal readonly record struct ModelMemory(long Bytes)
{
    // Weights grow with the square of a network's width, intermediate results with the width and the segment's length. The factor is that
    // of the real-size htdemucs: 165.6 MB of weights, 343,980 frames, 1.85 GB in all.
    private const double BytesPerFrame = 0.35;

    // As they lie in the file, and as the runtime repacks some of them.
    private const double WeightCopies = 1.5;

    // The built-in model has no weights; it takes as much as a small network.
    private const long BuiltInBytes = 4L << 20;

    /// <summary>Estimates a model.</summary>
    /// <param name="source">The model.</param>
    /// <param name="contract">Its contract, or that of another model of its bag.</param>
    /// <param name="jobs">Runs at once.</param>
    /// <param name="twice">Whether it is loaded twice, see <see cref="SeparationModel.LoadForOwnThreads"/>.</param>
    public static ModelMemory Estimate(ModelSource source, ModelContract contract, int jobs, bool twice)
    {
        double weights = source.Path is { } path ? WeightBytes(path) : BuiltInBytes;
        return new ModelMemory(
            (long)((twice ? 2 : 1) * WeightCopies * weights + jobs * BytesPerFrame * contract.SegmentFrames * Math.Sqrt(weights))
        );
    }

    /// <summary>Bytes that the buffers of a chunk take.</summary>
    public static long ChunkBytes(ModelContract contract)
    {
        long waveform = 2L * contract.SegmentFrames,
            spectrogram = (long)Spectral.SegmentSpectrogram.Planes * Spectral.SegmentSpectrogram.Bins * contract.SpectrogramFrames;
        // Inputs, outputs, results, and once more the spectrogram and the waveform as scratch.
        return sizeof(float) * ((2 + 3 * contract.Stems.Count) * waveform + (2 + contract.Stems.Count) * spectrogram);
    }

    /// <summary>The error where the program's own memory for chunks ran out.</summary>
    /// <param name="batchSize">Chunks of a batch.</param>
    /// <param name="e">What the system says.</param>
    public static DemucsException Lacking(int batchSize, OutOfMemoryException e) =>
        new(
            DemucsError.OutOfMemory,
            $"Not enough memory for a chunk: {e.Message} {(batchSize > 1 ? "Use smaller batches, run fewer jobs," : "Run fewer jobs,")} or close other programs.",
            null,
            e
        );

    /// <summary>The decision in a sentence.</summary>
    public static string Describe(IEnumerable<ModelMemory> models, bool inTurn, long budget)
    {
        double[] gigabytes = [.. models.Select(m => m.Bytes / 1e9)];
        return gigabytes.Length == 1
            ? string.Create(CultureInfo.InvariantCulture, $"about {gigabytes[0]:F1} GB")
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{gigabytes.Length} models, about {gigabytes.Sum():F1} GB in total, with {budget / 1e9:F1} GB available: loaded {(inTurn ? "one after another" : "together")}"
            );
    }

    private static long WeightBytes(string path) =>
        ModelFiles.IsWeights(path) ? WeightsModel.WeightBytes(path)
        : File.Exists(path) ? ExternalWeights.Read(path).Prepend(path).Select(RegularFile.Info).Where(f => f.Exists).Sum(f => f.Length)
        : 0;
}
