using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>The rewrites that let kernels do the same with fewer passes over memory or fewer products.</summary>
internal static class KernelRewrites
{
    /// <summary>Rewrites a model in place.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">Where weights in another file lie; null to read none.</param>
    /// <param name="form">What it is to run on.</param>
    /// <returns>Whether anything was changed.</returns>
    public static bool Apply(GraphModel model, string? folder, GraphForm form = GraphForm.Cpu)
    {
        bool attended = GraphRewriting.Apply(model, form.HasRuntimeAttention() ? AttentionFusion.Rewrite : AttentionLowering.Rewrite),
            normalized = GraphRewriting.Apply(
                model,
                (node, facts, writer) => NormalizedGluFusion.RewriteScaled(node, facts, writer, folder),
                (node, facts, writer) => NormalizedGluFusion.Rewrite(node, facts, writer, folder)
            ),
            tiled = form.HasTiles() && GraphRewriting.Apply(model, TiledGlu.Rewrite),
            split = GraphRewriting.Apply(
                model,
                GluConvolutionSplit.Rewrite,
                TransposedConvolutionSplit.RewriteSliced,
                TransposedConvolutionSplit.Rewrite
            ),
            summed = form.HasShortSums()
                && GraphRewriting.Apply(model, GroupNormalizationSplit.RewriteTransposed, GroupNormalizationSplit.Rewrite),
            elided = GraphRewriting.Apply(model, TransposeElision.Rewrite),
            sliced = form.HasSlices() && GraphRewriting.Apply(model, SplitLowering.Rewrite);
        return attended || normalized || tiled || split || summed || elided || sliced;
    }
}
