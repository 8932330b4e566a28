using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Replaces the sinusoidal position embeddings that a graph adds to what its transformer takes, computed in float32 when it was exported,
/// by the same rounded once. Their angles go up to
/// 1,343, and a sine's error is that of its angle: this alone costs htdemucs 113 dB, more than everything else together.
/// </summary>
/// <remarks>
/// The formulas are those of Demucs (create_sin_embedding and create_2d_sin_embedding in
/// https://github.com/adefossez/demucs/blob/main/demucs/transformer.py). A constant is taken for such a
/// table only if every one of its values, tens of thousands, agrees with them as far as float32 allows.
/// </remarks>
internal static class PositionEmbeddings
{
    private const double MaxPeriod = 10_000;

    /// <summary>Fewer values could agree by chance.</summary>
    private const long FewestValues = 1024;

    /// <summary>More than any model's.</summary>
    private const long MostValues = 1L << 26;

    /// <summary>What rounding may change a value, for each unit of its angle and one more.</summary>
    private const double Tolerance = 2e-6;

    /// <summary>Rewrites a model in place.</summary>
    /// <param name="model">The model, its constants computed.</param>
    /// <param name="folder">Where weights in another file lie; null to read none.</param>
    /// <returns>Whether anything was changed.</returns>
    public static bool Apply(GraphModel model, string? folder)
    {
        bool changed = GraphRewriting.Apply(model, (node, facts, w) => Rewrite(node, facts, w, folder));
        if (changed)
            model.RemoveUnusedInitializers();
        return changed;
    }

    private static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter w, string? folder)
    {
        if (!node.Is("Add") || node.Inputs.Length != 2 || node.Outputs.Length != 1)
            return null;
        int at = facts.Constant(node.Inputs[1]) is not null ? 1 : 0;
        if (
            facts.Constant(node.Inputs[at]) is not { ElementType: GraphTensor.Float32, Shape.Length: > 1 } constant
            || constant.Shape.Any(length => length is < 1 or > MostValues)
        )
            return null;
        long count = constant.Shape.Aggregate(1L, (product, length) => product > MostValues ? product : product * length);
        if (count is < FewestValues or > MostValues || constant.Shape.Where(length => length > 1).ToArray() is not [var first, var last])
            return null;
        if (constant.FoundFloats(folder) is not { } values)
            return null;
        if (
            (Exact(values, (int)first, (int)last, 1, (int)last) ?? Exact(values, (int)last, (int)first, (int)last, 1)) is not { } exact
            || exact.AsSpan().SequenceEqual(values)
        )
            return null;
        string table = w.Constant(exact, constant.Shape);
        w.AddLike(node, at == 1 ? [node.Inputs[0], table] : [table, node.Inputs[1]], node.Outputs[0]);
        return w.Nodes;
    }

    /// <summary>The values rounded once; null if they are not a table of position embeddings.</summary>
    private static float[]? Exact(float[] values, int positions, int channels, int channelStride, int positionStride)
    {
        if (channels % 4 != 0 || channels < 8 || positions < 2)
            return null;
        int half = channels / 2;
        // One axis: cosines, then sines. Their first value is 1, whatever the table was multiplied with.
        if (
            Filled(values[0], (position, channel) => (position / Math.Pow(MaxPeriod, channel % half / (half - 1.0)), channel < half)) is
            { } table
        )
            return table;
        // Two axes: a sine and a cosine in turn, in the first half of the channels for the column, in the second for the row. Which of both
        // runs first is tried.
        double[] frequencies = [.. Enumerable.Range(0, half / 2).Select(i => Math.Exp(-2 * i * Math.Log(MaxPeriod) / half))];
        for (int rows = 1; rows <= positions; rows++)
        {
            if (positions % rows != 0)
                continue;
            int columns = positions / rows;
            if (
                (
                    Plane(position => position / rows, position => position % rows)
                    ?? Plane(position => position % columns, position => position / columns)
                ) is
                { } plane
            )
                return plane;
        }
        return null;

        float[]? Plane(Func<int, int> column, Func<int, int> row) =>
            Filled(values[channelStride], (position, channel) =>
                ((channel < half ? column(position) : row(position)) * frequencies[channel % half / 2], channel % 2 == 1)
            );

        float[]? Filled(float scale, Func<int, int, (double Angle, bool Cosine)> of)
        {
            if (!float.IsFinite(scale) || scale == 0)
                return null;
            float[]? result = null;
            // From the last position, where tables of different forms differ most.
            for (int position = positions - 1; position >= 0; position--)
            {
                for (int channel = 0; channel < channels; channel++)
                {
                    (double angle, bool cosine) = of(position, channel);
                    double exact = scale * (cosine ? Math.Cos(angle) : Math.Sin(angle));
                    int i = position * positionStride + channel * channelStride;
                    if (!(Math.Abs(values[i] - exact) <= Math.Abs(scale) * Tolerance * (1 + angle)))
                        return null;
                    result ??= new float[values.Length];
                    result[i] = (float)exact;
                }
            }
            return result;
        }
    }
}
