using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Models.Contracts;

/// <summary>What a model says of itself: what it takes and gives, and its metadata.</summary>
/// <param name="Inputs">The inputs, in order.</param>
/// <param name="Outputs">The outputs, in order.</param>
/// <param name="Metadata">The custom metadata.</param>
internal sealed record ModelSignature(
    IReadOnlyList<OnnxTensorInfo> Inputs,
    IReadOnlyList<OnnxTensorInfo> Outputs,
    IReadOnlyDictionary<string, string> Metadata
)
{
    /// <summary>
    /// Whether it leaves open more than the number of segments at once: then the runtime may know more, by what the model computes.
    /// </summary>
    public bool IsOpen => Inputs.Concat(Outputs).Any(t => t.Shape.Skip(1).Any(d => d < 0) || t.Shape.Count == 0);

    /// <summary>
    /// The same with what exporters leave open of the outputs (PyTorch's often do not know the number of channels) as it must be if the
    /// model fits a contract. Whether it does, loading it tells.
    /// </summary>
    public ModelSignature Completed()
    {
        if (Inputs.FirstOrDefault(i => i.Shape is [_, 2, > 0]) is not { } mix || mix.Shape[2] > int.MaxValue)
            return this;
        long segment = mix.Shape[2],
            frames = SegmentSpectrogram.FrameCount((int)segment);
        long stems = Outputs.Where(o => o.Shape.Count > 3).Select(o => o.Shape[1]).FirstOrDefault(s => s > 0, -1);
        int parts = Outputs.Count(o => o.Shape.Count == 5) == 2 ? 2 : SegmentSpectrogram.Planes;
        return this with
        {
            Outputs =
            [
                .. Outputs.Select(output =>
                    output.Shape.Count switch
                    {
                        4 => Fill(output, 2, segment),
                        5 => Fill(output, parts, SegmentSpectrogram.Bins, frames),
                        6 => Fill(output, 2, SegmentSpectrogram.Bins, frames, 2),
                        _ => output,
                    }
                ),
            ],
        };

        OnnxTensorInfo Fill(OnnxTensorInfo output, params long[] rest) =>
            output with
            {
                Shape = [.. output.Shape.Zip([mix.Shape[0], stems, .. rest], (declared, expected) => declared < 0 ? expected : declared)],
            };
    }

    /// <summary>The same of a graph that takes one segment at a time.</summary>
    /// <param name="batch">How many this one takes.</param>
    public ModelSignature OfOneSegment(int batch)
    {
        return this with { Inputs = [.. Inputs.Select(One)], Outputs = [.. Outputs.Select(One)] };

        OnnxTensorInfo One(OnnxTensorInfo tensor) =>
            tensor.Shape.Count > 0 && tensor.Shape[0] == batch ? tensor with { Shape = [1, .. tensor.Shape.Skip(1)] } : tensor;
    }
}
