using System.Runtime.InteropServices;
using DemucsPS.Engine.Models;

namespace DemucsPS.Engine.Tests.Models;

/// <summary>The built-in model as a file: contract, metadata and a graph that holds together.</summary>
public sealed class BaselineModelTests
{
    private const int Nodes = 1;
    private const int Initializers = 5;
    private const int Inputs = 11;
    private const int Outputs = 12;

    [Fact]
    public void Building_twice_gives_the_same_bytes() => Assert.Equal(BaselineModel.Build(), BaselineModel.Build());

    [Fact]
    public void The_file_is_small() => Assert.InRange(BaselineModel.Build().Length, 1, 128 * 1024);

    [Fact]
    public void Inputs_and_outputs_are_those_of_the_split_contract()
    {
        WireMessage graph = Graph(BaselineModel.Build());

        Assert.Equal(["waveform [1,2,343980]", "spectrogram [1,4,2048,336]"], graph.Messages(Inputs).Select(Described));
        Assert.Equal(["stem_spectrogram [1,4,4,2048,336]", "stem_waveform [1,4,2,343980]"], graph.Messages(Outputs).Select(Described));
    }

    [Fact]
    public void Metadata_name_the_stems_the_normalization_and_what_it_is()
    {
        WireMessage model = new(BaselineModel.Build());
        Dictionary<string, string> metadata = model.Messages(14).ToDictionary(m => m.Text(1), m => m.Text(2));

        Assert.Equal("DemucsPS", model.Text(2));
        Assert.Equal("drums,bass,other,vocals", metadata["sources"]);
        Assert.Equal("none", metadata["normalization"]);
        Assert.Contains("not Demucs", metadata["description"], StringComparison.Ordinal);
    }

    [Fact]
    public void Every_node_takes_what_stands_before_it_and_nothing_is_made_twice_or_for_nothing()
    {
        WireMessage graph = Graph(BaselineModel.Build());
        HashSet<string> known = [.. graph.Messages(Inputs).Select(i => i.Text(1)), .. graph.Messages(Initializers).Select(i => i.Text(8))];
        HashSet<string> unused = [.. known];

        foreach (WireMessage node in graph.Messages(Nodes))
        {
            Assert.All(node.Texts(1), name => Assert.Contains(name, known));
            unused.ExceptWith(node.Texts(1));
            Assert.All(node.Texts(2), name => Assert.True(known.Add(name), name));
            // The second result of TopK, the places, is made in any case.
            unused.Add(node.Texts(2)[0]);
        }
        unused.ExceptWith(graph.Messages(Outputs).Select(o => o.Text(1)));
        Assert.Empty(unused);
    }

    [Fact]
    public void Constants_are_as_long_as_their_shapes_say_and_finite()
    {
        foreach (WireMessage tensor in Graph(BaselineModel.Build()).Messages(Initializers))
        {
            long type = tensor.Integer(2);
            long elements = tensor.Integers(1).Aggregate(1L, (product, length) => product * length);
            Assert.Equal(elements * (type == 1 ? sizeof(float) : sizeof(long)), tensor.Block(9).Length);
            if (type == 1)
                foreach (float value in MemoryMarshal.Cast<byte, float>(tensor.Block(9).Span))
                    Assert.True(float.IsFinite(value));
        }
    }

    [Fact]
    public void Only_operators_that_were_there_in_operator_set_13_are_used()
    {
        WireMessage model = new(BaselineModel.Build());
        string[] used = [.. model.Message(7).Messages(Nodes).Select(n => n.Text(4)).Distinct().Order(StringComparer.Ordinal)];

        Assert.Equal(13, model.Message(8).Integer(2));
        Assert.Equal(
            [
                "Add",
                "AveragePool",
                "Concat",
                "Div",
                "Gather",
                "Max",
                "Min",
                "Mul",
                "Neg",
                "Pad",
                "ReduceMax",
                "ReduceMin",
                "ReduceSum",
                "Slice",
                "Split",
                "Sqrt",
                "Sub",
                "TopK",
                "Unsqueeze",
            ],
            used
        );
    }

    [Theory]
    [InlineData(5)]
    [InlineData(336)]
    public void Sustain_windows_stay_inside_the_segment_at_any_length(int frames)
    {
        WireMessage window = Graph(BaselineModel.Build(1024 * frames, frames))
            .Messages(Initializers)
            .Single(t => t.Integers(1) is [var rows, > 1] && rows == frames);
        long[] indices = MemoryMarshal.Cast<byte, long>(window.Block(9).Span).ToArray();
        int length = indices.Length / frames;

        Assert.All(indices, index => Assert.InRange(index, 0, frames - 1));
        for (int frame = 0; frame < frames; frame++)
            Assert.Equal(frame, indices[frame * length + length / 2]);
        // Mirrored, not repeated: one frame beyond the first is the second.
        Assert.Equal(1, indices[length / 2 - 1]);
        Assert.Equal(frames - 2, indices[^(length / 2)]);
    }

    private static WireMessage Graph(byte[] model) => new WireMessage(model).Message(7);

    private static string Described(WireMessage value) =>
        $"{value.Text(1)} [{string.Join(',', value.Message(2).Message(1).Message(2).Messages(1).Select(d => d.Integer(1)))}]";
}
