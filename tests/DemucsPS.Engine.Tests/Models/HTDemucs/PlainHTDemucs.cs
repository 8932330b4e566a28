using DemucsPS.Engine.Models.Weights;

namespace DemucsPS.Engine.Tests.Models.HTDemucs;

/// <summary>
/// htdemucs between the transforms, in float64 and as its authors' papers and keyword arguments describe it: layer by layer over whole
/// tensors, every sum as it is written. It shares nothing with
/// the graph under test. Slow: for models of a few channels and segments of a tenth of a second.
/// </summary>
internal sealed class PlainHTDemucs(HTDemucsArchitecture architecture, IReadOnlyDictionary<string, float[]> weights)
{
    private readonly HTDemucsArchitecture _a = architecture;

    /// <summary>Of one segment: the stems' spectrograms [S·4, 2048, T] and waveforms [S·2, L].</summary>
    public (double[] Spectrograms, double[] Waveforms) Run(double[] waveform, double[] spectrogram)
    {
        int frames = spectrogram.Length / (4 * 2048),
            length = waveform.Length / 2;
        (double mean, double deviation) = MeanAndDeviation(spectrogram);
        (double waveMean, double waveDeviation) = MeanAndDeviation(waveform);
        Plane x = new([.. spectrogram.Select(v => (v - mean) / (1e-5 + deviation))], 4, 2048, frames),
            t = new([.. waveform.Select(v => (v - waveMean) / (1e-5 + waveDeviation))], 2, 1, length);
        List<Plane> saved = [],
            savedWaves = [];
        List<int> lengths = [];
        int channels = _a.Channels;
        for (int i = 0; i < _a.Depth; i++)
        {
            lengths.Add(t.Columns);
            int missing = (4 - t.Columns % 4) % 4;
            t = Encode($"tencoder.{i}", Conv(t, $"tencoder.{i}.conv", channels, (1, 8), (1, 4), (0, 0), (2, 2 + missing)), channels);
            savedWaves.Add(t);
            x = Encode($"encoder.{i}", Conv(x, $"encoder.{i}.conv", channels, (8, 1), (4, 1), (2, 2), (0, 0)), channels);
            if (i == 0 && _a.FreqEmb > 0)
                x = x.Map((v, c, row, _) => v + _a.FreqEmb * (_a.EmbScale * W("freq_emb.embedding.weight")[row * channels + c]));
            saved.Add(x);
            channels *= _a.Growth;
        }
        (x, t) = Transformer(x, t);
        for (int i = 0; i < _a.Depth; i++)
        {
            int layer = _a.Depth - 1 - i;
            bool last = layer == 0;
            int outputs = last ? 4 * _a.Sources.Count : saved[layer - 1].Channels;
            x = ConvTransposed(Decode($"decoder.{i}", x + saved[layer]), $"decoder.{i}.conv_tr", outputs, alongRows: true);
            x = x.Rectangle(2, x.Rows - 4, 0, x.Columns);
            t = ConvTransposed(
                Decode($"tdecoder.{i}", t + savedWaves[layer]),
                $"tdecoder.{i}.conv_tr",
                last ? 2 * _a.Sources.Count : outputs,
                alongRows: false
            );
            t = t.Rectangle(0, 1, 2, lengths[layer]);
            if (!last)
                (x, t) = (x.Map(Gelu), t.Map(Gelu));
        }
        return ([.. x.Values.Select(v => v * deviation + mean)], [.. t.Values.Select(v => v * waveDeviation + waveMean)]);
    }

    private Plane Encode(string name, Plane x, int channels)
    {
        x = x.Map(Gelu);
        if ((_a.DconvMode & 1) != 0)
            x = Residual(name, x);
        return Glu(Conv(x, $"{name}.rewrite", 2 * channels, (1, 1), (1, 1), (0, 0), (0, 0)));
    }

    private Plane Decode(string name, Plane x)
    {
        int c = _a.Context,
            taps = 2 * c + 1;
        x = Glu(
            x.Rows > 1
                ? Conv(x, $"{name}.rewrite", 2 * x.Channels, (taps, taps), (1, 1), (c, c), (c, c))
                : Conv(x, $"{name}.rewrite", 2 * x.Channels, (1, taps), (1, 1), (0, 0), (c, c))
        );
        return (_a.DconvMode & 2) != 0 ? Residual(name, x) : x;
    }

    /// <summary>Each row by itself.</summary>
    private Plane Residual(string name, Plane x)
    {
        for (int row = 0; row < x.Rows; row++)
        {
            Plane y = x.Rectangle(row, 1, 0, x.Columns);
            for (int d = 0; d < _a.DconvDepth; d++)
            {
                string layer = $"{name}.dconv.layers.{d}";
                int distance = 1 << d,
                    hidden = (int)(x.Channels / _a.DconvComp);
                Plane z = Norm(Conv(y, $"{layer}.0", hidden, (1, 3), (1, 1), (0, 0), (distance, distance), distance), $"{layer}.1")
                    .Map(Gelu);
                z = Glu(Norm(Conv(z, $"{layer}.3", 2 * x.Channels, (1, 1), (1, 1), (0, 0), (0, 0)), $"{layer}.4"));
                y += z.Map((v, c, _, _) => v * W($"{layer}.6.scale")[c]);
            }
            for (int c = 0; c < x.Channels; c++)
                Array.Copy(y.Values, c * x.Columns, x.Values, (c * x.Rows + row) * x.Columns, x.Columns);
        }
        return x;
    }

    private (Plane X, Plane T) Transformer(Plane x, Plane t)
    {
        int rows = x.Rows,
            columns = x.Columns,
            outside = x.Channels,
            channels = _a.BottomChannels > 0 ? _a.BottomChannels : outside,
            half = channels / 2;
        if (_a.BottomChannels > 0)
            (x, t) = (
                Conv(x, "channel_upsampler", channels, (1, 1), (1, 1), (0, 0), (0, 0)),
                Conv(t, "channel_upsampler_t", channels, (1, 1), (1, 1), (0, 0), (0, 0))
            );
        // The official order: frequencies run quickest.
        double[][] a =
        [
            .. Enumerable
                .Range(0, rows * columns)
                .Select(n => Enumerable.Range(0, channels).Select(c => x.Values[(c * rows + n % rows) * columns + n / rows]).ToArray()),
        ];
        double[][] b =
        [
            .. Enumerable.Range(0, t.Columns).Select(n => Enumerable.Range(0, channels).Select(c => t.Values[c * t.Columns + n]).ToArray()),
        ];
        a = LayerNorm(a, "crosstransformer.norm_in");
        b = LayerNorm(b, "crosstransformer.norm_in_t");
        for (int n = 0; n < a.Length; n++)
        {
            for (int c = 0; c < channels; c++)
            {
                int within = c % half,
                    pair = within / 2 * 2;
                double angle = (c < half ? n / rows : n % rows) * Math.Pow(_a.TransformerMaxPeriod, -(double)pair / half);
                a[n][c] += _a.TransformerWeightPosEmbed * (within % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle));
            }
        }
        for (int n = 0; n < b.Length; n++)
        {
            for (int c = 0; c < channels; c++)
            {
                double angle = n * Math.Pow(_a.TransformerMaxPeriod, -(c % half) / (half - 1.0));
                b[n][c] += _a.TransformerWeightPosEmbed * (c < half ? Math.Cos(angle) : Math.Sin(angle));
            }
        }
        for (int i = 0; i < _a.TransformerLayers; i++)
        {
            string first = $"crosstransformer.layers.{i}",
                second = $"crosstransformer.layers_t.{i}";
            if (i % 2 == (_a.TransformerCrossFirst ? 1 : 0))
                (a, b) = (Block(a, null, first), Block(b, null, second));
            else
                (a, b) = (Block(a, b, first), Block(b, a, second));
        }
        x = new Plane(new double[channels * rows * columns], channels, rows, columns).Map((_, c, row, column) => a[column * rows + row][c]);
        t = new Plane(new double[channels * t.Columns], channels, 1, t.Columns).Map((_, c, _, column) => b[column][c]);
        return _a.BottomChannels == 0
            ? (x, t)
            : (
                Conv(x, "channel_downsampler", outside, (1, 1), (1, 1), (0, 0), (0, 0)),
                Conv(t, "channel_downsampler_t", outside, (1, 1), (1, 1), (0, 0), (0, 0))
            );
    }

    /// <summary>A layer of the transformer that looks at itself, or at the other branch.</summary>
    private double[][] Block(double[][] x, double[][]? other, string name)
    {
        int channels = x[0].Length,
            heads = _a.TransformerHeads,
            depth = channels / heads,
            hidden = (int)(channels * _a.TransformerHiddenScale);
        string attention = other is null ? $"{name}.self_attn" : $"{name}.cross_attn";
        double[][] q = LayerNorm(x, $"{name}.norm1"),
            k = other is null ? q : LayerNorm(other, $"{name}.norm2");
        double[][] query = Linear(q, $"{attention}.in_proj_", channels, 0),
            key = Linear(k, $"{attention}.in_proj_", channels, channels),
            value = Linear(k, $"{attention}.in_proj_", channels, 2 * channels);
        double[][] joined =
        [
            .. query.Select(row =>
            {
                double[] result = new double[channels];
                for (int head = 0; head < heads; head++)
                {
                    int at = head * depth;
                    double[] scores = [.. key.Select(other => Enumerable.Range(at, depth).Sum(c => row[c] * other[c]) / Math.Sqrt(depth))];
                    double largest = scores.Max(),
                        sum = scores.Sum(s => Math.Exp(s - largest));
                    for (int n = 0; n < scores.Length; n++)
                    {
                        for (int c = at; c < at + depth; c++)
                            result[c] += Math.Exp(scores[n] - largest) / sum * value[n][c];
                    }
                }
                return result;
            }),
        ];
        x = Scaled(x, Linear(joined, $"{attention}.out_proj.", channels, 0), $"{name}.gamma_1.scale");
        double[][] inner =
        [
            .. Linear(LayerNorm(x, $"{name}.{(other is null ? "norm2" : "norm3")}"), $"{name}.linear1.", hidden, 0)
                .Select(row => row.Select(Gelu).ToArray()),
        ];
        x = Scaled(x, Linear(inner, $"{name}.linear2.", channels, 0), $"{name}.gamma_2.scale");
        double mean = x.Average(row => row.Average()),
            deviation = Math.Sqrt(x.Average(row => row.Average(v => (v - mean) * (v - mean))) + 1e-5);
        return
        [
            .. x.Select(row =>
                row.Select((v, c) => (v - mean) / deviation * W($"{name}.norm_out.weight")[c] + W($"{name}.norm_out.bias")[c]).ToArray()
            ),
        ];
    }

    private double[][] Scaled(double[][] x, double[][] added, string scale) =>
        [.. x.Zip(added, (row, other) => row.Select((v, c) => v + W(scale)[c] * other[c]).ToArray())];

    private double[][] Linear(double[][] x, string name, int outputs, int first)
    {
        float[] weight = W(name + "weight"),
            bias = W(name + "bias");
        int inputs = x[0].Length;
        return
        [
            .. x.Select(row =>
                Enumerable
                    .Range(first, outputs)
                    .Select(o => bias[o] + Enumerable.Range(0, inputs).Sum(i => row[i] * (double)weight[o * inputs + i]))
                    .ToArray()
            ),
        ];
    }

    private double[][] LayerNorm(double[][] x, string name) =>
        [
            .. x.Select(row =>
            {
                double mean = row.Average(),
                    deviation = Math.Sqrt(row.Average(v => (v - mean) * (v - mean)) + 1e-5);
                return row.Select((v, c) => (v - mean) / deviation * W(name + ".weight")[c] + W(name + ".bias")[c]).ToArray();
            }),
        ];

    /// <summary>A normalization of all of a plane.</summary>
    private Plane Norm(Plane x, string name)
    {
        double mean = x.Values.Average(),
            deviation = Math.Sqrt(x.Values.Average(v => (v - mean) * (v - mean)) + 1e-5);
        float[] weight = W(name + ".weight"),
            bias = W(name + ".bias");
        return x.Map((v, c, _, _) => (v - mean) / deviation * weight[c] + bias[c]);
    }

    private static Plane Glu(Plane x)
    {
        int half = x.Values.Length / 2;
        return new Plane(
            [.. Enumerable.Range(0, half).Select(i => x.Values[i] / (1 + Math.Exp(-x.Values[half + i])))],
            x.Channels / 2,
            x.Rows,
            x.Columns
        );
    }

    private Plane Conv(
        Plane x,
        string name,
        int outputs,
        (int Rows, int Columns) kernel,
        (int Rows, int Columns) stride,
        (int Before, int After) padRows,
        (int Before, int After) padColumns,
        int dilation = 1
    )
    {
        float[] weight = W(name + ".weight"),
            bias = W(name + ".bias");
        Assert.Equal(outputs * x.Channels * kernel.Rows * kernel.Columns, weight.Length);
        int rows = (x.Rows + padRows.Before + padRows.After - kernel.Rows) / stride.Rows + 1,
            columns = (x.Columns + padColumns.Before + padColumns.After - dilation * (kernel.Columns - 1) - 1) / stride.Columns + 1;
        Plane y = new(new double[outputs * rows * columns], outputs, rows, columns);
        for (int o = 0; o < outputs; o++)
        {
            for (int row = 0; row < rows; row++)
            {
                Span<double> to = y.Values.AsSpan((o * rows + row) * columns, columns);
                to.Fill(bias[o]);
                for (int c = 0; c < x.Channels; c++)
                {
                    for (int k = 0; k < kernel.Rows; k++)
                    {
                        int from = row * stride.Rows + k - padRows.Before;
                        if (from < 0 || from >= x.Rows)
                            continue;
                        for (int j = 0; j < kernel.Columns; j++)
                        {
                            double w = weight[((o * x.Channels + c) * kernel.Rows + k) * kernel.Columns + j];
                            for (int column = 0; column < columns; column++)
                            {
                                int at = column * stride.Columns + j * dilation - padColumns.Before;
                                if (at >= 0 && at < x.Columns)
                                    to[column] += w * x.Values[(c * x.Rows + from) * x.Columns + at];
                            }
                        }
                    }
                }
            }
        }
        return y;
    }

    /// <summary>With a kernel of eight and steps of four, nothing cut off.</summary>
    private Plane ConvTransposed(Plane x, string name, int outputs, bool alongRows)
    {
        float[] weight = W(name + ".weight"),
            bias = W(name + ".bias");
        int rows = alongRows ? 4 * x.Rows + 4 : x.Rows,
            columns = alongRows ? x.Columns : 4 * x.Columns + 4;
        Plane y = new Plane(new double[outputs * rows * columns], outputs, rows, columns).Map((_, o, _, _) => bias[o]);
        for (int c = 0; c < x.Channels; c++)
        {
            for (int o = 0; o < outputs; o++)
            {
                for (int k = 0; k < 8; k++)
                {
                    double w = weight[(c * outputs + o) * 8 + k];
                    for (int row = 0; row < x.Rows; row++)
                    {
                        for (int column = 0; column < x.Columns; column++)
                            y.Values[(o * rows + (alongRows ? 4 * row + k : row)) * columns + (alongRows ? column : 4 * column + k)] +=
                                w * x.Values[(c * x.Rows + row) * x.Columns + column];
                    }
                }
            }
        }
        return y;
    }

    private static (double Mean, double Deviation) MeanAndDeviation(double[] values)
    {
        double mean = values.Average();
        return (mean, Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1)));
    }

    private static double Gelu(double x) => 0.5 * x * (1 + DemucsPS.Bench.Exactness.ExactOperators.Erf(x / Math.Sqrt(2)));

    private float[] W(string name) => weights[name];

    private sealed record Plane(double[] Values, int Channels, int Rows, int Columns)
    {
        public static Plane operator +(Plane a, Plane b) => a with { Values = [.. a.Values.Zip(b.Values, (x, y) => x + y)] };

        public Plane Map(Func<double, double> f) => this with { Values = [.. Values.Select(f)] };

        public Plane Map(Func<double, int, int, int, double> f) =>
            this with
            {
                Values = [.. Values.Select((v, i) => f(v, i / (Rows * Columns), i / Columns % Rows, i % Columns))],
            };

        public Plane Rectangle(int row, int rows, int column, int columns) =>
            new(
                [
                    .. Enumerable
                        .Range(0, Channels * rows * columns)
                        .Select(i => Values[(i / (rows * columns) * Rows + row + i / columns % rows) * Columns + column + i % columns]),
                ],
                Channels,
                rows,
                columns
            );
    }
}
