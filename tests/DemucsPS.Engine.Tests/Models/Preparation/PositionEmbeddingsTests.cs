using DemucsPS.Engine.Models.Preparation;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>Which constants are taken for position embeddings, and what they become.</summary>
public sealed class PositionEmbeddingsTests
{
    private const int Channels = 64;

    [Theory]
    [InlineData("one axis", 1f)]
    [InlineData("two axes", 1f)]
    [InlineData("two axes, rows apart", 0.5f)]
    public void A_table_of_float32_becomes_one_that_is_rounded_once(string form, float scale)
    {
        double[] exact = Table(form, 1344, single: false);
        float[] table = [.. Table(form, 1344, single: true).Select(value => scale * (float)value)];
        // The table that exporters write is far from exact: what is to be mended is there.
        Assert.InRange(Enumerable.Range(0, table.Length).Max(i => Math.Abs(table[i] - scale * exact[i])), 1e-6, 1e-3);
        foreach (bool transposed in new[] { false, true })
        {
            byte[]? prepared = SmallGraph.Rewritten(Model(transposed ? Turned(table) : table, transposed), graph =>
                PositionEmbeddings.Apply(graph, null)
            );
            Assert.NotNull(prepared);
            float[] got = SmallGraph.Run(prepared, _ => 0);
            got = transposed ? Turned(got, back: true) : got;
            for (int i = 0; i < got.Length; i++)
                Assert.Equal((float)(scale * exact[i]), got[i], 1e-7f);
            // The old table is gone: it is as large as the new one.
            Assert.InRange(prepared.Length, 0, table.Length * sizeof(float) + 2000);
        }
    }

    [Fact]
    public void One_value_that_does_not_fit_keeps_the_table()
    {
        float[] table = [.. Table("two axes", 1344, single: true).Select(value => (float)value)];
        table[^5] += 0.02f;
        Assert.Null(SmallGraph.Rewritten(Model(table, false), graph => PositionEmbeddings.Apply(graph, null)));
    }

    [Fact]
    public void An_exact_table_and_other_constants_stay()
    {
        float[] exact = [.. Table("one axis", 1344, single: false).Select(value => (float)value)];
        Assert.Null(SmallGraph.Rewritten(Model(exact, false), graph => PositionEmbeddings.Apply(graph, null)));
        Random random = new(3);
        Assert.Null(
            SmallGraph.Rewritten(Model([.. exact.Select(_ => random.NextSingle())], false), graph => PositionEmbeddings.Apply(graph, null))
        );
        Assert.Null(SmallGraph.Rewritten(Model(new float[exact.Length], false), graph => PositionEmbeddings.Apply(graph, null)));
    }

    private static byte[] Model(float[] table, bool transposed)
    {
        long[] shape = transposed ? [1, Channels, table.Length / Channels] : [1, table.Length / Channels, Channels];
        return SmallGraph.Build(shape, shape, (graph, x) => x + graph.Constant(table, shape));
    }

    private static float[] Turned(float[] table, bool back = false)
    {
        int other = table.Length / Channels;
        float[] result = new float[table.Length];
        for (int p = 0; p < other; p++)
        {
            for (int c = 0; c < Channels; c++)
            {
                if (back)
                    result[p * Channels + c] = table[c * other + p];
                else
                    result[c * other + p] = table[p * Channels + c];
            }
        }
        return result;
    }

    /// <summary>The tables of Demucs: [position][channel], computed in float64, or in float32 as PyTorch does it.</summary>
    private static double[] Table(string form, int positions, bool single)
    {
        const int Rows = 8,
            Half = Channels / 2;
        double[] table = new double[positions * Channels];
        for (int p = 0; p < positions; p++)
        {
            for (int c = 0; c < Channels; c++)
            {
                if (form == "one axis")
                {
                    double angle = single
                        ? p / (float)Math.Pow(10000, (float)(c % Half) / (Half - 1))
                        : p / Math.Pow(10000, c % Half / (Half - 1.0));
                    table[p * Channels + c] = Wave(angle, c < Half);
                    continue;
                }
                (int row, int column) = form == "two axes" ? (p % Rows, p / Rows) : (p / (positions / Rows), p % (positions / Rows));
                int number = c < Half ? column : row,
                    pair = c % Half / 2 * 2;
                double factor = single ? MathF.Exp(pair * (float)(-Math.Log(10000) / Half)) : Math.Exp(pair * -Math.Log(10000) / Half);
                table[p * Channels + c] = Wave(number * factor, c % 2 == 1);
            }
        }
        return table;

        double Wave(double angle, bool cosine) =>
            (single, cosine) switch
            {
                (true, true) => MathF.Cos((float)angle),
                (true, false) => MathF.Sin((float)angle),
                (false, true) => Math.Cos(angle),
                _ => Math.Sin(angle),
            };
    }
}
