namespace DemucsPS.Engine.Models.Preparation;

/// <summary>A small matrix that gives vectors the same length as a tall one.</summary>
internal static class GramRoot
{
    /// <summary>
    /// A square matrix R of which the mean of (R·v)² is that of (W·v)² whatever v is: the Cholesky factor of Wᵀ·W, brought from the number
    /// of W's rows to its own, in double precision and rounded once. Null if the weights are not finite.
    /// </summary>
    /// <param name="weights">W, row by row.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    public static float[]? Of(ReadOnlySpan<double> weights, int rows, int columns)
    {
        double[] root = new double[columns * columns];
        for (int i = 0; i < columns; i++)
        {
            double scale = 0;
            for (int j = i; j < columns; j++)
            {
                double rest = 0,
                    whole = 0;
                for (int c = 0; c < rows; c++)
                {
                    double product = weights[c * columns + i] * weights[c * columns + j];
                    rest += product;
                    whole += Math.Abs(product);
                }
                for (int k = 0; k < i; k++)
                    rest -= root[k * columns + i] * root[k * columns + j];
                // Where columns of W depend on each other nothing is left but rounding.
                if (j == i)
                    scale = rest > whole * 1e-13 ? 1 / Math.Sqrt(rest) : 0;
                root[i * columns + j] = rest * scale;
            }
        }
        double size = Math.Sqrt((double)columns / rows);
        float[] rounded = [.. root.Select(value => (float)(value * size))];
        return rounded.All(float.IsFinite) ? rounded : null;
    }
}
