using System.Globalization;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Bench.Exactness;

/// <summary>
/// Finds the nodes at which a graph loses most: each is computed by the runtime and in float64 from the same inputs, those that the
/// runtime's own results are, so that no node answers for
/// another's error.
/// </summary>
internal static class NodeErrors
{
    private sealed record Found(string Operator, string Output, long[] Shape, double Relative, double Largest);

    /// <summary>Lists the worst nodes.</summary>
    public static void Report(ExactGraph graph, ExactChunk chunk, int count, TextWriter output)
    {
        List<Found> found = [];
        graph.Run(chunk.Inputs(), (node, taken, given) =>
        {
            // Integers are exact here and there.
            if (node.Type == "Constant" || !Array.TrueForAll(given, tensor => tensor.ElementType == GraphTensor.Float32))
                return given;
            ExactTensor[] computed = SingleNode.Run(node, taken, given, graph.Model.OperatorSet);
            for (int i = 0; i < given.Length; i++)
                found.Add(Compare(node, node.Outputs[i], given[i], computed[i]));
            return computed;
        });
        output.WriteLine(
            "The error of single nodes, relative to what they give: by root mean square, and the largest against the largest value."
        );
        output.WriteLine("    relative     largest  operator               gives");
        foreach (Found one in found.OrderByDescending(one => one.Relative).Take(count))
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{one.Relative,12:E1}{one.Largest,12:E1}  {one.Operator,-22} {one.Output} [{string.Join(',', one.Shape)}]"
                )
            );
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{found.Count} tensors; the median is {found.Select(one => one.Relative).Order().ElementAt(found.Count / 2):E1}."
            )
        );
    }

    private static Found Compare(GraphNode node, string name, ExactTensor exact, ExactTensor computed)
    {
        double error = 0,
            signal = 0,
            largestError = 0,
            largest = 0;
        for (int i = 0; i < exact.Values.Length; i++)
        {
            double off = computed.Values[i] - exact.Values[i];
            error += off * off;
            signal += exact.Values[i] * exact.Values[i];
            largestError = Math.Max(largestError, Math.Abs(off));
            largest = Math.Max(largest, Math.Abs(exact.Values[i]));
        }
        return new Found(
            node.Type,
            name,
            exact.Shape,
            error == 0 ? 0 : Math.Sqrt(error / signal),
            largestError == 0 ? 0 : largestError / largest
        );
    }
}
