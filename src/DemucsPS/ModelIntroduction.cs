using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;

namespace DemucsPS;

/// <summary>What cmdlets say of their models.</summary>
internal static class ModelIntroduction
{
    /// <summary>Writes for everybody that the built-in model is not Demucs.</summary>
    public static void Introduce(this Cmdlet cmdlet, ModelBag bag)
    {
        if (!bag.IsDemucs)
            cmdlet.WriteWarning(ModelSource.BaselineNotice);
    }

    /// <summary>Writes what the models are and what runs them, for those who want to know.</summary>
    public static void IntroduceLoaded(this Cmdlet cmdlet, ModelBag bag)
    {
        cmdlet.WriteVerbose(
            FormattableString.Invariant(
                $"Model {bag.Name}: stems {string.Join(", ", bag.Contract.Stems)}; segments of {(double)bag.Contract.SegmentFrames / DemucsAudio.SampleRate:F1} s; precision {bag.Precision}; execution provider {bag.ExecutionProvider} of ONNX Runtime {OnnxRuntimeLibrary.Version} from '{OnnxRuntimeLibrary.Path}'."
            )
        );
        cmdlet.WriteVerbose($"Memory for models: {bag.MemoryUse}.");
    }
}
