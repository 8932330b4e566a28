using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Inference;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>A plan is made by reading: no file appears, and the runtime is not asked.</summary>
public sealed class PlanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private readonly List<ModelBag> _bags = [];

    public void Dispose()
    {
        _bags.ForEach(bag => bag.Dispose());
        _folder.Dispose();
    }

    [Theory]
    [InlineData(ModelPrecision.Full)]
    [LongInlineData(ModelPrecision.Int8)]
    public void Planning_reads_and_the_first_separation_loads(ModelPrecision precision)
    {
        InterruptedTrack.WriteNoise(_folder["noise.wav"], 30_000);
        // A content that no other test has, so that the cache they share has no copy of it.
        string name = $"{Guid.NewGuid():N}";
        File.WriteAllBytes(
            _folder[$"{name}.onnx"],
            [.. File.ReadAllBytes(RepositoryFiles.TinyModel), .. new ProtobufMessage().Text(99, name).Bytes]
        );
        string[] before = _folder.Files();
        int sessions = OnnxSession.CountOfThread;

        ModelSelection selection = new() { Models = [ModelSource.Find(_folder[$"{name}.onnx"])], Precision = precision };
        using ModelBag bag = ModelBag.Open(selection, ["bass"], new OnnxSessionOptions(), prepare: true, warning => Assert.Fail(warning));
        FileSeparator separator = new(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, ["bass"]),
            new SeparationOptions(),
            new StemOutput(new StemNames(_folder["out"]), new StemFormat())
        );
        TrackSource track = new(_folder["noise.wav"]);
        SeparationPlan plan = separator.Plan(track);
        Assert.Empty(separator.ClaimAll([track]));
        Assert.Equal((1, precision), (plan.Chunks, plan.Precision));
        Assert.Equal(_folder["out", name, "noise", "bass.wav"], Assert.Single(plan.StemPaths));
        Assert.Equal(sessions, OnnxSession.CountOfThread);
        Assert.Equal(before, _folder.Files());
        Assert.DoesNotContain(PreparationCache.Open().List(), copy => copy.Model == name);
        Assert.Equal((false, 0), (bag.IsLoaded, bag.LoadCount));
        Assert.Throws<InvalidOperationException>(() => bag.ExecutionProvider);

        separator.Separate(track);
        Assert.True(bag.IsLoaded);
        Assert.True(OnnxSession.CountOfThread > sessions);
        Assert.Single(PreparationCache.Open().List(), copy => copy.Model == name);
    }

    [Fact]
    public void What_is_wrong_with_a_model_is_found_by_reading()
    {
        int sessions = OnnxSession.CountOfThread;
        File.WriteAllText(_folder["text.onnx"], "This is no model, whatever it is called.");
        File.WriteAllBytes(_folder["five.onnx"], SmallModels.Split(stems: 5));
        File.WriteAllBytes(_folder["four.onnx"], SmallModels.Split());
        File.WriteAllBytes(_folder["none.onnx"], SmallModels.Split(normalization: "none"));
        foreach (
            (string[] models, DemucsError error) in new[]
            {
                (new[] { "text.onnx" }, DemucsError.DemucsModelInvalid),
                (["five.onnx"], DemucsError.DemucsModelInvalid),
                (["four.onnx", "none.onnx"], DemucsError.DemucsModelInvalid),
            }
        )
        {
            Assert.Equal(
                error,
                Assert
                    .Throws<DemucsException>(() =>
                        ModelBag.Open(
                            new ModelSelection { Models = [.. models.Select(m => ModelSource.Find(_folder[m]))] },
                            null,
                            new OnnxSessionOptions(),
                            prepare: true
                        )
                    )
                    .Error
            );
        }
        ModelSelection baseline = new() { Models = [ModelSource.Find(ModelSource.BaselineName)] };
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert
                .Throws<DemucsException>(() =>
                    ModelBag.Open(baseline with { Precision = ModelPrecision.Int8 }, null, new OnnxSessionOptions(), prepare: true)
                )
                .Error
        );
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert.Throws<DemucsException>(() => ModelBag.Open(baseline with { StemNames = ["one"] }, null, new OnnxSessionOptions())).Error
        );
        Assert.Equal(sessions, OnnxSession.CountOfThread);
    }

    [Fact]
    public void Loading_that_was_canceled_can_be_begun_anew()
    {
        using ModelBag bag = ModelBag.Open(
            new ModelSelection { Models = [ModelSource.Find(ModelSource.BaselineName)] },
            null,
            new OnnxSessionOptions()
        );
        Assert.ThrowsAny<OperationCanceledException>(() => bag.Load(new CancellationToken(canceled: true)));
        Assert.False(bag.IsLoaded);
        bag.Load(CancellationToken.None);
        Assert.Equal(ExecutionProvider.Cpu, bag.ExecutionProvider);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_rehearsal_tells_what_would_be_skipped_and_what_differs(bool isPrepared)
    {
        InterruptedTrack.WriteNoise(_folder["noise.wav"], 10_000);
        File.WriteAllBytes(
            _folder["model.onnx"],
            isPrepared
                ? [.. SmallModels.Mixing(normalizes: true), .. new ProtobufMessage().Text(99, $"{Guid.NewGuid():N}").Bytes]
                : SmallModels.Split()
        );
        TrackSource track = new(_folder["noise.wav"]);
        SeparationResult made = Over(new SeparationOptions()).Separate(track);
        string[] before = _folder.Files();
        int sessions = OnnxSession.CountOfThread;
        Assert.StartsWith(
            "already there, unchanged: drums.wav, bass.wav, ",
            Over(new SeparationOptions(), skipExisting: true).Rehearse(track).Work,
            StringComparison.Ordinal
        );
        foreach (CachedCopy copy in PreparationCache.Open().List().Where(copy => copy.Model == "model"))
            PreparationCache.Open().Remove(copy);
        Assert.True(Over(new SeparationOptions(), skipExisting: true).Rehearse(track).Skips);
        Assert.Equal(sessions, OnnxSession.CountOfThread);

        // What differs is in the error, as it will be in that of the separation; and in the plan where it does not matter.
        string error = Refused(() => Over(new SeparationOptions { Overlap = 0.5, Shifts = 1 }, skipExisting: true).Rehearse(track));
        Assert.Contains(
            "and is out of date: overlap changed from 0.05 to 0.5; shift offsets changed from none to ",
            error,
            StringComparison.Ordinal
        );
        Assert.Equal(error, Refused(() => Over(new SeparationOptions { Overlap = 0.5, Shifts = 1 }, skipExisting: true).Separate(track)));
        Assert.Contains(
            "overlap changed from 0.05 to 0.5",
            Over(new SeparationOptions { Overlap = 0.5 }, skipExisting: true, overwrite: true).Rehearse(track).Work,
            StringComparison.Ordinal
        );
        if (isPrepared)
            Assert.Contains(
                "model model changed from prepared to not prepared",
                Refused(() => Over(new SeparationOptions(), skipExisting: true, prepare: false).Rehearse(track)),
                StringComparison.Ordinal
            );
        else
            Assert.True(Over(new SeparationOptions(), skipExisting: true, prepare: false).Rehearse(track).Skips);
        File.AppendAllText(made.Stems[1].FilePath, "x");
        Assert.Contains(
            "'bass.wav' has changed since",
            Refused(() => Over(new SeparationOptions(), skipExisting: true).Rehearse(track)),
            StringComparison.Ordinal
        );
        File.WriteAllText(made.ProvenancePath, "{}");
        Assert.Contains(
            "'demucsps.json' with its settings cannot be used",
            Refused(() => Over(new SeparationOptions(), skipExisting: true).Rehearse(track)),
            StringComparison.Ordinal
        );
        File.Delete(made.ProvenancePath);
        Assert.Contains(
            "'demucsps.json' with its settings is missing",
            Refused(() => Over(new SeparationOptions(), skipExisting: true).Rehearse(track)),
            StringComparison.Ordinal
        );
        Assert.Equal(before.Where(f => !f.EndsWith("demucsps.json", StringComparison.Ordinal)), _folder.Files());

        static string Refused(Func<object> what)
        {
            DemucsException e = Assert.Throws<DemucsException>(what);
            Assert.Equal(DemucsError.StemExists, e.Error);
            return e.Message;
        }
    }

    [Fact]
    public void What_is_separated_again_is_said_with_the_reason()
    {
        InterruptedTrack.WriteNoise(_folder["noise.wav"], 10_000);
        File.WriteAllBytes(_folder["model.onnx"], SmallModels.Split());
        TrackSource track = new(_folder["noise.wav"]);
        Over(new SeparationOptions()).Separate(track);
        List<string> told = [];
        Assert.True(Over(new SeparationOptions(), skipExisting: true, overwrite: true, tell: told.Add).Separate(track).Skipped);
        Assert.Empty(told);
        Assert.False(Over(new SeparationOptions { Seed = 3 }, skipExisting: true, overwrite: true, tell: told.Add).Separate(track).Skipped);
        Assert.EndsWith("seed changed from 0 to 3.", Assert.Single(told), StringComparison.Ordinal);
    }

    [Fact]
    public void A_rehearsal_refuses_what_the_separation_would()
    {
        InterruptedTrack.WriteNoise(_folder["noise.wav"], 10_000);
        Directory.CreateDirectory(_folder["other"]);
        File.Copy(_folder["noise.wav"], _folder["other", "noise.wav"]);
        File.WriteAllBytes(_folder["model.onnx"], SmallModels.Split());
        FileSeparator separator = Over(new SeparationOptions());
        separator.Rehearse(new TrackSource(_folder["noise.wav"]));
        Assert.Contains(
            "in the same batch",
            Assert.Throws<DemucsException>(() => separator.Rehearse(new TrackSource(_folder["other", "noise.wav"]))).Message,
            StringComparison.Ordinal
        );

        File.WriteAllText(_folder["out"], "a file");
        DemucsException file = Assert.Throws<DemucsException>(() =>
            Over(new SeparationOptions()).Plan(new TrackSource(_folder["noise.wav"]))
        );
        Assert.Equal(DemucsError.StemWriteFailed, file.Error);
        Assert.Contains($"'{_folder["out"]}' is a file", file.Message, StringComparison.Ordinal);
        Assert.Equal(
            file.Message,
            Assert.Throws<DemucsException>(() => Over(new SeparationOptions()).Separate(new TrackSource(_folder["noise.wav"]))).Message
        );
        File.Delete(_folder["out"]);

        using InterruptedTrack interrupted = new(SmallModels.File);
        interrupted.Interrupt("parts", new SeparationOptions());
        FileSeparator again = interrupted.Over(interrupted.Folder["parts"], new SeparationOptions());
        Assert.Equal(
            DemucsError.SeparationUnfinished,
            Assert.Throws<DemucsException>(() => again.Rehearse(new TrackSource(interrupted.SourcePath))).Error
        );
    }

    [Fact]
    public void What_would_keep_models_from_being_loaded_is_found_without_loading_them()
    {
        // Two numbers, the second of them beyond the first four bytes.
        static ProtobufMessage Entry(string key, string value) => new ProtobufMessage().Text(1, key).Text(2, value);
        ProtobufMessage tensor = new ProtobufMessage()
            .Integer(1, 1)
            .Integer(2, 1)
            .Text(8, "outside")
            .Message(13, Entry("location", "w.data"))
            .Message(13, Entry("offset", "4"))
            .Message(13, Entry("length", "4"))
            .Integer(14, 1);
        File.WriteAllBytes(
            _folder["model.onnx"],
            [.. SmallModels.Split(), .. new ProtobufMessage().Message(7, new ProtobufMessage().Message(5, tensor)).Bytes]
        );
        Assert.Contains($"'{_folder["w.data"]}', which is missing", Check(ExecutionProvider.Cpu).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder["w.data"], new byte[7]);
        DemucsException cut = Check(ExecutionProvider.Cpu);
        Assert.Equal(DemucsError.DemucsModelInvalid, cut.Error);
        Assert.Contains($"'{_folder["w.data"]}', which has 7 bytes, but needs at least 8.", cut.Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder["w.data"], new byte[8]);
        using (ModelBag whole = Bag(ExecutionProvider.Cpu))
            whole.Check();
        // CoreML and DirectML are each for one system, which is not the same.
        Assert.Equal(
            DemucsError.ExecutionProviderUnavailable,
            Check(OperatingSystem.IsMacOS() ? ExecutionProvider.DirectML : ExecutionProvider.CoreML).Error
        );

        DemucsException Check(ExecutionProvider provider)
        {
            using ModelBag bag = Bag(provider);
            DemucsException e = Assert.Throws<DemucsException>(bag.Check);
            Assert.False(bag.IsLoaded);
            return e;
        }

        ModelBag Bag(ExecutionProvider provider) =>
            ModelBag.Open(
                new ModelSelection { Models = [ModelSource.Find(_folder["model.onnx"])] },
                null,
                new OnnxSessionOptions { ExecutionProvider = provider },
                prepare: true
            );
    }

    private FileSeparator Over(
        SeparationOptions options,
        bool skipExisting = false,
        bool overwrite = false,
        bool prepare = true,
        Action<string>? tell = null
    )
    {
        ModelBag bag = ModelBag.Open(
            new ModelSelection { Models = [ModelSource.Find(_folder["model.onnx"])] },
            null,
            new OnnxSessionOptions(),
            prepare,
            warning => Assert.Fail(warning)
        );
        _bags.Add(bag);
        return new FileSeparator(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, null),
            options,
            new StemOutput(new StemNames(_folder["out"]), new StemFormat()) { SkipExisting = skipExisting, Overwrite = overwrite }
        )
        {
            Tell = tell,
        };
    }
}
