namespace DemucsPS.Engine.Models.Preparation;

/// <summary>The rewrites that let ONNX Runtime's CPU kernels do the same with fewer passes over memory or fewer products.</summary>
internal static class QuickGraph
{
    /// <summary>Rewrites a model in place.</summary>
    /// <returns>Whether anything was changed.</returns>
    public static bool Apply(GraphModel model) => GraphRewriting.Apply(model,
        AttentionFusion.Rewrite,
        NormalisedGateFusion.RewriteScaled,
        NormalisedGateFusion.Rewrite,
        TiledGate.Rewrite,
        GatedConvolutionSplit.Rewrite,
        TransposedConvolutionSplit.RewriteSliced,
        TransposedConvolutionSplit.Rewrite,
        GroupNormalizationSplit.RewriteTransposed,
        GroupNormalizationSplit.Rewrite,
        TransposeElision.Rewrite);
}
