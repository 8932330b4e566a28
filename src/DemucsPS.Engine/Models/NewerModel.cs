using System.Text.RegularExpressions;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Models;

/// <summary>
/// Tells models that a runtime is too old for, or lacks an operator of, from damaged ones. How much a library knows, whichever it is, only
/// its own refusal says.
/// </summary>
/// <remarks>
/// The runtime's words: onnxruntime/core/graph/model.cc, model_load_utils.h, graph.cc and core/session/inference_session.cc, and those of
/// the ONNX checker in it.
/// </remarks>
internal static partial class NewerModel
{
    /// <summary>What a model has that the runtime has not; null if it was refused for something else.</summary>
    /// <param name="words">The runtime's refusal.</param>
    /// <param name="version">The runtime's version.</param>
    /// <returns>Sentences that continue after the model's name: fault and remedy.</returns>
    public static string? FaultOf(string words, string version)
    {
        if (IrVersion().Match(words) is { Success: true } format)
            return $"is too new for ONNX Runtime {version}: its IR version is {format.Groups[1].Value}, and that library reads up to {format.Groups[2].Value}. {Newer("an older version of the onnx package, or a lower IR version")}";
        if (OperatorSet().Match(words) is { Success: true } set)
            return $"is too new for ONNX Runtime {version}: it uses operator set {set.Groups[1].Value} of {set.Groups[2].Value}, and that library has up to {set.Groups[3].Value}. {Newer($"operator set {set.Groups[3].Value} or an older one")}";
        if (RuntimeFormat().Match(words) is { Success: true } own)
            return $"is in a version of ONNX Runtime's own format ({own.Groups[1].Value}) that ONNX Runtime {version} does not read. Convert it again with that version, or set {OnnxRuntimeLibrary.PathVariable} to the library it was made for.";
        if (Operator().Match(words) is { Success: true } unknown)
        {
            string name = unknown.Groups.Values.Skip(1).First(group => group.Success).Value;
            return $"uses the operator {name}, which ONNX Runtime {version} lacks in the operator set of the model. Set {OnnxRuntimeLibrary.PathVariable} to a library that has it (a newer one for a standard ONNX operator), or export the model again without it.";
        }
        return null;
    }

    private static string Newer(string with) =>
        $"Set {OnnxRuntimeLibrary.PathVariable} to a newer library, or export the model again with {with}.";

    [GeneratedRegex(@"Unsupported model IR version: (\d+), max supported IR version: (\d+)")]
    private static partial Regex IrVersion();

    [GeneratedRegex(@"Opset (\d+) is under development[\s\S]*support for domain (\S+) is till opset (\d+)")]
    private static partial Regex OperatorSet();

    [GeneratedRegex(@"ORT format model version \[([^\]]*)\] is not supported")]
    private static partial Regex RuntimeFormat();

    [GeneratedRegex(@"No Op registered for (\S+)|(\S+) is not a registered function/op|Could not find an implementation for (\S+)")]
    private static partial Regex Operator();
}
