using System.Globalization;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models;

/// <summary>What a model's graph is written for. For each of them a model has another copy.</summary>
/// <param name="Precision"><see cref="ModelPrecision.Int8"/>, or <see cref="ModelPrecision.Full"/> for all others: providers round by
/// themselves to what is not integers.</param>
/// <param name="Form">What suits the provider that runs it.</param>
/// <param name="Batch">Segments that it takes at once, at least 1.</param>
internal readonly record struct GraphTarget(ModelPrecision Precision, GraphForm Form, int Batch)
{
    /// <summary>The CPU, one segment at a time.</summary>
    public static readonly GraphTarget Cpu = new(ModelPrecision.Full, GraphForm.Cpu, 1);

    /// <summary>The CPU in 8 bits, one segment at a time.</summary>
    public static readonly GraphTarget CpuInt8 = Cpu with { Precision = ModelPrecision.Int8 };

    /// <summary>By that a copy for this is told in its name from one for <see cref="Cpu"/>; empty for that.</summary>
    public string NamePart =>
        string.Concat(
            Form == GraphForm.Cpu ? "" : $"{Form}\0",
            Batch == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"{Batch} at once\0")
        );

    /// <summary>What runs on an execution provider in a precision.</summary>
    public static GraphTarget For(ExecutionProvider provider, ModelPrecision precision, int batch) =>
        new(
            precision == ModelPrecision.Int8 ? ModelPrecision.Int8 : ModelPrecision.Full,
            provider switch
            {
                ExecutionProvider.Cpu => GraphForm.Cpu,
                ExecutionProvider.Cuda or ExecutionProvider.DirectML or ExecutionProvider.WebGpu => GraphForm.Accelerator,
                _ => precision == ModelPrecision.Full ? GraphForm.Compiled : GraphForm.CompiledReduced,
            },
            batch
        );
}
