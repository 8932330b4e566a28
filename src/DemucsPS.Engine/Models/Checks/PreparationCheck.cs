using System.Globalization;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Machine;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Models.Checks;

/// <summary>
/// Finds out whether a model's preparation loses against the model as exported. How far the two are apart does not say which of them is
/// off, and of an export with long sums it is the export: so both are compared with the exported graph in float64, which shares neither the
/// one's roundings nor the other's rewrites.
/// </summary>
internal static class PreparationCheck
{
    /// <summary>A preparation this close to float64 loses nothing that counts: rounding to 16 bits differs by 98 dB.</summary>
    public const double LeastPreparedDb = 100;

    /// <summary>
    /// How much farther off than the export a preparation must be to lose: the errors of two roundings alike differ by some dB, one that is
    /// wrong by tens.
    /// </summary>
    public const double LossDb = 10;

    /// <summary>
    /// Below this, where there is no float64 to tell which of them is off, they are too far apart to continue with the one that is not the
    /// model's own.
    /// </summary>
    public const double LeastDifferenceDb = 40;

    /// <summary>A stem that is quieter than the loudest by more is judged as if it were not: its error is inaudible.</summary>
    private const double QuietestDb = -60;

    /// <summary>
    /// What the graph in float64 takes of memory, against what the model does: 5.4 GB for 1.85 GB, the real-size htdemucs.
    /// </summary>
    private const double Float64Memory = 3;

    private static readonly TestChunk[] s_chunks = Enum.GetValues<TestChunk>();

    /// <summary>Left and right of each stem of each chunk; null for a chunk of which the stems are not finite.</summary>
    /// <param name="bag">The model.</param>
    /// <param name="music">What it gave for the first chunk, with music.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static float[][]?[] Separate(ModelBag bag, float[][]? music, CancellationToken cancellationToken) =>
        [music, .. s_chunks.Skip(1).Select(chunk => ModelCheck.Separate(bag, chunk, out _, cancellationToken))];

    /// <summary>Compares.</summary>
    /// <param name="source">The model.</param>
    /// <param name="options">How it runs on the CPU.</param>
    /// <param name="prepared">What its prepared copy gives, see <see cref="Separate"/>.</param>
    /// <param name="report">Receives what it is at.</param>
    /// <param name="memory">Bytes of memory that there are; null for what the process may have.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static PreparationFindings Run(
        ModelSource source,
        OnnxSessionOptions options,
        float[][]?[] prepared,
        Action<ModelTestStage>? report,
        long? memory,
        CancellationToken cancellationToken
    )
    {
        string? reason = null;
        float[][]?[]? exported = null;
        // Weights by themselves were never exported.
        if (!source.IsWeights)
        {
            report?.Invoke(ModelTestStage.Exported);
            if ((exported = SeparateTrial(source.For(ModelTrial.None), options, null, out reason, cancellationToken)) is null)
                return new PreparationFindings([], null, reason);
        }
        report?.Invoke(ModelTestStage.Recomputing);
        // At a higher level the runtime puts operators in the place of others for which it has no kernels in float64.
        options = options with { OptimizationLevel = OnnxOptimizationLevel.Basic };
        long available = memory ?? MachineLimits.Memory;
        float[][]?[] exact = SeparateTrial(source.For(ModelTrial.Float64), options, available, out reason, cancellationToken) ?? [];

        List<PreparationComparison> comparisons = [];
        List<string> losses = [];
        for (int i = 0; i < s_chunks.Length; i++)
        {
            PreparationComparison found = new()
            {
                Chunk = s_chunks[i],
                DifferenceDb = Agreement(exported?[i], prepared[i]),
                ExportedDb = Agreement(exact.ElementAtOrDefault(i), exported?[i]),
                PreparedDb = Agreement(exact.ElementAtOrDefault(i), prepared[i]),
            };
            comparisons.Add(found);
            string? loss =
                exported is null ? LossWithoutExport(found)
                : exported[i] is null ? null
                : Loss(found, prepared[i] is not null);
            if (loss is not null)
                losses.Add($"For {Describe(s_chunks[i])}, {loss}.");
        }
        return new PreparationFindings(comparisons, losses.Count > 0 ? string.Join(" ", losses) : null, reason);
    }

    /// <summary>
    /// As above, for a trial of a model. What cannot be compared is not called wrong: this gives null, and the findings say that less is
    /// known.
    /// </summary>
    private static float[][]?[]? SeparateTrial(
        ModelSource trial,
        OnnxSessionOptions options,
        long? availableForFloat64,
        out string? reason,
        CancellationToken cancellationToken
    )
    {
        reason = null;
        try
        {
            using ModelBag bag = ModelBag.Open(new ModelSelection { Models = [trial] }, null, options);
            long bytes = (long)(Float64Memory * ModelMemory.Estimate(trial, bag.Contract, 1, twice: false).Bytes);
            if (bytes > availableForFloat64)
            {
                reason = string.Create(
                    CultureInfo.InvariantCulture,
                    $"it would take about {bytes / 1e9:F1} GB of memory, but {availableForFloat64 / 1e9:F1} GB are available."
                );
                return null;
            }
            bag.Load(cancellationToken);
            return [.. s_chunks.Select(chunk => ModelCheck.Separate(bag, chunk, out _, cancellationToken))];
        }
        catch (DemucsException e)
        {
            reason = e.InnerException is OnnxRuntimeException fault
                ? $"ONNX Runtime reports: {fault.Message.ReplaceLineEndings(" ").Trim()}"
                : e.Message;
            return null;
        }
    }

    /// <summary>What a graph that was never exported loses, as text; null for nothing.</summary>
    private static string? LossWithoutExport(PreparationComparison found) =>
        found.PreparedDb < LeastDifferenceDb
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"its stems agree with a float64 computation only to {found.PreparedDb:F1} dB; at least {LeastDifferenceDb:F0} dB are expected"
            )
            : null;

    /// <summary>What a preparation loses on a chunk of which the exported model's stems are finite, as text; null for nothing.</summary>
    internal static string? Loss(PreparationComparison found, bool isFinite)
    {
        if (!isFinite)
            return "it gives values that are not finite, unlike the model as exported";
        if (found is { PreparedDb: { } prepared, ExportedDb: { } exported })
        {
            return prepared >= LeastPreparedDb || prepared >= exported - LossDb
                ? null
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"its stems agree with a float64 computation to {prepared:F1} dB, those of the model as exported to {exported:F1} dB"
                );
        }
        return found.DifferenceDb >= LeastDifferenceDb
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"its stems agree with those of the model as exported only to {found.DifferenceDb:F1} dB; at least {LeastDifferenceDb:F0} dB are expected"
            );
    }

    private static double? Agreement(float[][]? exact, float[][]? stems) => exact is null || stems is null ? null : Worst(exact, stems);

    /// <summary>The ratio of signal to error of the stem that is worst off, in dB.</summary>
    /// <param name="exact">Left and right of each stem.</param>
    /// <param name="stems">The same, to be judged.</param>
    internal static double Worst(float[][] exact, float[][] stems)
    {
        double[] signals = new double[exact.Length / 2],
            errors = new double[exact.Length / 2];
        for (int channel = 0; channel < exact.Length; channel++)
        {
            for (int i = 0; i < exact[channel].Length; i++)
            {
                double error = (double)stems[channel][i] - exact[channel][i];
                signals[channel / 2] += (double)exact[channel][i] * exact[channel][i];
                errors[channel / 2] += error * error;
            }
        }
        double least = signals.Max() * Math.Pow(10, QuietestDb / 10);
        return signals
            .Zip(errors, (signal, error) => error == 0 ? double.PositiveInfinity : 10 * Math.Log10(Math.Max(signal, least) / error))
            .Min();
    }

    private static string Describe(TestChunk chunk) =>
        chunk switch
        {
            TestChunk.Music => "a chunk with music",
            TestChunk.MostlySilence => "a chunk that is mostly silent",
            TestChunk.Offset => "a chunk with an offset",
            _ => throw new ArgumentOutOfRangeException(nameof(chunk), chunk, null),
        };
}
