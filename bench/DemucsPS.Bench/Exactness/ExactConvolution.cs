using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Bench.Exactness;

/// <summary>Convolutions and transposed convolutions of any number of axes in float64, as products of matrices.</summary>
internal static class ExactConvolution
{
    private const int ColumnsAtOnce = 8192;

    public static ExactTensor Convolve(GraphNode node, ExactTensor x, ExactTensor weight, ExactTensor? bias)
    {
        ConvolutionWindow window = Window(node, weight);
        int axes = window.Kernel.Length,
            groups = (int)node.Integer("group", 1),
            batch = (int)x.Shape[0],
            channels = (int)weight.Shape[0],
            width = (int)weight.Shape[1];
        long[] from = x.Shape[2..],
            to = [.. from.Select((length, i) => window.Length(i, length))];
        int taps = (int)ExactTensor.Count(window.Kernel),
            inner = width * taps,
            size = (int)ExactTensor.Count(to),
            sourceSize = (int)ExactTensor.Count(from),
            part = channels / groups;
        double[] result = new double[(long)batch * channels * size];
        for (int n = 0; n < batch; n++)
        {
            for (int g = 0; g < groups; g++)
            {
                for (int first = 0; first < size; first += ColumnsAtOnce)
                {
                    int count = Math.Min(ColumnsAtOnce, size - first);
                    double[] columns = new double[inner * count],
                        product = new double[part * count];
                    int source = (n * groups + g) * width * sourceSize;
                    Parallel.For(0, inner, row =>
                        Gather(
                            x.Values.AsSpan(source + row / taps * sourceSize, sourceSize),
                            columns.AsSpan(row * count, count),
                            first,
                            row % taps,
                            from,
                            to,
                            window
                        )
                    );
                    MatrixProducts.Add(weight.Values.AsMemory(g * part * inner, part * inner), columns, product, part, inner, count);
                    for (int c = 0; c < part; c++)
                        product.AsSpan(c * count, count).CopyTo(result.AsSpan((n * channels + g * part + c) * size + first, count));
                }
            }
        }
        AddBias(result, bias, batch, channels, size);
        return ExactTensor.Float(result, [batch, channels, .. to]);
    }

    public static ExactTensor ConvolveTransposed(GraphNode node, ExactTensor x, ExactTensor weight, ExactTensor? bias)
    {
        ConvolutionWindow window = Window(node, weight);
        int groups = (int)node.Integer("group", 1),
            batch = (int)x.Shape[0],
            width = (int)x.Shape[1] / groups,
            part = (int)weight.Shape[1],
            channels = part * groups;
        long[] from = x.Shape[2..],
            to = [.. from.Select((length, i) => window.TransposedLength(i, length))];
        int taps = (int)ExactTensor.Count(window.Kernel),
            size = (int)ExactTensor.Count(to),
            sourceSize = (int)ExactTensor.Count(from);
        double[] result = new double[(long)batch * channels * size];
        for (int n = 0; n < batch; n++)
        {
            for (int g = 0; g < groups; g++)
            {
                double[] turned = new double[part * taps * width],
                    products = new double[(long)part * taps * sourceSize];
                for (int i = 0; i < width; i++)
                {
                    for (int j = 0; j < part * taps; j++)
                        turned[j * width + i] = weight.Values[(g * width + i) * part * taps + j];
                }
                MatrixProducts.Add(
                    turned,
                    x.Values.AsMemory((n * groups + g) * width * sourceSize, width * sourceSize),
                    products,
                    part * taps,
                    width,
                    sourceSize
                );
                // The same relation as in a convolution from the result to the source.
                Parallel.For(0, part, c =>
                {
                    for (int tap = 0; tap < taps; tap++)
                        Scatter(
                            products.AsSpan((c * taps + tap) * sourceSize, sourceSize),
                            result.AsSpan((n * channels + g * part + c) * size, size),
                            tap,
                            to,
                            from,
                            window
                        );
                });
            }
        }
        AddBias(result, bias, batch, channels, size);
        return ExactTensor.Float(result, [batch, channels, .. to]);
    }

    private static ConvolutionWindow Window(GraphNode node, ExactTensor weight) =>
        ConvolutionWindow.Match(node, weight.Shape)
        ?? throw new NotSupportedException($"The window of '{node.Outputs[0]}' is chosen by the runtime.");

    private static void AddBias(double[] result, ExactTensor? bias, int batch, int channels, int size)
    {
        if (bias is null)
            return;
        for (int row = 0; row < batch * channels; row++)
        {
            foreach (ref double value in result.AsSpan(row * size, size))
                value += bias.Values[row % channels];
        }
    }

    /// <summary>What one tap of the kernel meets, for a run of results.</summary>
    private static void Gather(
        ReadOnlySpan<double> source,
        Span<double> into,
        int first,
        int tap,
        long[] from,
        long[] to,
        ConvolutionWindow window
    )
    {
        for (int i = 0; i < into.Length; i++)
            into[i] = Place(first + i, tap, from, to, window) is var place && place >= 0 ? source[place] : 0;
    }

    private static void Scatter(ReadOnlySpan<double> products, Span<double> into, int tap, long[] from, long[] to, ConvolutionWindow window)
    {
        for (int i = 0; i < products.Length; i++)
        {
            int place = Place(i, tap, from, to, window);
            if (place >= 0)
                into[place] += products[i];
        }
    }

    /// <summary>Where a tap lies in the source for one result; −1 outside.</summary>
    private static int Place(int result, int tap, long[] from, long[] to, ConvolutionWindow window)
    {
        long place = 0,
            stride = 1;
        for (int axis = from.Length - 1; axis >= 0; axis--)
        {
            int kernel = (int)window.Kernel[axis],
                length = (int)to[axis];
            long at = result % length * window.Strides[axis] + tap % kernel * window.Dilations[axis] - window.Pads[axis];
            if (at < 0 || at >= from[axis])
                return -1;
            place += at * stride;
            stride *= from[axis];
            result /= length;
            tap /= kernel;
        }
        return (int)place;
    }
}
