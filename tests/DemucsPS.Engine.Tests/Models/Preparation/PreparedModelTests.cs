using System.Security.Cryptography;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Tests.Inference;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>Where prepared copies lie, and that they are made once and whole.</summary>
public sealed class PreparedModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _warnings = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_copy_is_made_beside_the_model_and_used_again()
    {
        string model = Save("model.onnx", Rewritable());
        string prepared = Prepare(model);
        Assert.Matches(@"^model\.[0-9a-f]{16}\.prepared\.onnx$", Path.GetFileName(prepared));
        Assert.Equal(_folder.Path, Path.GetDirectoryName(prepared));
        SmallGraph.AssertSame(Rewritable(), File.ReadAllBytes(prepared));

        File.SetLastWriteTimeUtc(prepared, DateTime.UnixEpoch);
        Assert.Equal(prepared, Prepare(model));
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(prepared));
        // Preparing the copy gives the copy.
        Assert.Equal(prepared, Prepare(prepared));
        Assert.Equal(2, _folder.Files().Length);
    }

    [Fact]
    public void The_copy_of_an_older_version_goes_when_the_new_one_is_made()
    {
        byte[] bytes = Rewritable();
        string model = Save("model.onnx", bytes);
        string old = Save($"model.{Convert.ToHexStringLower(SHA256.HashData([.. bytes, (byte)(PreparedModel.RewriteVersion - 1)]).AsSpan(0, 8))}.prepared.onnx", [1]);
        string another = Save("model.0123456789abcdef.prepared.onnx", [1]);
        Assert.True(File.Exists(Prepare(model)));
        Assert.False(File.Exists(old));
        Assert.True(File.Exists(another));
    }

    [Fact]
    public void An_htdemucs_is_rewritten_throughout()
    {
        string prepared = Prepare(Save("model.onnx", File.ReadAllBytes(RepositoryFiles.TinyModel)));
        byte[] bytes = File.ReadAllBytes(prepared);
        string[] types = SmallGraph.Operators(bytes);
        Assert.Equal(10, types.Count(type => type == "MultiHeadAttention"));
        foreach (string gone in new[] { "Softmax", "ConvTranspose", "InstanceNormalization", "Shape" })
            Assert.DoesNotContain(gone, types);
        Assert.Equal(["", GraphModel.RuntimeDomain], new WireMessage(bytes).Messages(8).Select(set => set.Texts(1).FirstOrDefault("")).Order());
        Assert.Equal(prepared, Prepare(prepared));
    }

    [Fact]
    public void Another_model_of_the_same_name_gets_a_copy_of_its_own()
    {
        string first = Prepare(Save("model.onnx", Rewritable()));
        string second = Prepare(Save("model.onnx", SmallGraph.GroupNormalization([1, 4, 9], [0, 1, -1], plain: false)));
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void A_model_with_nothing_to_rewrite_is_used_as_it_is()
    {
        string model = Save("model.onnx", SmallModels.Split());
        Assert.Equal(model, Prepare(model));
        Assert.Single(_folder.Files());
    }

    [Fact]
    public void A_file_in_the_runtimes_own_format_is_used_as_it_is()
    {
        string model = Save("model.ort", [0x20, 0, 0, 0, .. "ORTM"u8, 1, 2, 3, 4]);
        Assert.Equal(model, Prepare(model));
    }

    [Fact]
    public void Callers_at_the_same_time_get_one_whole_copy()
    {
        byte[] bytes = Rewritable();
        string model = Save("model.onnx", bytes);
        using Barrier start = new(8);
        string[] paths = new string[8];
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            paths[i] = Prepare(model);
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.Single(paths.Distinct());
        SmallGraph.AssertSame(bytes, File.ReadAllBytes(paths[0]));
        Assert.Equal(2, _folder.Files().Length);
    }

    [Fact]
    public void Where_the_models_folder_cannot_be_written_to_the_copy_goes_to_the_cache()
    {
        string model = Save("model.onnx", Rewritable()), cache = _folder["cache", "deep"];
        string prepared = PreparedModel.Prepare(model, cache, _warnings.Add, NotBeside, CancellationToken.None);
        Assert.Equal(cache, Path.GetDirectoryName(prepared));
        Assert.Equal(prepared, PreparedModel.Prepare(model, cache, _warnings.Add, NotBeside, CancellationToken.None));
        Assert.Empty(_warnings);
        Assert.Single(Directory.GetFiles(cache));
    }

    [Fact]
    public void A_model_whose_weights_lie_beside_it_is_never_copied_elsewhere()
    {
        byte[] bytes = [.. Rewritable(), .. SmallModels.WithOutsideWeights("weights.data").AsSpan(SmallModels.Split().Length)];
        string model = Save("model.onnx", bytes), cache = _folder["cache"];
        Assert.Equal(model, PreparedModel.Prepare(model, cache, _warnings.Add, NotBeside, CancellationToken.None));
        Assert.Contains("as it is", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.False(Directory.Exists(cache));
        Assert.NotEqual(model, Prepare(model));
    }

    [Fact]
    public void With_nowhere_to_write_the_model_is_used_as_it_is_and_it_is_said()
    {
        string model = Save("model.onnx", Rewritable());
        Assert.Equal(model, PreparedModel.Prepare(model, _folder["cache"], _warnings.Add, _ => throw new IOException("No space."), CancellationToken.None));
        Assert.Contains("No space.", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_leaves_no_piece_of_a_copy()
    {
        string model = Save("model.onnx", Rewritable());
        Assert.Equal(model, PreparedModel.Prepare(model, _folder["cache"], _warnings.Add, path =>
        {
            FileStream stream = new(path, FileMode.CreateNew, FileAccess.Write);
            stream.WriteByte(1);
            stream.Dispose();
            throw new IOException("No space.");
        }, CancellationToken.None));
        Assert.Equal(["model.onnx"], _folder.Files());
    }

    [Fact]
    public void Cancelling_leaves_nothing()
    {
        string model = Save("model.onnx", Rewritable());
        Assert.ThrowsAny<OperationCanceledException>(() => PreparedModel.Prepare(model, null, null, new CancellationToken(canceled: true)));
        Assert.Single(_folder.Files());
    }

    [Fact]
    public void Damaged_and_missing_files_are_errors_that_name_them()
    {
        string damaged = Save("damaged.onnx", Rewritable()[..100]);
        DemucsException e = Assert.Throws<DemucsException>(() => Prepare(damaged));
        Assert.Equal(DemucsError.DemucsModelInvalid, e.Error);
        Assert.Contains(damaged, e.Message, StringComparison.Ordinal);
        Assert.Equal(DemucsError.DemucsModelNotFound, Assert.Throws<DemucsException>(() => Prepare(_folder["missing.onnx"])).Error);
    }

    [Fact]
    public void The_copy_can_be_loaded()
    {
        using OnnxSession session = OnnxSession.FromFile(Prepare(Save("model.onnx", Rewritable())), new OnnxSessionOptions());
        Assert.Equal("x", session.Inputs[0].Name);
    }

    [Fact]
    public void A_copy_for_another_precision_lies_beside_the_other_and_is_made_once()
    {
        string model = Save("model.onnx", File.ReadAllBytes(RepositoryFiles.TinyModel)), full = Prepare(model), int8 = PrepareInt8(model);
        Assert.Matches(@"^model\.[0-9a-f]{16}\.int8\.prepared\.onnx$", Path.GetFileName(int8));
        Assert.Equal(3, _folder.Files().Length);
        Assert.DoesNotContain("MatMulNBits", SmallGraph.Operators(File.ReadAllBytes(full)));
        string[] types = SmallGraph.Operators(File.ReadAllBytes(int8));
        Assert.Equal(44, types.Count(type => type == "MatMulNBits"));
        Assert.DoesNotContain("Gemm", types);
        // Weights are a quarter of what they were.
        Assert.InRange(new FileInfo(int8).Length, 1, new FileInfo(full).Length - 1_000_000);

        File.SetLastWriteTimeUtc(int8, DateTime.UnixEpoch);
        Assert.Equal(int8, PrepareInt8(model));
        Assert.Equal(int8, PrepareInt8(int8));
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(int8));
        Assert.Equal(full, Prepare(model));
        // Neither is a model by itself.
        Assert.Equal([model], ModelFiles.In(_folder.Path));
        Assert.All(new[] { full, int8 }, copy => Assert.True(ModelFiles.IsPrepared(copy)));
    }

    [Fact]
    public void A_copy_is_never_taken_for_one_of_another_precision()
    {
        string model = Save("model.onnx", File.ReadAllBytes(RepositoryFiles.TinyModel)), full = Prepare(model), int8 = PrepareInt8(model);
        Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(() => Prepare(int8)).Error);
        Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(() => PrepareInt8(full)).Error);
    }

    [Fact]
    public void A_model_without_a_copy_for_another_precision_is_refused()
    {
        string rewritable = Save("model.onnx", Rewritable()), runtime = Save("model.ort", [0x20, 0, 0, 0, .. "ORTM"u8, 1, 2, 3, 4]);
        DemucsException nothing = Assert.Throws<DemucsException>(() => PrepareInt8(rewritable)), format = Assert.Throws<DemucsException>(() => PrepareInt8(runtime));
        Assert.Equal(DemucsError.ParameterInvalid, nothing.Error);
        Assert.Contains("would change nothing", nothing.Message, StringComparison.Ordinal);
        Assert.Equal(DemucsError.ParameterInvalid, format.Error);
        Assert.Contains("own format", format.Message, StringComparison.Ordinal);
        Assert.Equal(2, _folder.Files().Length);

        string tiny = Save("tiny.onnx", File.ReadAllBytes(RepositoryFiles.TinyModel));
        DemucsException nowhere = Assert.Throws<DemucsException>(() => PreparedModel.Prepare(tiny, ModelPrecision.Int8, _folder["cache"], _warnings.Add, _ => throw new IOException("No space."), CancellationToken.None));
        Assert.Equal(DemucsError.ModelWriteFailed, nowhere.Error);
        Assert.Contains("No space.", nowhere.Message, StringComparison.Ordinal);
        Assert.Empty(_warnings);
    }

    private static byte[] Rewritable() => SmallGraph.GroupNormalization([1, 6, 35], [0, 1, -1], plain: true);

    private string Save(string name, byte[] bytes)
    {
        File.WriteAllBytes(_folder[name], bytes);
        return _folder[name];
    }

    private string PrepareInt8(string model) => PreparedModel.Prepare(model, ModelPrecision.Int8, _folder["unused"], _ => Assert.Fail("It could be written."), CancellationToken.None);

    private string Prepare(string model) => PreparedModel.Prepare(model, _folder["unused"], _ => Assert.Fail("It could be written."), CancellationToken.None);

    /// <summary>The tests may run as root, whom no folder's mode keeps from writing.</summary>
    private FileStream NotBeside(string path) =>
        Path.GetDirectoryName(path) == _folder.Path ? throw new UnauthorizedAccessException("Not here.") : new FileStream(path, FileMode.CreateNew, FileAccess.Write);
}
