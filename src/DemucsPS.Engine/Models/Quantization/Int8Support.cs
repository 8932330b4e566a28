using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Quantization;

/// <summary>
/// Whether the loaded library computes products of 8-bit integers, and rightly. Kernels differ by processor, and wrong ones have been
/// shipped (microsoft/onnxruntime#27671, of other operators), so a small product is computed before a model is trusted to them.
/// </summary>
internal static class Int8Support
{
    // More rows than any kernel takes at once, and some over.
    private const int Rows = 67,
        Depth = 8 * Int8Products.BlockSize,
        Columns = 80;

    // Activations rounded to 8 bits block by block give 44 dB; a wrong kernel gives no more than chance.
    private const double LeastDb = 35;

    // Once a process: it has one library and one processor.
    private static readonly Lazy<double> s_measured = new(() => Agreement(new OnnxSessionOptions()));

    /// <summary>Refuses to go on where it does not.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/>: the library cannot, or does it wrongly, or there
    /// is none.</exception>
    public static void Check()
    {
        double agreement;
        try
        {
            agreement = s_measured.Value;
        }
        catch (OnnxRuntimeException e)
        {
            throw new DemucsException(
                DemucsError.OnnxRuntimeUnavailable,
                $"The library '{OnnxRuntimeLibrary.Path}' (ONNX Runtime {OnnxRuntimeLibrary.Version}) does not support the precision Int8. Set ${OnnxRuntimeLibrary.PathVariable} to another library, or use the precision Full. ONNX Runtime reports: {e.Message.ReplaceLineEndings(" ").Trim()}",
                OnnxRuntimeLibrary.Path,
                e
            );
        }
        if (!(agreement >= LeastDb))
        {
            throw new DemucsException(
                DemucsError.OnnxRuntimeUnavailable,
                FormattableString.Invariant(
                    $"The library '{OnnxRuntimeLibrary.Path}' (ONNX Runtime {OnnxRuntimeLibrary.Version}) computes 8-bit integer products wrongly on this processor: they agree to {agreement:F0} dB, but at least {LeastDb:F0} dB are expected. Use the precision Full, or set ${OnnxRuntimeLibrary.PathVariable} to another library."
                ),
                OnnxRuntimeLibrary.Path
            );
        }
    }

    /// <summary>How well a small product of noise agrees with the same in 64-bit floats, in dB.</summary>
    /// <exception cref="OnnxRuntimeException">The library has no such operator.</exception>
    internal static double Agreement(OnnxSessionOptions options)
    {
        Random random = new(8);
        float[] left = Noise(Rows * Depth),
            right = Noise(Depth * Columns),
            result = new float[Rows * Columns];
        OnnxGraphWriter writer = new("probe");
        writer.Output(
            "y",
            writer.Node("MatMul", [writer.Input("x", Rows, Depth), writer.Constant(right, [Depth, Columns])]),
            Rows,
            Columns
        );
        GraphModel graph = GraphModel.Parse(writer.ToBytes("DemucsPS", ""));
        if (Int8Products.Apply(graph, null) != 1)
            throw new InvalidOperationException("The probe must be a product that fits.");
        using OnnxSession session = OnnxSession.FromBytes(graph.ToBytes(), options);
        session.Run([OnnxTensor.Create("x", left, Rows, Depth)], [OnnxTensor.Create("y", result, Rows, Columns)]);

        double signal = 0,
            error = 0;
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < Columns; column++)
            {
                double sum = 0;
                for (int i = 0; i < Depth; i++)
                    sum += (double)left[row * Depth + i] * right[i * Columns + column];
                double difference = sum - result[row * Columns + column];
                signal += sum * sum;
                error += difference * difference;
            }
        }
        return 10 * Math.Log10(signal / error);

        float[] Noise(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
    }
}
