using System.Security.Cryptography;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>
/// That prepared copies are made once, whole and of the right things, and what becomes of them where they cannot be kept.
/// </summary>
public sealed class PreparedModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _warnings = [];
    private readonly PreparationCache _cache;

    public PreparedModelTests() => _cache = PreparationCache.Open(_folder["cache"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_copy_is_made_in_the_cache_and_used_again()
    {
        string model = Save("model.onnx", Rewritable());
        string path;
        using (PreparedModel prepared = Prepare(model))
        {
            path = prepared.Path!;
            Assert.False(prepared.WasFound);
            Assert.Equal(_folder["cache", prepared.Name], path);
            Assert.Matches(
                $@"^model\.{Convert.ToHexStringLower(SHA256.HashData(Rewritable()).AsSpan(0, 8))}\.[0-9a-f]{{16}}\.v{PreparedModel.RewriteVersion}\.prepared\.onnx$",
                prepared.Name
            );
            Assert.Equal(File.ReadAllBytes(path), prepared.ToBytes());
            SmallGraph.AssertSame(Rewritable(), prepared.ToBytes());
        }
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        using (PreparedModel again = Prepare(model))
        {
            Assert.True(again.WasFound);
            Assert.Equal(path, again.Path);
        }
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(path));
        // The same model elsewhere has the same copy, and the copy itself needs none.
        Directory.CreateDirectory(_folder["elsewhere"]);
        using (PreparedModel elsewhere = Prepare(Save("elsewhere/model.onnx", Rewritable())))
            Assert.Equal(path, elsewhere.Path);
        Assert.Null(PreparedModel.Prepare(path, GraphTarget.Cpu, _cache, null, CancellationToken.None));
        Assert.Equal(3, _folder.Files().Length);
    }

    [Fact]
    public void Copies_for_other_providers_are_listed_as_such()
    {
        string model = Save("model.onnx", Rewritable());
        foreach (GraphForm form in (GraphForm[])[GraphForm.Cpu, GraphForm.Compiled])
            PreparedModel.Prepare(model, GraphTarget.Cpu with { Form = form }, _cache, Unwarned, CancellationToken.None)!.Dispose();
        Assert.Equal(["Compiled", "Cpu"], _cache.List().Select(copy => copy.Form).Order());
    }

    [Fact]
    public void Copies_that_earlier_versions_left_beside_the_model_go_when_the_new_one_is_made()
    {
        byte[] bytes = Rewritable();
        string model = Save("model.onnx", bytes);
        string Beside(int version, string suffix) =>
            Save($"model.{Convert.ToHexStringLower(SHA256.HashData([.. bytes, (byte)version]).AsSpan(0, 8))}{suffix}", [1]);
        string[] old = [Beside(1, ".prepared.onnx"), Beside(3, ".prepared.onnx"), Beside(3, ".int8.prepared.onnx")];
        string another = Save("model.0123456789abcdef.prepared.onnx", [1]);
        Prepare(model).Dispose();
        Assert.All(old, path => Assert.False(File.Exists(path)));
        Assert.True(File.Exists(another));
    }

    [Fact]
    public void An_htdemucs_is_rewritten_throughout()
    {
        using PreparedModel prepared = Prepare(RepositoryFiles.TinyModel);
        byte[] bytes = prepared.ToBytes();
        string[] types = SmallGraph.Operators(bytes);
        Assert.Equal(10, types.Count(type => type == "MultiHeadAttention"));
        foreach (string gone in new[] { "Softmax", "ConvTranspose", "InstanceNormalization", "Shape" })
            Assert.DoesNotContain(gone, types);
        Assert.Equal(
            ["", GraphModel.RuntimeDomain],
            new WireMessage(bytes).Messages(8).Select(set => set.Texts(1).FirstOrDefault("")).Order()
        );
    }

    [Fact]
    public void Another_model_of_the_same_name_gets_a_copy_of_its_own()
    {
        using PreparedModel first = Prepare(Save("model.onnx", Rewritable()));
        using PreparedModel second = Prepare(Save("model.onnx", SmallGraph.GroupNormalization([1, 4, 9], [0, 1, -1], plain: false)));
        Assert.NotEqual(first.Path, second.Path);
    }

    [Fact]
    public void A_model_with_nothing_to_rewrite_is_used_as_it_is()
    {
        Assert.Null(
            PreparedModel.Prepare(Save("model.onnx", SmallModels.Split()), GraphTarget.Cpu, _cache, Unwarned, CancellationToken.None)
        );
        Assert.Single(_folder.Files());
    }

    [Fact]
    public void A_file_in_the_runtimes_own_format_is_used_as_it_is() =>
        Assert.Null(
            PreparedModel.Prepare(
                Save("model.ort", [0x20, 0, 0, 0, .. "ORTM"u8, 1, 2, 3, 4]),
                GraphTarget.Cpu,
                _cache,
                Unwarned,
                CancellationToken.None
            )
        );

    [Fact]
    public void Callers_at_the_same_time_get_one_whole_copy()
    {
        byte[] bytes = Rewritable();
        string model = Save("model.onnx", bytes);
        using Barrier start = new(8);
        string[] paths = new string[8];
        Thread[] threads =
        [
            .. Enumerable
                .Range(0, 8)
                .Select(i => new Thread(() =>
                {
                    start.SignalAndWait();
                    using PreparedModel prepared = Prepare(model);
                    paths[i] = prepared.Path!;
                })),
        ];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.Single(paths.Distinct());
        SmallGraph.AssertSame(bytes, File.ReadAllBytes(paths[0]));
        Assert.Equal(2, _folder.Files().Length);
    }

    [Fact]
    public void A_model_with_weights_in_a_second_file_is_prepared_in_the_cache_too_and_again_for_other_weights()
    {
        float[] weights = [.. Enumerable.Range(0, 210).Select(i => i / 100f)];
        string model = Save("model.onnx", WithWeights("model.onnx.data")),
            data = Save("model.onnx.data", Bytes(weights));
        string path;
        using (PreparedModel prepared = Prepare(model))
        {
            path = prepared.Path!;
            Assert.Equal(_folder["cache"], Path.GetDirectoryName(path));
            Assert.True(GraphModel.Parse(prepared.ToBytes()).MayHaveExternalData);
            Same(prepared);
        }
        Save("model.onnx.data", Bytes([.. weights.Select(w => -w)]));
        using (PreparedModel other = Prepare(model))
        {
            Assert.NotEqual(path, other.Path);
            Same(other);
        }
        Assert.Equal(["model.onnx", "model.onnx.data"], Directory.GetFiles(_folder.Path).Select(f => Path.GetFileName(f)).Order());

        // With and without the copy the model computes the same.
        void Same(PreparedModel prepared)
        {
            using OnnxSession asItIs = OnnxSession.FromFile(model, new OnnxSessionOptions()),
                session = prepared.Open(new OnnxSessionOptions(), CancellationToken.None);
            float[] expected = Run(asItIs),
                actual = Run(session);
            Assert.Contains(expected, y => Math.Abs(y) > 0.1f);
            for (int i = 0; i < expected.Length; i++)
                Assert.Equal(expected[i], actual[i], 1e-4f);
        }

        static float[] Run(OnnxSession session)
        {
            float[] x = [.. Enumerable.Range(0, 210).Select(i => MathF.Sin(i))],
                y = new float[210];
            session.Run([OnnxTensor.Create("x", x, 1, 6, 35)], [OnnxTensor.Create("y", y, 1, 6, 35)]);
            return y;
        }
    }

    [Fact]
    public void With_a_cache_that_cannot_be_written_to_the_same_copy_is_made_in_memory_and_it_is_said()
    {
        string model = Save("model.onnx", Rewritable()),
            file = Save("file", []);
        using PreparedModel kept = Prepare(model);
        using PreparedModel prepared = PreparedModel.Prepare(
            model,
            GraphTarget.Cpu,
            PreparationCache.Open(Path.Combine(file, "cache")),
            _warnings.Add,
            CancellationToken.None
        )!;
        Assert.Null(prepared.Path);
        Assert.Equal(kept.Name, prepared.Name);
        Assert.Equal(kept.ToBytes(), prepared.ToBytes());
        string warning = Assert.Single(_warnings);
        Assert.Contains(Path.Combine(file, "cache"), warning, StringComparison.Ordinal);
        Assert.Contains(PreparationCache.FolderVariable, warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.02)]
    [InlineData(0.98)]
    [InlineData(2)]
    public void A_full_cache_changes_no_bit_and_keeps_no_piece(double room)
    {
        using PreparedModel whole = PreparedModel.Prepare(
            RepositoryFiles.TinyModel,
            GraphTarget.Cpu,
            PreparationCache.Open(_folder["roomy"]),
            Unwarned,
            CancellationToken.None
        )!;
        using SmallDisk? disk = SmallDisk.TryMount(_folder["cache"], (int)(room * whole.Length), readOnly: false);
        if (disk is null)
        {
            Assert.Skip("Mounting a small disk needs an administrator on Linux.");
            return;
        }
        using (
            PreparedModel prepared = PreparedModel.Prepare(
                RepositoryFiles.TinyModel,
                GraphTarget.Cpu,
                _cache,
                _warnings.Add,
                CancellationToken.None
            )!
        )
        {
            Assert.Equal(whole.Name, prepared.Name);
            Assert.Equal(whole.ToBytes(), prepared.ToBytes());
        }
        Assert.Equal(room > 1 ? 0 : 1, _warnings.Count);
        Assert.Equal(room > 1 ? [whole.Name] : [], Directory.GetFiles(_cache.Folder).Select(f => Path.GetFileName(f)));
        if (room > 0.1)
            return;
        // The runtime has no room in either place: an error, since unprepared the result would be another.
        DemucsException e = Assert.Throws<DemucsException>(() =>
            PreparedModel.Prepare(
                RepositoryFiles.TinyModel,
                GraphTarget.Cpu,
                PreparationCache.Open(_cache.Folder, _cache.Folder),
                Unwarned,
                CancellationToken.None
            )
        );
        Assert.Equal(DemucsError.ModelWriteFailed, e.Error);
        Assert.Contains("ONNX Runtime reports", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_cache.Folder));
    }

    [Fact]
    public void Without_any_place_to_write_it_is_an_error_that_names_both()
    {
        string model = Save("model.onnx", Rewritable()),
            file = Save("file", []);
        PreparationCache none = PreparationCache.Open(Path.Combine(file, "cache"), Path.Combine(file, "temporary"));
        DemucsException e = Assert.Throws<DemucsException>(() =>
            PreparedModel.Prepare(model, GraphTarget.Cpu, none, _warnings.Add, CancellationToken.None)
        );
        Assert.Equal(DemucsError.ModelWriteFailed, e.Error);
        Assert.Contains(Path.Combine(file, "cache"), e.Message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(file, "temporary"), e.Message, StringComparison.Ordinal);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void A_model_that_the_runtime_cannot_load_is_the_models_fault_and_leaves_no_copy()
    {
        // Its weights are missing.
        string model = Save("model.onnx", WithWeights("missing.data"));
        DemucsException e = Assert.Throws<DemucsException>(() => Prepare(model));
        Assert.Equal(DemucsError.DemucsModelInvalid, e.Error);
        Assert.Contains("weights are in a second file", e.Message, StringComparison.Ordinal);
        Assert.Equal(["model.onnx"], _folder.Files());
    }

    [Fact]
    public void Canceling_leaves_nothing()
    {
        string model = Save("model.onnx", Rewritable());
        Assert.ThrowsAny<OperationCanceledException>(() =>
            PreparedModel.Prepare(model, GraphTarget.Cpu, _cache, null, new CancellationToken(canceled: true))
        );
        Assert.Single(_folder.Files());
    }

    [Theory]
    [LongInlineData(ModelPrecision.Full)]
    [LongInlineData(ModelPrecision.Int8)]
    public void Whoever_makes_a_copy_finds_it_or_has_it_in_memory_gets_the_same_bits(ModelPrecision precision)
    {
        string model = OfficialFiles.Find("exports", "tiny.onnx"),
            file = Save("file", []);
        (bool Found, byte[] Copy, float[][] Stems) made = Run(_cache),
            found = Run(_cache),
            inMemory = Run(PreparationCache.Open(Path.Combine(file, "cache"))),
            madeAgain = Run(PreparationCache.Open(_folder["another"]));
        Assert.Equal([false, true, false, false], new[] { made.Found, found.Found, inMemory.Found, madeAgain.Found });
        foreach ((bool _, byte[] copy, float[][] stems) in new[] { found, inMemory, madeAgain })
        {
            Assert.Equal(made.Copy, copy);
            Assert.Equal(made.Stems.Length, stems.Length);
            for (int i = 0; i < stems.Length; i++)
                Assert.True(made.Stems[i].AsSpan().SequenceEqual(stems[i]), $"Output {i} differs.");
        }

        (bool, byte[], float[][]) Run(PreparationCache cache)
        {
            using PreparedModel prepared = PreparedModel.Prepare(
                model,
                GraphTarget.For(ExecutionProvider.Cpu, precision, batch: 1),
                cache,
                _ => { },
                CancellationToken.None
            )!;
            using OnnxSession session = prepared.Open(new OnnxSessionOptions { IntraOpThreads = 2 }, CancellationToken.None);
            Random random = new(4);
            OnnxTensor[] inputs = [.. session.Inputs.Select(i => OnnxTensor.Create(i.Name, Noise(i.Shape), [.. i.Shape]))];
            Memory<float>[] stems = [.. session.Outputs.Select(o => Aligned(o.Shape))];
            session.Run(
                inputs,
                [.. session.Outputs.Select((o, i) => OnnxTensor.Create(o.Name, stems[i], [.. o.Shape]))],
                CancellationToken.None
            );
            return (prepared.WasFound, prepared.ToBytes(), [.. stems.Select(s => s.ToArray())]);

            Memory<float> Noise(IReadOnlyList<long> shape)
            {
                Memory<float> noise = Aligned(shape);
                foreach (ref float sample in noise.Span)
                    sample = random.NextSingle() - 0.5f;
                return noise;
            }
        }

        // At a multiple of a cache line, as the engine has its tensors, since the runtime's sums depend on that.
        static Memory<float> Aligned(IReadOnlyList<long> shape)
        {
            int length = (int)shape.Aggregate(1L, (product, axis) => product * axis);
            float[] array = GC.AllocateArray<float>(length + 16, pinned: true);
            nint address = System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);
            return array.AsMemory((int)((64 - address % 64) % 64 / sizeof(float)), length);
        }
    }

    [Fact]
    public void Damaged_and_missing_files_are_errors_that_name_them()
    {
        string damaged = Save("damaged.onnx", Rewritable()[..100]);
        DemucsException e = Assert.Throws<DemucsException>(() => Prepare(damaged));
        Assert.Equal(DemucsError.DemucsModelInvalid, e.Error);
        Assert.EndsWith(". Copy or download it again.", e.Message, StringComparison.Ordinal);
        Assert.Contains(damaged, e.Message, StringComparison.Ordinal);
        Assert.Equal(DemucsError.DemucsModelNotFound, Assert.Throws<DemucsException>(() => Prepare(_folder["missing.onnx"])).Error);
    }

    [Fact]
    public void A_copy_that_was_damaged_is_made_anew_with_a_warning()
    {
        (ModelSource model, string path, byte[] whole) = InDefaultCache();
        foreach (string damage in new[] { "cut off", "a bit", "a run of zeros", "its last byte" })
        {
            File.WriteAllBytes(path, Damaged(whole, damage));
            _warnings.Clear();
            using (SeparationModel.Load(model, new OnnxSessionOptions(), prepare: true, _warnings.Add))
                Assert.True(whole.AsSpan().SequenceEqual(File.ReadAllBytes(path)), damage);
            Assert.Contains($"'{path}' was damaged", Assert.Single(_warnings), StringComparison.Ordinal);
        }
        // Whoever finds it now gets it without a word.
        SeparationModel.Load(model, new OnnxSessionOptions(), prepare: true, Unwarned).Dispose();
    }

    [Fact]
    public void A_damaged_copy_that_cannot_be_replaced_is_not_used()
    {
        (ModelSource model, string path, byte[] whole) = InDefaultCache();
        string damaged = Save("damaged", Damaged(whole, "a bit"));
        // As on Windows, where nobody replaces what another program has open.
        using SmallDisk? mounted = SmallDisk.TryMountFile(damaged, path);
        if (mounted is null)
        {
            Assert.Skip("Mounting a file takes an administrator on Linux.");
            return;
        }
        using SeparationModel loaded = SeparationModel.LoadWith(
            model,
            new ModelLoading
            {
                Prepare = true,
                Identify = true,
                Warn = _warnings.Add,
                WarnOfDamage = _warnings.Add,
            },
            CancellationToken.None
        );
        Assert.Equal(File.ReadAllBytes(damaged), File.ReadAllBytes(path));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(whole)), loaded.Files!.Identify(CancellationToken.None)[1].Sha256);
        Assert.Equal(2, _warnings.Count);
        Assert.Contains("was damaged", _warnings[0], StringComparison.Ordinal);
        Assert.Contains("in memory", _warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_cancels_while_a_copy_is_looked_at_gets_no_model_and_leaves_the_copy()
    {
        (ModelSource model, string path, byte[] whole) = InDefaultCache();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            SeparationModel.Load(
                model,
                new OnnxSessionOptions(),
                prepare: true,
                Unwarned,
                cancellationToken: new CancellationToken(canceled: true)
            )
        );
        Assert.Equal(whole, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_copy_for_another_precision_lies_beside_the_other_and_is_made_once()
    {
        using PreparedModel full = Prepare(RepositoryFiles.TinyModel),
            int8 = PrepareInt8(RepositoryFiles.TinyModel);
        Assert.EndsWith($".v{PreparedModel.RewriteVersion}.int8.prepared.onnx", int8.Name, StringComparison.Ordinal);
        Assert.Equal(2, _folder.Files().Length);
        Assert.DoesNotContain("MatMulNBits", SmallGraph.Operators(full.ToBytes()));
        string[] types = SmallGraph.Operators(int8.ToBytes());
        Assert.Equal(44, types.Count(type => type == "MatMulNBits"));
        Assert.DoesNotContain("Gemm", types);
        // Weights are a quarter of what they were.
        Assert.InRange(int8.Length, 1, full.Length - 1_000_000);
        using PreparedModel again = PrepareInt8(RepositoryFiles.TinyModel);
        Assert.True(again.WasFound);
        Assert.Equal(int8.Path, again.Path);
        Assert.Null(PreparedModel.Prepare(int8.Path!, GraphTarget.CpuInt8, _cache, Unwarned, CancellationToken.None));
        // Neither is a model by itself, nor one of the other precision.
        Assert.Empty(ModelFiles.In(_cache.Folder));
        Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(() => Prepare(int8.Path!)).Error);
        Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(() => PrepareInt8(full.Path!)).Error);
    }

    [Fact]
    public void A_model_without_a_copy_for_another_precision_is_refused()
    {
        string rewritable = Save("model.onnx", Rewritable()),
            runtime = Save("model.ort", [0x20, 0, 0, 0, .. "ORTM"u8, 1, 2, 3, 4]);
        DemucsException nothing = Assert.Throws<DemucsException>(() => PrepareInt8(rewritable)),
            format = Assert.Throws<DemucsException>(() => PrepareInt8(runtime));
        Assert.Equal(DemucsError.ParameterInvalid, nothing.Error);
        Assert.Contains("would change nothing", nothing.Message, StringComparison.Ordinal);
        Assert.Equal(DemucsError.ParameterInvalid, format.Error);
        Assert.Contains("own format", format.Message, StringComparison.Ordinal);
        Assert.Equal(2, _folder.Files().Length);
    }

    private static byte[] Rewritable() => SmallGraph.GroupNormalization([1, 6, 35], [0, 1, -1], plain: true);

    /// <summary>As <see cref="Rewritable"/>, with what is normalized multiplied with the 210 weights of a second file.</summary>
    private static byte[] WithWeights(string file)
    {
        ProtobufMessage location = new ProtobufMessage().Text(1, "location").Text(2, file);
        ProtobufMessage tensor = new ProtobufMessage()
            .Integers(1, [1, 6, 35])
            .Integer(2, 1)
            .Text(8, "outside")
            .Message(13, location)
            .Integer(14, 1);
        byte[] graph = SmallGraph.Build([1, 6, 35], [1, 6, 35], (graph, x) =>
            graph.Node(
                "Mul",
                [SmallGraph.GroupNormalization(graph, x, [1, 6, 35], [0, 1, -1], plain: true), new OnnxValue(graph, "outside")]
            )
        );
        return [.. graph, .. new ProtobufMessage().Message(7, new ProtobufMessage().Message(5, tensor)).Bytes];
    }

    private static byte[] Bytes(float[] values) => System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    /// <summary>A model of its own, and its copy in the cache that models are loaded from.</summary>
    private (ModelSource Model, string Path, byte[] Bytes) InDefaultCache()
    {
        ModelSource model = ModelSource.Find(Save($"{Guid.NewGuid():N}.onnx", SmallModels.Mixing(normalizes: true)));
        using PreparedModel prepared = PreparedModel.Prepare(
            model.Path!,
            GraphTarget.Cpu,
            PreparationCache.Open(),
            Unwarned,
            CancellationToken.None
        )!;
        return (model, prepared.Path!, prepared.ToBytes());
    }

    private static byte[] Damaged(byte[] whole, string damage)
    {
        if (damage == "cut off")
            return whole[..(whole.Length / 2)];
        byte[] damaged = [.. whole];
        // The longest tensor, so it is weights that are hit, which the runtime takes as they come.
        ReadOnlyMemory<byte> weights = GraphModel
            .Parse(whole)
            .Initializers.Values.Where(t => t.ElementType == GraphTensor.Float32)
            .Select(t => t.AllBytes(sizeof(float), null)!.Value)
            .MaxBy(bytes => bytes.Length);
        int at = whole.AsSpan().IndexOf(weights.Span) + weights.Length / 2;
        switch (damage)
        {
            case "a bit":
                damaged[at] ^= 0x40;
                break;
            case "a run of zeros":
                damaged.AsSpan(at, 4096).Clear();
                break;
            default:
                damaged[^1] ^= 1;
                break;
        }
        return damaged;
    }

    private static void Unwarned(string warning) => Assert.Fail(warning);

    private string Save(string name, byte[] bytes)
    {
        File.WriteAllBytes(_folder[name], bytes);
        return _folder[name];
    }

    private PreparedModel PrepareInt8(string model) =>
        PreparedModel.Prepare(model, GraphTarget.CpuInt8, _cache, Unwarned, CancellationToken.None)!;

    private PreparedModel Prepare(string model) =>
        PreparedModel.Prepare(model, GraphTarget.Cpu, _cache, Unwarned, CancellationToken.None)!;
}
