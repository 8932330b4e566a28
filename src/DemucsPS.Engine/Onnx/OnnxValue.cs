namespace DemucsPS.Engine.Onnx;

/// <summary>
/// A tensor in a graph under construction: an input, a constant or a node's result. Its operators add the elementwise node
/// (with ONNX broadcasting), so that formulas in a graph read like formulas.
/// </summary>
internal sealed class OnnxValue
{
    /// <summary>Creates a value; only <see cref="OnnxGraphWriter"/> does.</summary>
    public OnnxValue(OnnxGraphWriter graph, string name)
    {
        Graph = graph;
        Name = name;
    }

    /// <summary>The graph it belongs to.</summary>
    public OnnxGraphWriter Graph { get; }

    /// <summary>Its name in the file. A result is renamed when it becomes an output of the graph.</summary>
    public string Name { get; set; }

    public static OnnxValue operator +(OnnxValue left, OnnxValue right) => left.Graph.Node("Add", [left, right]);

    public static OnnxValue operator +(OnnxValue left, float right) => left + left.Graph.Scalar(right);

    public static OnnxValue operator -(OnnxValue left, OnnxValue right) => left.Graph.Node("Sub", [left, right]);

    public static OnnxValue operator -(float left, OnnxValue right) => right.Graph.Scalar(left) - right;

    public static OnnxValue operator -(OnnxValue value) => value.Graph.Node("Neg", [value]);

    public static OnnxValue operator *(OnnxValue left, OnnxValue right) => left.Graph.Node("Mul", [left, right]);

    public static OnnxValue operator *(float left, OnnxValue right) => right.Graph.Scalar(left) * right;

    public static OnnxValue operator /(OnnxValue left, OnnxValue right) => left.Graph.Node("Div", [left, right]);
}
