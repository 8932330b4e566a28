using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>What is kept in the cache, for how long, and that nothing else in its folder is touched.</summary>
public sealed class PreparationCacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Beyond_the_bound_the_copies_that_were_not_used_for_longest_go()
    {
        PreparationCache cache = PreparationCache.Open(_folder.Path, _folder.Path, limit: 2500);
        string a = Add(cache, "a", 1000),
            b = Add(cache, "b", 1000);
        UsedBefore(a, hours: 2);
        UsedBefore(b, hours: 1);
        // Finding it is using it.
        cache.Find(a)!.Dispose();
        string c = Add(cache, "c", 1000);
        Assert.Equal(new[] { a, c }, _folder.Files());
        Assert.Equal(["c", "a"], cache.List().Select(copy => copy.Model).OrderDescending());
        // One that is too large by itself stays as long as it is the last.
        string large = Add(cache, "large", 9000);
        Assert.Equal([large], _folder.Files());
    }

    [Fact]
    public void Copies_of_another_model_with_the_same_content_stay()
    {
        PreparationCache cache = PreparationCache.Open(_folder.Path);
        byte[] content = System.Security.Cryptography.SHA256.HashData("content"u8);
        foreach (string model in new[] { "mine", "theirs" })
        {
            foreach (GraphTarget target in (GraphTarget[])[GraphTarget.Cpu, GraphTarget.CpuInt8])
                cache
                    .Add(
                        PreparationCache.NameOf($"/models/{model}.onnx", content, new byte[32], target),
                        [new byte[10]],
                        CancellationToken.None
                    )
                    .Dispose();
        }
        string other = Add(cache, "mine", 10);
        cache.RemoveOf("/elsewhere/mine.onnx", Convert.ToHexStringLower(content));
        Assert.Equal(["mine", "theirs", "theirs"], cache.List().Select(copy => copy.Model).Order());
        Assert.Contains(other, _folder.Files());
    }

    [Fact]
    public void Copies_of_one_model_are_told_apart_by_what_they_are_for()
    {
        PreparationCache cache = PreparationCache.Open(_folder.Path);
        foreach (GraphForm form in Enum.GetValues<GraphForm>())
            Add(ModelPrecision.Full, form);
        Add(ModelPrecision.Int8, GraphForm.Cpu);
        Assert.Equal(
            [
                (ModelPrecision.Full, "Accelerator"),
                (ModelPrecision.Full, "Compiled"),
                (ModelPrecision.Full, "Cpu"),
                (ModelPrecision.Int8, "Cpu"),
                (ModelPrecision.BFloat16, "Compiled"),
            ],
            cache.List().Select(copy => (copy.Precision, copy.Form)).Order()
        );
        Assert.All(cache.List(), copy => Assert.True(copy.IsCurrent));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            Add(ModelPrecision.Full, (GraphForm)Enum.GetValues<GraphForm>().Length)
        );

        void Add(ModelPrecision precision, GraphForm form) =>
            cache
                .Add(
                    PreparationCache.NameOf(
                        "/models/model.onnx",
                        new byte[32],
                        [(byte)form, .. new byte[31]],
                        new GraphTarget(precision, form, Batch: 1)
                    ),
                    [new byte[10]],
                    CancellationToken.None
                )
                .Dispose();
    }

    [Fact]
    public void A_pipe_in_place_of_a_copy_is_not_waited_for()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes among its files.");
        PreparationCache cache = PreparationCache.Open(_folder.Path);
        string name = Add(cache, "model", 10);
        File.Delete(_folder[name]);
        using NamedPipe pipe = new(_folder[name]);
        Assert.Null(cache.Find(name));
        Assert.False(pipe.WasOpened);
    }

    [Fact]
    public void Using_a_copy_does_not_make_it_look_changed()
    {
        PreparationCache cache = PreparationCache.Open(_folder.Path);
        string name = Add(cache, "model", 10);
        DateTime written = File.GetLastWriteTimeUtc(_folder[name]);
        UsedBefore(name, hours: 24);
        cache.Find(name)!.Dispose();
        Assert.Equal(written, File.GetLastWriteTimeUtc(_folder[name]));
        Assert.InRange(cache.List()[0].LastUsed, DateTime.UtcNow.AddHours(-1), DateTime.UtcNow.AddHours(1));
    }

    [Fact]
    public void Copies_of_older_versions_and_what_was_left_half_written_go_and_nothing_else()
    {
        PreparationCache cache = PreparationCache.Open(_folder.Path);
        string Copy(int version, string suffix = ".prepared.onnx") => $"model.0123456789abcdef.fedcba9876543210.v{version}{suffix}";
        string[] stays =
        [
            Copy(PreparedModel.RewriteVersion + 1),
            "model.0123456789abcdef.prepared.onnx",
            "model.onnx",
            "notes.txt",
            "song.tmp",
            "0123456789abcdef0123456789abcdef.prepared.tmp",
            Copy(PreparedModel.RewriteVersion, ".int8.prepared.onnx"),
        ];
        string[] goes =
        [
            Copy(PreparedModel.RewriteVersion - 1),
            Copy(1, ".int8.prepared.onnx"),
            "f123456789abcdef0123456789abcdef.prepared.tmp",
        ];
        foreach (string name in stays.Concat(goes))
            File.WriteAllBytes(_folder[name], [1]);
        foreach (string old in new[] { "song.tmp", goes[2] })
            File.SetLastWriteTimeUtc(_folder[old], DateTime.UtcNow.AddDays(-2));
        string added = Add(cache, "new", 10);
        Assert.Equal(stays.Append(added).Order(StringComparer.Ordinal), _folder.Files());
        Assert.Equal([false, true, true], cache.List().Select(copy => copy.IsCurrent).Order());

        foreach (CachedCopy copy in cache.List())
            cache.Remove(copy);
        Assert.Empty(cache.List());
        Assert.Equal(
            stays.Where(name => name.Split('.').Length < 5).Order(StringComparer.Ordinal),
            _folder.Files().Where(name => name.Split('.').Length < 5)
        );
    }

    [Fact]
    public void A_copy_that_is_removed_while_it_is_used_stays_what_it_is()
    {
        string model = _folder["model.onnx"];
        File.WriteAllBytes(model, SmallGraph.GroupNormalization([1, 6, 35], [0, 1, -1], plain: true));
        PreparationCache cache = PreparationCache.Open(_folder["cache"]);
        using PreparedModel prepared = PreparedModel.Prepare(model, GraphTarget.Cpu, cache, null, CancellationToken.None)!;
        byte[] before = prepared.ToBytes();
        try
        {
            cache.Remove(Assert.Single(cache.List()));
        }
        catch (DemucsException e) when (OperatingSystem.IsWindows())
        {
            Assert.Equal(DemucsError.ModelInUse, e.Error);
        }
        Assert.Equal(before, prepared.ToBytes());
        prepared.Open(new OnnxSessionOptions(), CancellationToken.None).Dispose();
    }

    [Fact]
    public void A_name_fits_every_file_system()
    {
        string name = PreparationCache.NameOf(
            $"/models/{new string('夜', 80)}: a \"song\".onnx",
            new byte[32],
            new byte[32],
            GraphTarget.CpuInt8
        );
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(name), 1, 200);
        Assert.DoesNotContain(':', name);
        Assert.True(ModelFiles.IsInt8(name));
    }

    private static string Add(PreparationCache cache, string model, int bytes)
    {
        string name = PreparationCache.NameOf(
            model,
            System.Text.Encoding.UTF8.GetBytes(model.PadRight(32)),
            new byte[32],
            GraphTarget.Cpu
        );
        cache.Add(name, [new byte[bytes]], CancellationToken.None).Dispose();
        return name;
    }

    private void UsedBefore(string name, int hours) => File.SetLastAccessTimeUtc(_folder[name], DateTime.UtcNow.AddHours(-hours));
}
