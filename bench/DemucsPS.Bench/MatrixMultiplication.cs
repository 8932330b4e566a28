using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Bench;

/// <summary>A square float32 matrix times a constant one through the runtime: what this machine can do at best.</summary>
internal sealed class MatrixMultiplication : IDisposable
{
    private const int Size = 2048;

    private readonly OnnxSession _session;
    private readonly float[] _x = new float[Size * Size];
    private readonly float[] _y = new float[Size * Size];

    public MatrixMultiplication(int threads)
    {
        OnnxGraphWriter graph = new("peak");
        Random random = new(1);
        for (int i = 0; i < _x.Length; i++)
            _x[i] = random.NextSingle() - 0.5f;
        graph.Output("y", graph.Node("MatMul", [graph.Input("x", Size, Size), graph.Constant(_x, [Size, Size])]), Size, Size);
        _session = OnnxSession.FromBytes(
            graph.ToBytes("DemucsPS", "One product of matrices."),
            new OnnxSessionOptions { IntraOpThreads = threads }
        );
    }

    /// <summary>Operations of one run.</summary>
    public static double Flop => 2.0 * Size * Size * Size;

    public void Run() => _session.Run([OnnxTensor.Create("x", _x, Size, Size)], [OnnxTensor.Create("y", _y, Size, Size)]);

    public void Dispose() => _session.Dispose();
}
