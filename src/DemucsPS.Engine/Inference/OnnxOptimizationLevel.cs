namespace DemucsPS.Engine.Inference;

/// <summary>How far ONNX Runtime rewrites a graph when it loads it (<c>GraphOptimizationLevel</c>).</summary>
public enum OnnxOptimizationLevel
{
    /// <summary>The graph unchanged.</summary>
    None = 0,

    /// <summary>Rewrites that keep the meaning on any provider, such as constant folding.</summary>
    Basic = 1,

    /// <summary>Fusions of operators as well.</summary>
    Extended = 2,

    /// <summary>Layout changes as well.</summary>
    All = 99,
}
