namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Winograd's minimal filtering: six products give four neighboring results of a filter with three taps, where the sum as it is written
/// takes twelve. Filter g, six elements d of the signal and products pass through small constant matrices: y = A·((G·g) ∘ (B·d)).
/// </summary>
/// <remarks>
/// The matrices follow from multiplying polynomials by their values at five points and at infinity (Toom and Cook): A holds the points'
/// powers, G the same divided by Π(p − q) over the other points q, B the coefficients of Π(x − q). https://arxiv.org/abs/1509.09308 has the
/// algorithm, https://arxiv.org/abs/1803.10986 what it costs in exactness. In a plane with 384 channels these points give 115 dB against
/// float64, the usual 1 and 2 give 108 dB, and the convolution as it is written 119 dB.
/// </remarks>
internal static class WinogradFilter
{
    /// <summary>The results of a tile along an axis.</summary>
    public const int Results = 4;

    /// <summary>The products of a tile along an axis, and the signal's elements that they take.</summary>
    public const int Products = Results + Taps - 1;

    /// <summary>The filter's length along an axis.</summary>
    public const int Taps = 3;

    // Powers of two and three stay exact in float32.
    private static readonly double[] s_points = [0, 0.75, -0.75, 1.5, -1.5];

    /// <summary>From products to results, for both axes of a plane: [16, 36].</summary>
    public static float[] ToResults { get; } = Rounded(Results, Products, (result, product) => product < s_points.Length
                ? Math.Pow(s_points[product], result)
            : result == Results - 1 ? 1
            : 0);

    /// <summary>From taps to the products' first factors, for both axes of a plane: [36, 9].</summary>
    public static double[] ExactOfTaps { get; } = OfPlane(Products, Taps, (product, tap) => product < s_points.Length
                ? Math.Pow(s_points[product], tap)
                    / Others(product).Aggregate(1.0, (distance, other) => distance * (s_points[product] - other))
            : tap == Taps - 1 ? 1
            : 0);

    /// <summary>The same as float32.</summary>
    public static float[] OfTaps { get; } = [.. ExactOfTaps.Select(value => (float)value)];

    /// <summary>From the signal to the products' second factors, for both axes of a plane: [36, 36].</summary>
    public static float[] OfSignal { get; } =
        Rounded(Products, Products, (product, element) => WithRoots(Others(product)).ElementAtOrDefault(element));

    /// <summary>All points but one; all for that at infinity.</summary>
    private static double[] Others(int point) => [.. s_points.Where((_, i) => i != point)];

    /// <summary>
    /// What does to both axes of a plane what a matrix does to one: rows and columns stand for pairs, the second axis running first.
    /// </summary>
    private static double[] OfPlane(int rows, int columns, Func<int, int, double> matrix)
    {
        double[] result = new double[rows * rows * columns * columns];
        for (int i = 0; i < result.Length; i++)
        {
            int row = i / (columns * columns),
                column = i % (columns * columns);
            result[i] = matrix(row / rows, column / columns) * matrix(row % rows, column % columns);
        }
        return result;
    }

    private static float[] Rounded(int rows, int columns, Func<int, int, double> matrix) =>
        [.. OfPlane(rows, columns, matrix).Select(value => (float)value)];

    /// <summary>The coefficients, lowest power first, of Π(x − root).</summary>
    private static double[] WithRoots(double[] roots)
    {
        double[] coefficients = [1];
        foreach (double root in roots)
        {
            double[] next = new double[coefficients.Length + 1];
            for (int i = 0; i < coefficients.Length; i++)
            {
                next[i + 1] += coefficients[i];
                next[i] -= root * coefficients[i];
            }
            coefficients = next;
        }
        return coefficients;
    }
}
