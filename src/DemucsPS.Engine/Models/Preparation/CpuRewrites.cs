using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>The rewrites that let ONNX Runtime's CPU kernels do the same with fewer passes over memory or fewer products.</summary>
internal static class CpuRewrites
{
    /// <summary>Rewrites a model in place.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">Where weights in another file lie; null to read none.</param>
    /// <returns>Whether anything was changed.</returns>
    public static bool Apply(GraphModel model, string? folder) =>
        GraphRewriting.Apply(
            model,
            AttentionFusion.Rewrite,
            (node, facts, operatorSet, names) => NormalizedGateFusion.RewriteScaled(node, facts, operatorSet, names, folder),
            (node, facts, operatorSet, names) => NormalizedGateFusion.Rewrite(node, facts, operatorSet, names, folder),
            TiledGlu.Rewrite,
            GluConvolutionSplit.Rewrite,
            TransposedConvolutionSplit.RewriteSliced,
            TransposedConvolutionSplit.Rewrite,
            GroupNormalizationSplit.RewriteTransposed,
            GroupNormalizationSplit.Rewrite,
            TransposeElision.Rewrite
        );
}
