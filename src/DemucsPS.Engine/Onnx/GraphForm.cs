namespace DemucsPS.Engine.Onnx;

/// <summary>
/// What a graph is written for. The same numbers can be computed by different operators, and what is quick on one execution provider is
/// slow or unknown on another.
/// </summary>
internal enum GraphForm
{
    /// <summary>ONNX Runtime's kernels on the CPU, for which the number of multiplications and the memory count.</summary>
    Cpu,

    /// <summary>Other kernels of ONNX Runtime, such as CUDA's. They multiply so quickly that passes over memory count.</summary>
    Accelerator,

    /// <summary>Providers that compile a graph of the standard's operators by themselves: OpenVINO, CoreML, plug-ins.</summary>
    Compiled,

    /// <summary>As above, in a reduced precision: OpenVINO in bfloat16.</summary>
    CompiledReduced,
}

/// <summary>What the forms of a graph differ in.</summary>
internal static class GraphFormTraits
{
    /// <summary>
    /// Whether convolutions are computed in tiles, as Winograd's filters do: a quarter of the multiplications, but more passes over
    /// memory and more of it, and where numbers are short, larger errors. OpenVINO gains nothing by them.
    /// </summary>
    public static bool HasTiles(this GraphForm form) => form is GraphForm.Cpu;

    /// <summary>Whether attention is ONNX Runtime's own operator, and not written out for a compiler to recognize.</summary>
    public static bool HasRuntimeAttention(this GraphForm form) => form is GraphForm.Cpu or GraphForm.Accelerator;

    /// <summary>
    /// Whether long sums are divided, into runs that stay exact. Where numbers are short that gains nothing, and its nodes take time to
    /// compile.
    /// </summary>
    public static bool HasShortSums(this GraphForm form) => form is not GraphForm.CompiledReduced;

    /// <summary>Whether tensors are cut by Slice and not by Split, which DirectML has been reported to compute wrongly.</summary>
    public static bool HasSlices(this GraphForm form) => form is GraphForm.Accelerator;

    /// <summary>Whether wide layers are computed some rows after the others: a few times as many nodes, and less memory at once.</summary>
    public static bool HasBlocks(this GraphForm form) => form is GraphForm.Cpu;
}
