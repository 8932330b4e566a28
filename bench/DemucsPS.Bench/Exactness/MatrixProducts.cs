using System.Numerics;
using System.Runtime.InteropServices;

namespace DemucsPS.Bench.Exactness;

/// <summary>Products of matrices in float64, by all processors.</summary>
internal static class MatrixProducts
{
    private const int RowsAtOnce = 4;

    /// <summary>C += A·B, all row by row: A is [rows, inner], B [inner, columns], C [rows, columns].</summary>
    public static void Add(ReadOnlyMemory<double> a, ReadOnlyMemory<double> b, Memory<double> c, int rows, int inner, int columns)
    {
        int blocks = (rows + RowsAtOnce - 1) / RowsAtOnce;
        Parallel.For(0, blocks, block =>
        {
            int first = block * RowsAtOnce,
                count = Math.Min(RowsAtOnce, rows - first);
            ReadOnlySpan<double> left = a.Span,
                right = b.Span;
            if (count < RowsAtOnce)
            {
                for (int row = first; row < first + count; row++)
                {
                    Span<double> one = c.Span.Slice(row * columns, columns);
                    for (int k = 0; k < inner; k++)
                        AddScaled(left[row * inner + k], right.Slice(k * columns, columns), one);
                }
                return;
            }
            Span<double> c0 = c.Span.Slice(first * columns, columns),
                c1 = c.Span.Slice((first + 1) * columns, columns),
                c2 = c.Span.Slice((first + 2) * columns, columns),
                c3 = c.Span.Slice((first + 3) * columns, columns);
            Span<Vector<double>> v0 = Vectors(c0),
                v1 = Vectors(c1),
                v2 = Vectors(c2),
                v3 = Vectors(c3);
            for (int k = 0; k < inner; k++)
            {
                double a0 = left[first * inner + k],
                    a1 = left[(first + 1) * inner + k],
                    a2 = left[(first + 2) * inner + k],
                    a3 = left[(first + 3) * inner + k];
                ReadOnlySpan<double> source = right.Slice(k * columns, columns);
                ReadOnlySpan<Vector<double>> vectors = MemoryMarshal.Cast<double, Vector<double>>(source);
                Vector<double> f0 = new(a0),
                    f1 = new(a1),
                    f2 = new(a2),
                    f3 = new(a3);
                for (int i = 0; i < vectors.Length; i++)
                {
                    Vector<double> value = vectors[i];
                    v0[i] += f0 * value;
                    v1[i] += f1 * value;
                    v2[i] += f2 * value;
                    v3[i] += f3 * value;
                }
                for (int i = vectors.Length * Vector<double>.Count; i < columns; i++)
                {
                    c0[i] += a0 * source[i];
                    c1[i] += a1 * source[i];
                    c2[i] += a2 * source[i];
                    c3[i] += a3 * source[i];
                }
            }
        });
    }

    private static Span<Vector<double>> Vectors(Span<double> row) => MemoryMarshal.Cast<double, Vector<double>>(row);

    private static void AddScaled(double factor, ReadOnlySpan<double> source, Span<double> target)
    {
        Span<Vector<double>> into = Vectors(target);
        ReadOnlySpan<Vector<double>> from = MemoryMarshal.Cast<double, Vector<double>>(source);
        Vector<double> scale = new(factor);
        for (int i = 0; i < into.Length; i++)
            into[i] += scale * from[i];
        for (int i = into.Length * Vector<double>.Count; i < target.Length; i++)
            target[i] += factor * source[i];
    }
}
