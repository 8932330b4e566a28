using DemucsPS.Engine.Onnx;

namespace DemucsPS.Bench.Exactness;

/// <summary>
/// The operators that exports of htdemucs and their prepared graphs have, in float64: as the standard defines them
/// (https://onnx.ai/onnx/operators/), plainly, for figures to compare with.
/// What is not here is an error that names it.
/// </summary>
internal static class ExactOperators
{
    private const int FactorsAreChannelsSince = 21;

    /// <summary>What a node gives for what it takes; null stands for an optional input left out.</summary>
    /// <exception cref="NotSupportedException">The operator, or a form of it, is not known here.</exception>
    public static ExactTensor[] Run(GraphNode node, ExactTensor?[] inputs, long operatorSet, string folder)
    {
        ExactTensor X(int i = 0) => inputs[i]!;
        ExactTensor? Optional(int i) => i < inputs.Length ? inputs[i] : null;
        if (node.Domain is not ("" or "ai.onnx"))
        {
            return node is { Domain: GraphModel.RuntimeDomain, Type: "MultiHeadAttention" } && inputs.Length == 3
                    ? [MultiHeadAttention(node, X(), X(1), X(2))]
                : node is { Domain: GraphModel.RuntimeDomain, Type: "Gelu" } ? [Map(X(), Gelu)]
                : throw Unknown(node);
        }
        return node.Type switch
        {
            "Constant" => [Constant(node, folder)],
            "Identity" => [X()],
            "Cast" => [Cast(X(), node.Integer("to", 0))],
            "Neg" => [Map(X(), x => -x)],
            "Abs" => [Map(X(), Math.Abs)],
            "Sqrt" => [Map(X(), Math.Sqrt)],
            "Exp" => [Map(X(), Math.Exp)],
            "Log" => [Map(X(), Math.Log)],
            "Sin" => [Map(X(), Math.Sin)],
            "Cos" => [Map(X(), Math.Cos)],
            "Tanh" => [Map(X(), Math.Tanh)],
            "Erf" => [Map(X(), Erf)],
            "Sigmoid" => [Map(X(), x => 1 / (1 + Math.Exp(-x)))],
            "Relu" => [Map(X(), x => Math.Max(x, 0))],
            "Reciprocal" => [Map(X(), x => 1 / x)],
            "Floor" => [Map(X(), Math.Floor)],
            "Not" => [Map(X(), x => 1 - x)],
            "Gelu" when node.Attributes.GetValueOrDefault("approximate")?.Text is null or "" or "none" => [Map(X(), Gelu)],
            "Add" => [Broadcast(X(), X(1), (a, b) => a + b)],
            "Sub" => [Broadcast(X(), X(1), (a, b) => a - b)],
            "Mul" => [Broadcast(X(), X(1), (a, b) => a * b)],
            "Div" => [X().IsFloat ? Broadcast(X(), X(1), (a, b) => a / b) : Broadcast(X(), X(1), (a, b) => Math.Truncate(a / b))],
            "Pow" => [Broadcast(X(), X(1), Math.Pow)],
            "Min" when inputs.Length == 2 => [Broadcast(X(), X(1), Math.Min)],
            "Max" when inputs.Length == 2 => [Broadcast(X(), X(1), Math.Max)],
            "Mod" when node.Integer("fmod", 0) == 0 => [Broadcast(X(), X(1), (a, b) => a - b * Math.Floor(a / b))],
            "Equal" => [Broadcast(X(), X(1), (a, b) => a == b ? 1 : 0) with { ElementType = ExactTensor.Bool }],
            "Less" => [Broadcast(X(), X(1), (a, b) => a < b ? 1 : 0) with { ElementType = ExactTensor.Bool }],
            "Greater" => [Broadcast(X(), X(1), (a, b) => a > b ? 1 : 0) with { ElementType = ExactTensor.Bool }],
            "And" => [Broadcast(X(), X(1), (a, b) => a * b)],
            "Or" => [Broadcast(X(), X(1), Math.Max)],
            "Where" => [Where(X(), X(1), X(2))],
            "MatMul" => [Multiply(X(), X(1))],
            "Gemm" => [Gemm(node, X(), X(1), Optional(2))],
            "Conv" => [ExactConvolution.Convolve(node, X(), X(1), Optional(2))],
            "ConvTranspose" => [ExactConvolution.ConvolveTransposed(node, X(), X(1), Optional(2))],
            "ReduceMean" => [Reduce(node, X(), Optional(1), values => values.Sum() / values.Length)],
            "ReduceSum" => [Reduce(node, X(), Optional(1), values => values.Sum())],
            "ReduceSumSquare" => [Reduce(node, X(), Optional(1), values => values.Sum(x => x * x))],
            "ReduceL2" => [Reduce(node, X(), Optional(1), values => Math.Sqrt(values.Sum(x => x * x)))],
            "ReduceMax" => [Reduce(node, X(), Optional(1), values => values.Max())],
            "ReduceMin" => [Reduce(node, X(), Optional(1), values => values.Min())],
            "ReduceProd" => [Reduce(node, X(), Optional(1), values => values.Aggregate(1.0, (a, b) => a * b))],
            "GlobalAveragePool" =>
            [
                Reduce(X(), [.. Enumerable.Range(2, X().Rank - 2)], keep: true, values => values.Sum() / values.Length),
            ],
            "Softmax" => [Softmax(X(), node.Integer("axis", -1))],
            "LayerNormalization" when node.Outputs.Length == 1 => [LayerNormalization(node, X(), X(1), Optional(2))],
            "InstanceNormalization" => [GroupNormalization(X(), X(1), X(2), X().Shape[1], node.Float("epsilon", 1e-5f), perChannel: true)],
            "GroupNormalization" =>
            [
                GroupNormalization(
                    X(),
                    X(1),
                    X(2),
                    node.Integer("num_groups", 1),
                    node.Float("epsilon", 1e-5f),
                    operatorSet >= FactorsAreChannelsSince
                ),
            ],
            "Attention" when inputs.Length == 3 && node.Integer("is_causal", 0) == 0 && node.Float("softcap", 0) == 0 && X().Rank == 4 =>
            [
                Attention(X(), X(1), X(2), Scale(node, X().Shape[^1])),
            ],
            "Reshape" => [Reshape(node, X(), X(1).ToIntegers())],
            "Flatten" =>
            [
                X() with
                {
                    Shape =
                    [
                        ExactTensor.Count(X().Shape.Take((int)node.Integer("axis", 1))),
                        ExactTensor.Count(X().Shape.Skip((int)node.Integer("axis", 1))),
                    ],
                },
            ],
            "Squeeze" => [Squeeze(node, X(), Optional(1))],
            "Unsqueeze" => [Unsqueeze(node, X(), Optional(1))],
            "Transpose" =>
            [
                Transpose(
                    X(),
                    node.Attributes.TryGetValue("perm", out GraphAttribute? perm)
                        ? [.. perm.Integers.Select(axis => (int)axis)]
                        : [.. Enumerable.Range(0, X().Rank).Reverse()]
                ),
            ],
            "Expand" =>
            [
                Broadcast(
                    X(),
                    new ExactTensor(new double[ExactTensor.Count(X(1).ToIntegers())], X(1).ToIntegers(), X().ElementType),
                    (a, _) => a
                ),
            ],
            "Tile" => [Tile(X(), X(1).ToIntegers())],
            "Slice" => [Slice(X(), [.. inputs])],
            "Split" => Split(node, X(), Optional(1)),
            "Concat" => [Concat(inputs, node.Integer("axis", 0))],
            "Gather" => [Gather(X(), X(1), node.Integer("axis", 0))],
            "ScatterND" when node.Attributes.GetValueOrDefault("reduction")?.Text is null or "" or "none" => [Scatter(X(), X(1), X(2))],
            "Pad" => [Pad(node, X(), inputs)],
            "Shape" => [Shape(node, X())],
            "ConstantOfShape" => [OfShape(node, X(), folder)],
            "Range" => [Range(X(), X(1), X(2))],
            "DepthToSpace" => [DepthToSpace(node, X())],
            _ => throw Unknown(node),
        };
    }

    /// <summary>
    /// The error function: its series where that converges quickly, else the continued fraction of its complement; both to the last bits of
    /// float64.
    /// </summary>
    /// <remarks>https://dlmf.nist.gov/7.6 and 7.9</remarks>
    public static double Erf(double x)
    {
        double a = Math.Abs(x),
            result;
        if (a < 2.5)
        {
            double term = a,
                sum = a;
            for (int n = 1; Math.Abs(term) > 1e-18 * sum; n++)
            {
                term *= 2 * a * a / (2 * n + 1);
                sum += term;
            }
            result = 2 / Math.Sqrt(Math.PI) * Math.Exp(-a * a) * sum;
        }
        else if (a > 6)
        {
            result = 1;
        }
        else
        {
            double fraction = a;
            for (int n = 60; n > 0; n--)
                fraction = a + n / 2.0 / fraction;
            result = 1 - Math.Exp(-a * a) / Math.Sqrt(Math.PI) / fraction;
        }
        return x < 0 ? -result : result;
    }

    private static double Gelu(double x) => 0.5 * x * (1 + Erf(x / Math.Sqrt(2)));

    private static NotSupportedException Unknown(GraphNode node) =>
        new(
            $"The operator {(node.Domain.Length > 0 ? node.Domain + "." : "")}{node.Type}, or this form of it, is not known here; it gives '{node.Outputs.FirstOrDefault()}'."
        );

    private static ExactTensor Constant(GraphNode node, string folder)
    {
        if (node.Attributes.GetValueOrDefault("value")?.Tensor is { } tensor)
            return ExactTensor.Of(tensor, folder);
        if (node.Attributes.TryGetValue("value_float", out GraphAttribute? number))
            return ExactTensor.Float([number.Float]);
        if (node.Attributes.TryGetValue("value_int", out GraphAttribute? integer))
            return new ExactTensor([integer.Integer], [], GraphTensor.Int64);
        return node.Attributes.TryGetValue("value_ints", out GraphAttribute? integers)
            ? ExactTensor.Integers(integers.Integers)
            : throw Unknown(node);
    }

    private static ExactTensor Cast(ExactTensor x, long type) =>
        x.IsFloat && type is not (GraphTensor.Float32 or GraphTensor.Float64 or GraphTensor.Float16)
            ? Map(x, type == ExactTensor.Bool ? value => value != 0 ? 1 : 0 : Math.Truncate) with
            {
                ElementType = type,
            }
            : x with
            {
                ElementType = type,
            };

    private static ExactTensor Map(ExactTensor x, Func<double, double> of)
    {
        double[] result = new double[x.Values.Length];
        Parallel.For(0, (result.Length + 65535) / 65536, block =>
        {
            for (int i = block * 65536; i < Math.Min(result.Length, (block + 1) * 65536); i++)
                result[i] = of(x.Values[i]);
        });
        return x with { Values = result };
    }

    private static long[] Strides(long[] shape)
    {
        long[] strides = new long[shape.Length];
        long stride = 1;
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }
        return strides;
    }

    /// <summary>
    /// Calls for each position of a shape, the last axis running first, with where it is in tensors of the given strides.
    /// </summary>
    private static void Walk(long[] shape, long[] first, long[] second, Action<int, long, long> visit)
    {
        long count = ExactTensor.Count(shape);
        if (shape.Length == 0)
        {
            visit(0, 0, 0);
            return;
        }
        long[] at = new long[shape.Length];
        long a = 0,
            b = 0;
        for (int i = 0; i < count; i++)
        {
            visit(i, a, b);
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                a += first[axis];
                b += second[axis];
                if (++at[axis] < shape[axis])
                    break;
                a -= first[axis] * shape[axis];
                b -= second[axis] * shape[axis];
                at[axis] = 0;
            }
        }
    }

    private static long[] Joined(long[] left, long[] right)
    {
        int rank = Math.Max(left.Length, right.Length);
        return
        [
            .. Enumerable
                .Range(0, rank)
                .Select(i =>
                {
                    long a = i < rank - left.Length ? 1 : left[i - rank + left.Length],
                        b = i < rank - right.Length ? 1 : right[i - rank + right.Length];
                    return a == 1 ? b
                        : b == 1 || a == b ? a
                        : throw new NotSupportedException(
                            $"Shapes [{string.Join(',', left)}] and [{string.Join(',', right)}] do not go together."
                        );
                }),
        ];
    }

    /// <summary>Strides with which a tensor is walked in a larger shape: 0 along axes that it has not or of length 1.</summary>
    private static long[] Spread(ExactTensor x, long[] shape)
    {
        long[] own = Strides(x.Shape);
        return [.. shape.Select((_, i) => i - shape.Length + x.Rank is var axis && axis < 0 || x.Shape[axis] == 1 ? 0 : own[axis])];
    }

    private static ExactTensor Broadcast(ExactTensor a, ExactTensor b, Func<double, double, double> of)
    {
        long[] shape = Joined(a.Shape, b.Shape);
        double[] result = new double[ExactTensor.Count(shape)];
        if (a.Values.Length == result.Length && b.Values.Length == result.Length)
        {
            for (int i = 0; i < result.Length; i++)
                result[i] = of(a.Values[i], b.Values[i]);
        }
        else
        {
            Walk(shape, Spread(a, shape), Spread(b, shape), (i, left, right) => result[i] = of(a.Values[left], b.Values[right]));
        }
        return new ExactTensor(result, shape, a.ElementType);
    }

    private static ExactTensor Where(ExactTensor condition, ExactTensor yes, ExactTensor no)
    {
        long[] shape = Joined(condition.Shape, Joined(yes.Shape, no.Shape));
        ExactTensor ofYes = Broadcast(yes, new ExactTensor(new double[ExactTensor.Count(shape)], shape, yes.ElementType), (a, _) => a),
            ofNo = Broadcast(no, ofYes, (a, _) => a),
            chosen = Broadcast(condition, ofYes, (a, _) => a);
        return ofYes with { Values = [.. chosen.Values.Select((value, i) => value != 0 ? ofYes.Values[i] : ofNo.Values[i])] };
    }

    private static ExactTensor Multiply(ExactTensor a, ExactTensor b)
    {
        if (a.Rank < 2 || b.Rank < 2)
            throw new NotSupportedException("Products of vectors are not known here.");
        int rows = (int)a.Shape[^2],
            inner = (int)a.Shape[^1],
            columns = (int)b.Shape[^1];
        if (b.Rank == 2 && a.Rank > 2)
        {
            // One product instead of many small ones.
            return Multiply(a with { Shape = [a.Values.Length / inner, inner] }, b) with { Shape = [.. a.Shape[..^1], columns] };
        }
        long[] batch = Joined(a.Shape[..^2], b.Shape[..^2]);
        double[] result = new double[ExactTensor.Count(batch) * rows * columns];
        ExactTensor left = new([], a.Shape[..^2], 1),
            right = new([], b.Shape[..^2], 1);
        Walk(batch, Spread(left, batch), Spread(right, batch), (i, at, other) =>
            MatrixProducts.Add(
                a.Values.AsMemory((int)at * rows * inner, rows * inner),
                b.Values.AsMemory((int)other * inner * columns, inner * columns),
                result.AsMemory(i * rows * columns, rows * columns),
                rows,
                inner,
                columns
            )
        );
        return new ExactTensor(result, [.. batch, rows, columns], a.ElementType);
    }

    private static ExactTensor Gemm(GraphNode node, ExactTensor a, ExactTensor b, ExactTensor? c)
    {
        double alpha = node.Float("alpha", 1),
            beta = node.Float("beta", 1);
        ExactTensor product = Multiply(
            node.Integer("transA", 0) != 0 ? Transpose(a, [1, 0]) : a,
            node.Integer("transB", 0) != 0 ? Transpose(b, [1, 0]) : b
        );
        product = Map(product, x => alpha * x);
        return c is null ? product : Broadcast(product, c, (x, y) => x + beta * y);
    }

    private static ExactTensor Reduce(GraphNode node, ExactTensor x, ExactTensor? axes, Func<double[], double> of)
    {
        long[] given = axes?.ToIntegers() ?? (node.Attributes.TryGetValue("axes", out GraphAttribute? attribute) ? attribute.Integers : []);
        if (given.Length == 0 && node.Integer("noop_with_empty_axes", 0) != 0)
            return x;
        int[] reduced =
            given.Length == 0
                ? [.. Enumerable.Range(0, x.Rank)]
                : [.. given.Select(axis => (int)(axis < 0 ? axis + x.Rank : axis)).Order()];
        return Reduce(x, reduced, node.Integer("keepdims", 1) != 0, of);
    }

    private static ExactTensor Reduce(ExactTensor x, int[] axes, bool keep, Func<double[], double> of)
    {
        int[] others = [.. Enumerable.Range(0, x.Rank).Except(axes)];
        ExactTensor turned = Transpose(x, [.. others, .. axes]);
        int run = (int)ExactTensor.Count(axes.Select(axis => x.Shape[axis])),
            count = x.Values.Length / run;
        double[] result = new double[count];
        Parallel.For(0, count, i => result[i] = of(turned.Values.AsSpan(i * run, run).ToArray()));
        return x with
        {
            Values = result,
            Shape = keep ? [.. x.Shape.Select((length, i) => axes.Contains(i) ? 1 : length)] : [.. others.Select(axis => x.Shape[axis])],
        };
    }

    private static ExactTensor Softmax(ExactTensor x, long axis)
    {
        if (axis != -1 && axis != x.Rank - 1)
            throw new NotSupportedException("A softmax along another axis than the last is not known here.");
        double[] result = new double[x.Values.Length];
        int run = (int)x.Shape[^1];
        Parallel.For(0, result.Length / run, row =>
        {
            ReadOnlySpan<double> from = x.Values.AsSpan(row * run, run);
            Span<double> into = result.AsSpan(row * run, run);
            double largest = double.NegativeInfinity,
                sum = 0;
            foreach (double value in from)
                largest = Math.Max(largest, value);
            for (int i = 0; i < run; i++)
                sum += into[i] = Math.Exp(from[i] - largest);
            foreach (ref double value in into)
                value /= sum;
        });
        return x with { Values = result };
    }

    private static ExactTensor LayerNormalization(GraphNode node, ExactTensor x, ExactTensor factors, ExactTensor? summands)
    {
        long axis = node.Integer("axis", -1);
        int first = (int)(axis < 0 ? axis + x.Rank : axis),
            run = (int)ExactTensor.Count(x.Shape.Skip(first));
        ExactTensor normal = Normalize(x, run, node.Float("epsilon", 1e-5f));
        normal = Broadcast(normal, factors, (a, b) => a * b);
        return summands is null ? normal : Broadcast(normal, summands, (a, b) => a + b);
    }

    private static ExactTensor GroupNormalization(
        ExactTensor x,
        ExactTensor factors,
        ExactTensor summands,
        long groups,
        float epsilon,
        bool perChannel
    )
    {
        int run = (int)(ExactTensor.Count(x.Shape.Skip(1)) / groups),
            channels = (int)x.Shape[1],
            channel = (int)ExactTensor.Count(x.Shape.Skip(2));
        ExactTensor normal = Normalize(x, run, epsilon);
        for (int i = 0; i < normal.Values.Length; i++)
        {
            int number = i / channel % channels,
                at = perChannel ? number : (int)(number / (channels / groups));
            normal.Values[i] = normal.Values[i] * factors.Values[at] + summands.Values[at];
        }
        return normal;
    }

    private static ExactTensor Normalize(ExactTensor x, int run, float epsilon)
    {
        double[] result = new double[x.Values.Length];
        Parallel.For(0, result.Length / run, row =>
        {
            ReadOnlySpan<double> from = x.Values.AsSpan(row * run, run);
            double mean = 0,
                variance = 0;
            foreach (double value in from)
                mean += value;
            mean /= run;
            foreach (double value in from)
                variance += (value - mean) * (value - mean);
            double deviation = Math.Sqrt(variance / run + epsilon);
            for (int i = 0; i < run; i++)
                result[row * run + i] = (from[i] - mean) / deviation;
        });
        return x with { Values = result };
    }

    private static double Scale(GraphNode node, long depth) =>
        node.Attributes.TryGetValue("scale", out GraphAttribute? scale) && scale.Float != 0 ? scale.Float : 1 / Math.Sqrt(depth);

    private static ExactTensor Attention(ExactTensor query, ExactTensor key, ExactTensor value, double scale)
    {
        ExactTensor scores = Multiply(query, Transpose(key, [0, 1, 3, 2]));
        return Multiply(Softmax(Map(scores, x => x * scale), -1), value);
    }

    private static ExactTensor MultiHeadAttention(GraphNode node, ExactTensor query, ExactTensor key, ExactTensor value)
    {
        long heads = node.Integer("num_heads", 1),
            depth = query.Shape[2] / heads;
        ExactTensor Apart(ExactTensor x) => Transpose(x with { Shape = [x.Shape[0], x.Shape[1], heads, x.Shape[2] / heads] }, [0, 2, 1, 3]);
        ExactTensor result = Transpose(Attention(Apart(query), Apart(key), Apart(value), Scale(node, depth)), [0, 2, 1, 3]);
        return result with { Shape = [query.Shape[0], query.Shape[1], value.Shape[2]] };
    }

    private static ExactTensor Reshape(GraphNode node, ExactTensor x, long[] target)
    {
        bool copies = node.Integer("allowzero", 0) == 0;
        long[] shape = [.. target.Select((length, i) => length == 0 && copies ? x.Shape[i] : length)];
        int open = Array.IndexOf(shape, -1);
        if (open >= 0)
            shape[open] = x.Values.Length / shape.Where((_, i) => i != open).Aggregate(1L, (a, b) => a * b);
        return ExactTensor.Count(shape) == x.Values.Length
            ? x with
            {
                Shape = shape,
            }
            : throw new NotSupportedException($"'{node.Outputs[0]}' does not fit its shape.");
    }

    private static long[] Axes(GraphNode node, ExactTensor? axes, int rank) =>
        [
            .. (
                axes?.ToIntegers() ?? (node.Attributes.TryGetValue("axes", out GraphAttribute? attribute) ? attribute.Integers : [])
            ).Select(axis => axis < 0 ? axis + rank : axis),
        ];

    private static ExactTensor Squeeze(GraphNode node, ExactTensor x, ExactTensor? axes)
    {
        long[] left = Axes(node, axes, x.Rank);
        return x with { Shape = [.. x.Shape.Where((length, i) => left.Length == 0 ? length != 1 : !left.Contains(i))] };
    }

    private static ExactTensor Unsqueeze(GraphNode node, ExactTensor x, ExactTensor? axes)
    {
        int count = Axes(node, axes, 0).Length;
        List<long> shape = [.. x.Shape];
        foreach (long axis in Axes(node, axes, x.Rank + count).Order())
            shape.Insert((int)axis, 1);
        return x with { Shape = [.. shape] };
    }

    private static ExactTensor Transpose(ExactTensor x, int[] order)
    {
        long[] strides = Strides(x.Shape),
            shape = [.. order.Select(axis => x.Shape[axis])];
        if (order.Where(axis => x.Shape[axis] > 1).SequenceEqual(order.Where(axis => x.Shape[axis] > 1).Order()))
            return x with { Shape = shape };
        double[] result = new double[x.Values.Length];
        long[] moved = [.. order.Select(axis => strides[axis])];
        Walk(shape, moved, moved, (i, at, _) => result[i] = x.Values[at]);
        return x with { Values = result, Shape = shape };
    }

    private static ExactTensor Tile(ExactTensor x, long[] repeats)
    {
        for (int axis = 0; axis < x.Rank; axis++)
        {
            if (repeats[axis] != 1)
                x = Concat([.. Enumerable.Repeat(x, (int)repeats[axis])], axis);
        }
        return x;
    }

    private static ExactTensor Slice(ExactTensor x, ExactTensor?[] inputs)
    {
        long[] starts = inputs[1]!.ToIntegers(),
            ends = inputs[2]!.ToIntegers();
        long[] axes =
            inputs.Length > 3 && inputs[3] is { } given ? given.ToIntegers() : [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        long[] steps = inputs.Length > 4 && inputs[4] is { } taken ? taken.ToIntegers() : [.. starts.Select(_ => 1L)];
        for (int i = 0; i < starts.Length; i++)
        {
            int axis = (int)(axes[i] < 0 ? axes[i] + x.Rank : axes[i]);
            long length = x.Shape[axis],
                step = steps[i],
                least = step > 0 ? 0 : -1,
                most = step > 0 ? length : length - 1;
            long start = Math.Clamp(starts[i] < 0 ? starts[i] + length : starts[i], step > 0 ? 0 : 0, most),
                end = Math.Clamp(ends[i] < 0 ? Math.Max(ends[i], -length - 1) + length : ends[i], least, length);
            List<double> numbers = [];
            for (long at = start; step > 0 ? at < end : at > end; at += step)
                numbers.Add(at);
            x = Gather(x, new ExactTensor([.. numbers], [numbers.Count], GraphTensor.Int64), axis);
        }
        return x;
    }

    private static ExactTensor[] Split(GraphNode node, ExactTensor x, ExactTensor? given)
    {
        long axis = node.Integer("axis", 0);
        axis = axis < 0 ? axis + x.Rank : axis;
        int parts = node.Outputs.Length;
        long even = (x.Shape[axis] + parts - 1) / parts;
        long[] sizes = given?.ToIntegers()
            ?? (
                node.Attributes.TryGetValue("split", out GraphAttribute? attribute)
                    ? attribute.Integers
                    : [.. Enumerable.Range(0, parts).Select(i => Math.Min(even, x.Shape[axis] - i * even))]
            );
        ExactTensor[] result = new ExactTensor[parts];
        long first = 0;
        for (int i = 0; i < parts; i++)
        {
            result[i] = Gather(x, ExactTensor.Integers([.. Enumerable.Range((int)first, (int)sizes[i]).Select(at => (long)at)]), axis);
            first += sizes[i];
        }
        return result;
    }

    private static ExactTensor Concat(ExactTensor?[] inputs, long axis)
    {
        ExactTensor[] parts = [.. inputs.Select(input => input!)];
        axis = axis < 0 ? axis + parts[0].Rank : axis;
        int before = (int)ExactTensor.Count(parts[0].Shape.Take((int)axis));
        long[] shape = [.. parts[0].Shape];
        shape[axis] = parts.Sum(part => part.Shape[axis]);
        double[] result = new double[ExactTensor.Count(shape)];
        int row = result.Length / Math.Max(before, 1),
            offset = 0;
        foreach (ExactTensor part in parts)
        {
            int length = part.Values.Length / Math.Max(before, 1);
            for (int i = 0; i < before; i++)
                part.Values.AsSpan(i * length, length).CopyTo(result.AsSpan(i * row + offset, length));
            offset += length;
        }
        return parts[0] with { Values = result, Shape = shape };
    }

    private static ExactTensor Gather(ExactTensor x, ExactTensor indices, long axis)
    {
        axis = axis < 0 ? axis + x.Rank : axis;
        int before = (int)ExactTensor.Count(x.Shape.Take((int)axis)),
            length = (int)x.Shape[axis],
            run = (int)ExactTensor.Count(x.Shape.Skip((int)axis + 1)),
            count = indices.Values.Length;
        double[] result = new double[(long)before * count * run];
        for (int i = 0; i < before; i++)
        {
            for (int j = 0; j < count; j++)
            {
                int at = (int)indices.Values[j];
                x.Values.AsSpan((i * length + (at < 0 ? at + length : at)) * run, run).CopyTo(result.AsSpan((i * count + j) * run, run));
            }
        }
        return x with { Values = result, Shape = [.. x.Shape[..(int)axis], .. indices.Shape, .. x.Shape[((int)axis + 1)..]] };
    }

    private static ExactTensor Scatter(ExactTensor x, ExactTensor indices, ExactTensor updates)
    {
        double[] result = [.. x.Values];
        int depth = (int)indices.Shape[^1],
            run = (int)ExactTensor.Count(x.Shape.Skip(depth)),
            count = indices.Values.Length / Math.Max(depth, 1);
        long[] strides = Strides(x.Shape);
        for (int i = 0; i < count; i++)
        {
            long at = 0;
            for (int axis = 0; axis < depth; axis++)
                at += (long)(indices.Values[i * depth + axis] is var index && index < 0 ? index + x.Shape[axis] : index) * strides[axis];
            updates.Values.AsSpan(i * run, run).CopyTo(result.AsSpan((int)at, run));
        }
        return x with { Values = result };
    }

    private static ExactTensor Pad(GraphNode node, ExactTensor x, ExactTensor?[] inputs)
    {
        string mode = node.Attributes.GetValueOrDefault("mode")?.Text is { Length: > 0 } text ? text : "constant";
        if (mode is not ("constant" or "reflect") || inputs.Length > 3)
            throw Unknown(node);
        long[] pads = inputs.Length > 1 ? inputs[1]!.ToIntegers() : node.Attributes["pads"].Integers;
        double value = inputs.Length > 2 && inputs[2] is { } constant ? constant.Values[0] : 0;
        for (int axis = 0; axis < x.Rank; axis++)
        {
            long before = pads[axis],
                after = pads[axis + x.Rank],
                length = x.Shape[axis];
            if (before == 0 && after == 0)
                continue;
            if (before < 0 || after < 0)
                throw Unknown(node);
            if (mode == "reflect")
            {
                x = Gather(
                    x,
                    ExactTensor.Integers([
                        .. Enumerable
                            .Range(0, (int)(before + length + after))
                            .Select(i =>
                                i - before is var at && at < 0 ? -at
                                : at >= length ? 2 * (length - 1) - at
                                : at
                            ),
                    ]),
                    axis
                );
                continue;
            }
            ExactTensor Filled(long count)
            {
                long[] shape = [.. x.Shape];
                shape[axis] = count;
                double[] values = new double[ExactTensor.Count(shape)];
                Array.Fill(values, value);
                return x with { Values = values, Shape = shape };
            }

            x = Concat([Filled(before), x, Filled(after)], axis);
        }
        return x;
    }

    private static ExactTensor Shape(GraphNode node, ExactTensor x)
    {
        long start = node.Integer("start", 0),
            end = node.Integer("end", x.Rank);
        start = Math.Clamp(start < 0 ? start + x.Rank : start, 0, x.Rank);
        end = Math.Clamp(end < 0 ? end + x.Rank : end, 0, x.Rank);
        return ExactTensor.Integers(end > start ? x.Shape[(int)start..(int)end] : []);
    }

    private static ExactTensor OfShape(GraphNode node, ExactTensor shape, string folder)
    {
        ExactTensor value = node.Attributes.GetValueOrDefault("value")?.Tensor is { } tensor
            ? ExactTensor.Of(tensor, folder)
            : ExactTensor.Float([0], 1);
        double[] values = new double[ExactTensor.Count(shape.ToIntegers())];
        Array.Fill(values, value.Values[0]);
        return value with { Values = values, Shape = shape.ToIntegers() };
    }

    private static ExactTensor Range(ExactTensor start, ExactTensor limit, ExactTensor delta)
    {
        int count = (int)Math.Max(0, Math.Ceiling((limit.Values[0] - start.Values[0]) / delta.Values[0]));
        return start with { Values = [.. Enumerable.Range(0, count).Select(i => start.Values[0] + i * delta.Values[0])], Shape = [count] };
    }

    private static ExactTensor DepthToSpace(GraphNode node, ExactTensor x)
    {
        if (node.Attributes.GetValueOrDefault("mode")?.Text is not (null or "" or "DCR"))
            throw Unknown(node);
        long block = node.Integer("blocksize", 1),
            channels = x.Shape[1] / (block * block);
        ExactTensor apart = x with { Shape = [x.Shape[0], block, block, channels, x.Shape[2], x.Shape[3]] };
        return Transpose(apart, [0, 3, 4, 1, 5, 2]) with { Shape = [x.Shape[0], channels, x.Shape[2] * block, x.Shape[3] * block] };
    }
}
