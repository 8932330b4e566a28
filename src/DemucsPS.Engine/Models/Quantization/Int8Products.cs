using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Quantization;

/// <summary>
/// Computes products with constant matrices (the linear layers of htdemucs' transformer: 127 of 305 GFLOP a chunk) in 8-bit integers, by
/// ONNX Runtime's operator MatMulNBits. Weights are rounded here; what they are multiplied with is rounded by the runtime while it runs.
/// Both have a factor for each block of <see cref="BlockSize"/> values, so that a few large values cost their block precision and nothing
/// else.
/// </summary>
/// <remarks>
/// DynamicQuantizeMatMul, with one factor for all of the activations, is faster still (a chunk of htdemucs in 0.77 of the time of floats,
/// in place of 0.91), but loses up to 10 dB more where channels differ in level, and by microsoft/onnxruntime#27671 the runtime's kernels
/// for it are wrong on processors with AMX before version 1.25. Convolutions (ConvInteger) gain as little, and stems fall to 15 dB.
/// </remarks>
internal static class Int8Products
{
    /// <summary>Values that share a factor. Blocks of 128 save some hundredths more of the time, and lose 1 to 3 dB more.</summary>
    public const int BlockSize = 32;

    // The level at which the operator rounds what it is given to 8 bits, too; at lower ones it turns the weights back into floats.
    private const long Int8Accuracy = 4;

    // Of fewer rows or smaller matrices nothing is gained.
    private const int LeastRows = 32,
        LeastWeights = 4096;

    private const int Uint8 = 2;

    /// <summary>Rewrites a model in place.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">Where weights in another file lie; null for a model that has none.</param>
    /// <returns>How many products were rewritten.</returns>
    /// <exception cref="IOException">The weights cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">They may not be read.</exception>
    public static int Apply(GraphModel model, string? folder)
    {
        int count = 0;
        GraphRewriting.Apply(model, (node, facts, writer) =>
        {
            List<GraphNode>? nodes = Rewrite(node, facts, writer, folder);
            if (nodes is not null)
                count++;
            return nodes;
        });
        if (count > 0)
            model.RemoveUnusedInitializers();
        return count;
    }

    /// <summary>
    /// The nodes that give nearly the same tensor under the same name; null if this is no such product or too little is known of it.
    /// </summary>
    private static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter writer, string? folder)
    {
        bool general = node.Is("Gemm");
        if (!general && !node.Is("MatMul"))
            return null;
        if (
            node.Inputs.Length is < 2 or > 3
            || facts.Constant(node.Inputs[1])
                is not { ElementType: GraphTensor.Float32, Shape: [> 0 and <= int.MaxValue, > 0 and <= int.MaxValue] size } weights
        )
            return null;
        bool transposed = general && node.Integer("transB", 0) != 0;
        (long rows, long columns) = transposed ? (size[1], size[0]) : (size[0], size[1]);
        if (rows % BlockSize != 0 || rows * columns < LeastWeights)
            return null;
        if (
            facts.KnownShape(node.Inputs[0]) is not { Length: > 1 } left
            || left[^1] != rows
            || left[..^1].Aggregate(1L, (product, length) => product * length) < LeastRows
        )
            return null;
        if (general && (node.Integer("transA", 0) != 0 || node.Float("alpha", 1) != 1 || node.Float("beta", 1) != 1 || left.Length != 2))
            return null;
        string summand = node.Inputs.Length > 2 ? node.Inputs[2] : "";
        if (summand.Length > 0 && (!facts.IsFloatConstant(summand) || facts.KnownShape(summand) is not [var length] || length != columns))
            return null;
        if (
            weights.AllFloats(folder) is not { } matrix
            || BlockQuantization.Quantize(matrix, (int)rows, (int)columns, transposed, BlockSize) is not { } quantized
        )
            return null;

        Write(node, summand, quantized, rows, columns, writer);
        return writer.Nodes;
    }

    private static void Write(GraphNode node, string summand, BlockQuantization quantized, long rows, long columns, NodeWriter writer)
    {
        long blocks = rows / BlockSize;
        byte[] factors = new byte[quantized.Factors.Length * sizeof(float)];
        for (int i = 0; i < quantized.Factors.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(factors.AsSpan(i * sizeof(float)), quantized.Factors[i]);
        List<string> inputs =
        [
            node.Inputs[0],
            Constant(writer, Uint8, quantized.Values, columns, blocks, BlockSize),
            Constant(writer, GraphTensor.Float32, factors, columns * blocks),
        ];
        // Between the factors and the summands: zero points, by default the middle, and an order of the rows.
        if (summand.Length > 0)
            inputs.AddRange(["", "", summand]);
        writer.Nodes.Add(
            GraphNode.Create(
                GraphModel.RuntimeDomain,
                "MatMulNBits",
                CollectionsMarshal.AsSpan(inputs),
                [node.Outputs[0]],
                [
                    OnnxAttribute.Create("K", rows),
                    OnnxAttribute.Create("N", columns),
                    OnnxAttribute.Create("bits", 8),
                    OnnxAttribute.Create("block_size", BlockSize),
                    OnnxAttribute.Create("accuracy_level", Int8Accuracy),
                ]
            )
        );
    }

    private static string Constant(NodeWriter writer, long type, byte[] bytes, params ReadOnlySpan<long> shape) =>
        writer.Add(
            "Constant",
            [],
            null,
            OnnxAttribute.Create("value", new ProtobufMessage().Integers(1, shape).Integer(2, type).Block(9, bytes))
        );
}
