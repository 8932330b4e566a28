using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Quality;

/// <summary>Solves symmetric, positive systems of some thousand unknowns by L·Lᵀ, in place. Memory: half of the matrix.</summary>
/// <remarks>
/// Rows lie in panels as high as the innermost product is; a panel is column after column. Blocks of rows are finished from left to right,
/// those below each other at the same time. The result does not depend on the number of threads, not in a single bit.
/// </remarks>
internal sealed class CholeskyFactor
{
    // The innermost product is of two vectors of rows and four columns: eight sums, which is what two multipliers of four cycles keep busy.
    private const int Columns = 4;

    // Of a block of rows, as many columns stay in the second cache.
    private const int Depth = 256;

    private const int BlockRows = 64;

    private static readonly int s_panelRows = 2 * Vector<double>.Count;

    private readonly double[][] _blocks;
    private readonly EvaluationPool _stock;
    private readonly int _threads;

    /// <summary>Prepares a matrix of zeros.</summary>
    /// <param name="size">Unknowns.</param>
    /// <param name="threads">How many may work.</param>
    /// <param name="stock">Where its blocks come from.</param>
    public CholeskyFactor(int size, int threads, EvaluationPool stock)
    {
        Size = size;
        _threads = threads;
        _stock = stock;
        _blocks = new double[(size + BlockRows - 1) / BlockRows][];
        for (int block = 0; block < _blocks.Length; block++)
            _blocks[block] = stock.Take((block + 1) * BlockRows * BlockRows);
    }

    /// <summary>Unknowns.</summary>
    public int Size { get; }

    /// <summary>Gives the blocks back; it is of no use any more.</summary>
    public void Release()
    {
        foreach (double[] block in _blocks)
            _stock.Give(block);
    }

    /// <summary>An element of the lower triangle.</summary>
    /// <param name="row">Its row.</param>
    /// <param name="column">Its column, at most <paramref name="row"/>.</param>
    private ref double At(int row, int column) => ref _blocks[row / BlockRows][Index(row, column)];

    /// <summary>Where an element is in its block.</summary>
    private static int Index(int row, int column)
    {
        int block = row / BlockRows,
            inBlock = row % BlockRows;
        return (inBlock / s_panelRows * (block + 1) * BlockRows + column) * s_panelRows + inBlock % s_panelRows;
    }

    /// <summary>Fills in the matrix and factors it.</summary>
    /// <param name="element">Element of a row and a column that is not beyond it.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>Whether the matrix is positive to working precision.</returns>
    public bool TryFactor(Func<int, int, double> element, CancellationToken cancellationToken)
    {
        ParallelOptions parallel = new() { MaxDegreeOfParallelism = _threads, CancellationToken = cancellationToken };
        int padded = _blocks.Length * BlockRows;
        Parallel.For(0, _blocks.Length, parallel, block =>
        {
            double[] values = _blocks[block];
            Array.Clear(values);
            for (int row = block * BlockRows; row < (block + 1) * BlockRows; row++)
            {
                for (int column = 0; column <= row; column++)
                    values[Index(row, column)] =
                        row < Size ? element(row, column)
                        : row == column ? 1
                        : 0;
            }
        });
        for (int column = 0; column < padded; column += BlockRows)
        {
            int first = column / BlockRows;
            Subtract(first, first);
            if (!FactorDiagonal(first))
                return false;
            Parallel.For(first + 1, _blocks.Length, parallel, block =>
            {
                Subtract(block, first);
                Divide(block, first);
            });
        }
        return true;
    }

    /// <summary>Solves for several right sides, which lie side by side.</summary>
    /// <param name="sides">[unknowns][<paramref name="count"/>]: right sides in, solutions out.</param>
    /// <param name="count">Right sides, a multiple of the lanes of a vector.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Solve(double[] sides, int count)
    {
        for (int first = 0; first < count; first += Vector<double>.Count)
        {
            for (int row = 0; row < Size; row++)
            {
                Vector<double> sum = new(sides, row * count + first);
                ref double line = ref At(row, 0);
                for (int column = 0; column < row; column++)
                    sum -= new Vector<double>(sides, column * count + first) * Unsafe.Add(ref line, column * s_panelRows);
                (sum / At(row, row)).CopyTo(sides, row * count + first);
            }
            for (int row = Size - 1; row >= 0; row--)
            {
                Vector<double> solution = new Vector<double>(sides, row * count + first) / At(row, row);
                solution.CopyTo(sides, row * count + first);
                ref double line = ref At(row, 0);
                for (int column = 0; column < row; column++)
                    (new Vector<double>(sides, column * count + first) - solution * Unsafe.Add(ref line, column * s_panelRows)).CopyTo(
                        sides,
                        column * count + first
                    );
            }
        }
    }

    /// <summary>Takes off a block what the columns left of it contribute: A(block, first) −= Σ L(block, k)·L(first, k)ᵀ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Subtract(int block, int first)
    {
        int columns = first * BlockRows,
            width = (block + 1) * BlockRows * s_panelRows,
            otherWidth = (first + 1) * BlockRows * s_panelRows;
        ref double rows = ref MemoryMarshal.GetArrayDataReference(_blocks[block]),
            others = ref MemoryMarshal.GetArrayDataReference(_blocks[first]);
        int lanes = Vector<double>.Count,
            panelRows = s_panelRows;
        for (int start = 0; start < columns; start += Depth)
        {
            int depth = Math.Min(Depth, columns - start);
            for (int c = 0; c < BlockRows; c += Columns)
            {
                for (int panel = 0; panel < BlockRows / panelRows; panel++)
                {
                    ref double a = ref Unsafe.Add(ref rows, panel * width + start * panelRows);
                    ref double b = ref Unsafe.Add(ref others, c / panelRows * otherWidth + start * panelRows + c % panelRows);
                    Vector<double> s00 = default,
                        s01 = default,
                        s02 = default,
                        s03 = default,
                        s10 = default,
                        s11 = default,
                        s12 = default,
                        s13 = default;
                    for (int k = 0; k < depth; k++)
                    {
                        Vector<double> low = Vector.LoadUnsafe(ref a),
                            high = Vector.LoadUnsafe(ref a, (nuint)lanes);
                        Vector<double> factor = new(b);
                        s00 = Vector.FusedMultiplyAdd(low, factor, s00);
                        s10 = Vector.FusedMultiplyAdd(high, factor, s10);
                        factor = new(Unsafe.Add(ref b, 1));
                        s01 = Vector.FusedMultiplyAdd(low, factor, s01);
                        s11 = Vector.FusedMultiplyAdd(high, factor, s11);
                        factor = new(Unsafe.Add(ref b, 2));
                        s02 = Vector.FusedMultiplyAdd(low, factor, s02);
                        s12 = Vector.FusedMultiplyAdd(high, factor, s12);
                        factor = new(Unsafe.Add(ref b, 3));
                        s03 = Vector.FusedMultiplyAdd(low, factor, s03);
                        s13 = Vector.FusedMultiplyAdd(high, factor, s13);
                        a = ref Unsafe.Add(ref a, panelRows);
                        b = ref Unsafe.Add(ref b, panelRows);
                    }
                    ref double target = ref Unsafe.Add(ref rows, panel * width + (columns + c) * panelRows);
                    Take(ref target, s00, s10);
                    Take(ref Unsafe.Add(ref target, panelRows), s01, s11);
                    Take(ref Unsafe.Add(ref target, 2 * panelRows), s02, s12);
                    Take(ref Unsafe.Add(ref target, 3 * panelRows), s03, s13);
                }
            }
        }
    }

    /// <summary>Takes sums off a column of a panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take(ref double target, Vector<double> low, Vector<double> high)
    {
        (Vector.LoadUnsafe(ref target) - low).StoreUnsafe(ref target);
        (Vector.LoadUnsafe(ref target, (nuint)Vector<double>.Count) - high).StoreUnsafe(ref target, (nuint)Vector<double>.Count);
    }

    /// <summary>L(block, first) = A(block, first)·L(first, first)⁻ᵀ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Divide(int block, int first)
    {
        int start = first * BlockRows,
            width = (block + 1) * BlockRows * s_panelRows,
            lanes = Vector<double>.Count;
        double[] rows = _blocks[block],
            corner = _blocks[first];
        for (int c = 0; c < BlockRows; c++)
        {
            double scale = 1 / corner[Index(start + c, start + c)];
            for (int panel = 0; panel < BlockRows / s_panelRows; panel++)
            {
                int line = panel * width + start * s_panelRows,
                    target = line + c * s_panelRows,
                    factor = Index(start + c, start);
                Vector<double> low = new(rows, target),
                    high = new(rows, target + lanes);
                for (int k = 0; k < c; k++)
                {
                    Vector<double> other = new(corner[factor + k * s_panelRows]);
                    low -= new Vector<double>(rows, line + k * s_panelRows) * other;
                    high -= new Vector<double>(rows, line + k * s_panelRows + lanes) * other;
                }
                (low * scale).CopyTo(rows, target);
                (high * scale).CopyTo(rows, target + lanes);
            }
        }
    }

    private bool FactorDiagonal(int block)
    {
        int start = block * BlockRows;
        for (int row = start; row < start + BlockRows; row++)
        {
            for (int column = start; column <= row; column++)
            {
                double sum = At(row, column);
                for (int k = start; k < column; k++)
                    sum -= At(row, k) * At(column, k);
                if (column < row)
                    At(row, column) = sum / At(column, column);
                else if (sum > 0)
                    At(row, row) = Math.Sqrt(sum);
                else
                    return false;
            }
        }
        return true;
    }
}
