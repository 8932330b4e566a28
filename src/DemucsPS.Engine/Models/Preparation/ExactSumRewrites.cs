using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>The rewrites that shorten the runs over which ONNX Runtime's CPU kernels add in float32, see <see cref="SumRuns"/>.</summary>
internal static class ExactSumRewrites
{
    /// <summary>Rewrites a model in place.</summary>
    /// <returns>Whether anything was changed.</returns>
    public static bool Apply(GraphModel model) =>
        GraphRewriting.Apply(model, ReductionSplit.Rewrite, InstanceNormalizationSplit.Rewrite, LayerNormalizationSplit.Rewrite);
}
