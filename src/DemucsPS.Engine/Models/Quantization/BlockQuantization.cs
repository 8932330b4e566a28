namespace DemucsPS.Engine.Models.Quantization;

/// <summary>
/// A constant matrix in 8-bit integers as the operator MatMulNBits takes it: column by column, in blocks of consecutive rows with a factor
/// each, w ≈ factor·(q − 128). A block's largest value becomes 127, so that 0 stays 0.
/// </summary>
internal sealed class BlockQuantization
{
    private const int Zero = 128,
        Largest = 127;

    private BlockQuantization(byte[] values, float[] factors)
    {
        Values = values;
        Factors = factors;
    }

    /// <summary>[column][block][row in the block].</summary>
    public byte[] Values { get; }

    /// <summary>[column][block].</summary>
    public float[] Factors { get; }

    /// <summary>Rounds a matrix.</summary>
    /// <param name="matrix">Row by row; column by column if it is <paramref name="transposed"/>.</param>
    /// <param name="rows">Its rows, a multiple of <paramref name="blockSize"/>.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="transposed">Whether columns lie one after the other.</param>
    /// <param name="blockSize">Rows that share a factor.</param>
    /// <returns>Null if a value is not finite: it stays what it is.</returns>
    public static BlockQuantization? Quantize(ReadOnlySpan<float> matrix, int rows, int columns, bool transposed, int blockSize)
    {
        int blocks = rows / blockSize;
        byte[] values = new byte[matrix.Length];
        float[] factors = new float[columns * blocks];
        (int rowStride, int columnStride) = transposed ? (1, rows) : (columns, 1);
        for (int column = 0; column < columns; column++)
        {
            for (int block = 0; block < blocks; block++)
            {
                int first = column * columnStride + block * blockSize * rowStride,
                    target = column * rows + block * blockSize;
                float largest = 0;
                for (int i = 0; i < blockSize; i++)
                {
                    float value = Math.Abs(matrix[first + i * rowStride]);
                    if (!float.IsFinite(value))
                        return null;
                    largest = Math.Max(largest, value);
                }
                float factor = largest / Largest;
                factors[column * blocks + block] = factor;
                for (int i = 0; i < blockSize; i++)
                    values[target + i] = (byte)(
                        Zero + (factor > 0 ? (int)MathF.Round(Math.Clamp(matrix[first + i * rowStride] / factor, -Largest, Largest)) : 0)
                    );
            }
        }
        return new BlockQuantization(values, factors);
    }
}
