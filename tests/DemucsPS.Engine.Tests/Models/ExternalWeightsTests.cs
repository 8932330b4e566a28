using DemucsPS.Engine.Files;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Inference;

namespace DemucsPS.Engine.Tests.Models;

/// <summary>
/// The files with weights that a model names: they are found whatever they are called, and nothing but files in the model's folder is read.
/// </summary>
public sealed class ExternalWeightsTests
{
    [Theory]
    [InlineData("model.onnx.data")]
    [InlineData("модель.data")]
    [InlineData("ü.data")]
    [InlineData("重み.bin")]
    [InlineData("weights/ü.data")]
    [InlineData("./ü.data")]
    public void Weights_that_were_exchanged_are_seen_whatever_their_file_is_called(string name)
    {
        using TemporaryFolder folder = new();
        string weights = Path.GetFullPath(folder[name]);
        Directory.CreateDirectory(Path.GetDirectoryName(weights)!);
        File.WriteAllBytes(folder["model.onnx"], SmallModels.WithUnusedOutsideWeight(name));
        File.WriteAllBytes(weights, BitConverter.GetBytes(2f));
        using ModelBag bag = Load(folder);
        IReadOnlyList<FileIdentity> before = bag.Identify(default).Single().Files;
        Assert.Equal(["model.onnx", Path.GetFileName(name)], before.Select(f => f.Name));
        File.WriteAllBytes(weights, BitConverter.GetBytes(3f));
        using ModelBag exchanged = Load(folder);
        Assert.NotEqual(before[1], exchanged.Identify(default).Single().Files[1]);
        Assert.Equal(before[0], exchanged.Identify(default).Single().Files[0]);
    }

    public static TheoryData<string> Places =>
        new()
        {
            "initializer",
            "sparse initializer",
            "constant",
            "list of constants",
            "sparse constant",
            "graph of a node",
            "graphs of a node",
            "function",
        };

    [Theory]
    [MemberData(nameof(Places))]
    public void They_are_found_wherever_a_model_may_have_tensors(string place)
    {
        using TemporaryFolder folder = new();
        ProtobufMessage tensor = Tensor("ü.data"),
            sparse = new ProtobufMessage().Message(1, tensor);
        ProtobufMessage inner = Graph(new ProtobufMessage().Message(5, tensor));
        ProtobufMessage model = place switch
        {
            "initializer" => Model(new ProtobufMessage().Message(5, tensor)),
            "sparse initializer" => Model(new ProtobufMessage().Message(15, sparse)),
            "constant" => Model(Node(new ProtobufMessage().Message(5, tensor))),
            "list of constants" => Model(Node(new ProtobufMessage().Message(10, Tensor("other.data")).Message(10, tensor))),
            "sparse constant" => Model(Node(new ProtobufMessage().Message(22, sparse))),
            "graph of a node" => Model(Node(new ProtobufMessage().Message(6, inner))),
            "graphs of a node" => Model(Node(new ProtobufMessage().Message(11, Graph(Node(new ProtobufMessage().Message(6, inner)))))),
            _ => new ProtobufMessage().Message(
                25,
                new ProtobufMessage().Text(1, "f").Message(7, new ProtobufMessage().Message(5, new ProtobufMessage().Message(5, tensor)))
            ),
        };
        File.WriteAllBytes(folder["model.onnx"], model.Bytes);
        Assert.Contains(folder["ü.data"], ExternalWeights.Read(folder["model.onnx"]));

        static ProtobufMessage Graph(ProtobufMessage content) =>
            new ProtobufMessage().Text(2, "graph").Raw(content.Bytes).Integer(99, 1).Float(98, 1);
        static ProtobufMessage Model(ProtobufMessage content) =>
            new ProtobufMessage().Integer(1, 8).Message(7, Graph(content)).Text(2, "tests");
        static ProtobufMessage Node(ProtobufMessage attribute) =>
            new ProtobufMessage().Message(1, new ProtobufMessage().Text(4, "Constant").Message(5, attribute));
    }

    // ONNX Runtime reads them all; the last is an address in its memory to it, and the end of the process.
    [Theory]
    [InlineData("../outside.data")]
    [InlineData("weights/../../outside.data")]
    [InlineData("weights\\..\\..\\outside.data")]
    [InlineData("full path")]
    [InlineData("")]
    [InlineData("in\0side.data")]
    [InlineData("*/_ORT_MEM_ADDR_/*")]
    public void What_is_no_file_in_the_models_folder_is_never_read(string name)
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["m", "weights"]);
        foreach (string file in new[] { folder["outside.data"], folder["m", "in"] })
            File.WriteAllBytes(file, BitConverter.GetBytes(2f));
        Refused(folder, SmallModels.WithOutsideWeights(name == "full path" ? folder["outside.data"] : name), "is not a file in its folder");
    }

    [Fact]
    public void A_name_that_is_no_text_is_refused()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["m"]);
        byte[] model = SmallModels.WithOutsideWeights("x.data");
        model[model.AsSpan().IndexOf("x.data"u8)] = 0xFF;
        Refused(folder, model, "not valid UTF-8");
    }

    [Fact]
    public void A_pipe_a_device_or_a_folder_in_their_place_is_named_and_not_opened()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders.");
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["m", "folder"]);
        File.CreateSymbolicLink(folder["m", "device"], "/dev/zero");
        using NamedPipe pipe = new(folder["m", "pipe"]);
        File.CreateSymbolicLink(folder["m", "link"], "pipe");
        foreach (
            (string name, string kind) in new[] { ("pipe", "a pipe"), ("link", "a pipe"), ("device", "a device"), ("folder", "a folder") }
        )
            Refused(folder, SmallModels.WithOutsideWeights(name), $"'{folder["m", name]}', which is {kind}, not a file");
        Assert.False(pipe.WasOpened);
    }

    [Fact]
    public void A_link_to_a_file_elsewhere_is_followed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right there.");
        using TemporaryFolder folder = new();
        // As model caches have it.
        File.WriteAllBytes(folder["blob"], BitConverter.GetBytes(2f));
        File.WriteAllBytes(folder["model.onnx"], SmallModels.WithUnusedOutsideWeight("w.data"));
        File.CreateSymbolicLink(folder["w.data"], folder["blob"]);
        using ModelBag bag = Load(folder);
        Assert.Equal(4, bag.Identify(default).Single().Files[1].Bytes);
        File.WriteAllBytes(folder["blob"], BitConverter.GetBytes(3.0));
        using ModelBag later = Load(folder);
        File.WriteAllBytes(folder["blob"], BitConverter.GetBytes(2f));
        Assert.Equal(DemucsError.DemucsModelInvalid, Assert.Throws<DemucsException>(() => later.Identify(default)).Error);
    }

    [Fact]
    public void Damaged_models_are_said_to_be()
    {
        using TemporaryFolder folder = new();
        byte[] model = SmallModels.WithOutsideWeights("w.data");
        for (int length = 1; length < model.Length; length += 7)
        {
            File.WriteAllBytes(folder["model.onnx"], model[..length]);
            try
            {
                Assert.Empty(ExternalWeights.Read(folder["model.onnx"]));
            }
            catch (DemucsException e)
            {
                Assert.Equal(DemucsError.DemucsModelInvalid, e.Error);
            }
        }
        ProtobufMessage deep = new();
        for (int level = 0; level < 60; level++)
            deep = new ProtobufMessage().Message(1, new ProtobufMessage().Message(5, new ProtobufMessage().Message(6, deep)));
        File.WriteAllBytes(folder["model.onnx"], new ProtobufMessage().Message(7, deep).Bytes);
        Assert.Contains(
            "levels deep",
            Assert.Throws<DemucsException>(() => ExternalWeights.Read(folder["model.onnx"])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Reading_what_was_loaded_ends_with_the_callers_token_and_can_be_begun_anew()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["model.onnx"], SmallModels.Split());
        ModelFileSet files = ModelFileSet.Create(folder["model.onnx"], null);
        using CancellationTokenSource stop = new();
        stop.Cancel();
        files.BeginReading(stop.Token);
        Assert.ThrowsAny<OperationCanceledException>(() => files.Identify(stop.Token));
        Assert.Equal("model.onnx", Assert.Single(files.Identify(default)).Name);
    }

    private static ModelBag Load(TemporaryFolder folder) =>
        ModelBag.Load([ModelSource.Find(folder["model.onnx"])], null, new OnnxSessionOptions { IntraOpThreads = 1 });

    private static ProtobufMessage Tensor(string file) =>
        new ProtobufMessage()
            .Integer(1, 1)
            .Integer(2, 1)
            .Text(8, "outside")
            .Message(13, new ProtobufMessage().Text(1, "location").Text(2, file))
            .Integer(14, 1);

    private static void Refused(TemporaryFolder folder, byte[] model, string says)
    {
        File.WriteAllBytes(folder["m", "model.onnx"], model);
        foreach (bool prepare in new[] { false, true })
        {
            DemucsException e = Assert.Throws<DemucsException>(() =>
                SeparationModel.Load(ModelSource.Find(folder["m", "model.onnx"]), new OnnxSessionOptions { IntraOpThreads = 1 }, prepare)
            );
            Assert.Equal(DemucsError.DemucsModelInvalid, e.Error);
            Assert.Contains(folder["m", "model.onnx"], e.Message, StringComparison.Ordinal);
            Assert.Contains(says, e.Message, StringComparison.Ordinal);
        }
    }
}
