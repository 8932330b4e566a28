using DemucsPS.Engine.Chunking;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Inference;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>What bags load and run, and that it does not change what they give.</summary>
public sealed class ModelBagTests(ITestOutputHelper output)
{
    private static readonly double[][] s_identity =
    [
        .. Enumerable.Range(0, 4).Select(m => Enumerable.Range(0, 4).Select(s => s == m ? 1.0 : 0.0).ToArray()),
    ];

    private static readonly string[] s_stems = ["drums", "bass", "other", "vocals"];

    [Theory]
    [InlineData(true, 100)]
    public void A_bag_of_the_catalog_gives_the_official_stems(bool prepare, double least)
    {
        using TemporaryFolder folder = new();
        ReferenceCase expected = ReferenceCase.Load("bag-of-two");
        for (int i = 0; i < 2; i++)
        {
            Directory.CreateDirectory(folder["models", $"member{i}"]);
            File.Copy(RepositoryFiles.Reference("models", expected.Models[i]), folder["models", $"member{i}", $"member{i}.onnx"]);
        }
        string Row(int i) =>
            string.Join(", ", expected.Weights![i].Select(w => w.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        string Entry(int i) =>
            $$"""{ "name": "member{{i}}", "stems": ["drums", "bass", "other", "vocals"], "segment": 343980, "files": [{ "name": "member{{i}}.onnx", "url": "https://models.invalid/{{i}}.onnx", "size": 1, "sha256": "{{new string('0', 64)}}" }] }""";
        File.WriteAllText(
            folder["models", "catalog.json"],
            $$"""{ "version": 1, "models": [{{Entry(0)}}, {{Entry(1)}}, { "name": "two", "stems": ["drums", "bass", "other", "vocals"], "segment": 343980, "bag": [{ "model": "member0", "weights": [{{Row(0)}}] }, { "model": "member1", "weights": [{{Row(1)}}] }] }] }"""
        );
        using ModelBag bag = ModelBag.Load(
            ModelLibrary.Open(folder["models"]).Select(["two"], null, Path.GetFullPath),
            null,
            new OnnxSessionOptions(),
            prepare
        );
        Assert.Equal("two", bag.Name);
        foreach ((string stem, double snr) in expected.Compare(bag))
        {
            output.WriteLine($"{stem}: {snr:F1} dB");
            Assert.InRange(snr, least, double.PositiveInfinity);
        }
    }

    [Fact]
    public void Only_the_models_of_wanted_stems_are_loaded_and_run()
    {
        using TemporaryFolder folder = new();
        ModelSelection four = Four(folder) with { BagName = "four", Stems = s_stems };
        // The models of the other stems need not even be models.
        foreach (int other in new[] { 0, 1, 2 })
            File.WriteAllText(four.Models[other].Path!, "no model");
        using ModelBag bag = ModelBag.Load(four, ["Vocals"], new OnnxSessionOptions());
        Assert.Equal("four", bag.Name);
        Assert.Equal(1, bag.LoadCount);
        MemoryTrack track = Track();
        float[][] stems = Separate(bag, track, StemMatrix.Choose(bag.Contract.Stems, ["vocals"]));
        Assert.Equal(Chunks(track), bag.RunCount);
        Assert.Equal(1, bag.LoadCount);
        for (int i = 0; i < track.Frames; i++)
            Assert.Equal(13 * 4 * track.Left[i], stems[0][2 * i], 1e-4f);
    }

    [Fact]
    public void All_models_are_run_for_all_stems_and_those_for_two_stems()
    {
        using TemporaryFolder folder = new();
        ModelSelection four = Four(folder);
        using ModelBag bag = ModelBag.Load(four, null, new OnnxSessionOptions());
        Assert.Equal("m0+m1+m2+m3", bag.Name);
        Assert.Equal(4, bag.LoadCount);
        MemoryTrack track = Track();
        Separate(bag, track, StemMatrix.TwoStems(bag.Contract.Stems, "vocals"));
        Assert.Equal(4 * Chunks(track), bag.RunCount);

        // Without a catalog the first model says what the stems are, and for that it is only read.
        using ModelBag one = ModelBag.Load(four, ["vocals"], new OnnxSessionOptions());
        Assert.Equal(1, one.LoadCount);
        Separate(one, track, StemMatrix.Choose(one.Contract.Stems, ["vocals"]));
        Assert.Equal(Chunks(track), one.RunCount);
        Assert.Contains("GB", bag.MemoryUse, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(0, 3, 3)]
    [InlineData(5, 1, 5)]
    [InlineData(5, 2, 5)]
    public void Models_loaded_in_turn_give_the_same_bits(int chunksOfMemory, int jobs, int atOnce)
    {
        using TemporaryFolder folder = new();
        ModelSelection four = Four(folder) with { Weights = null };
        MemoryTrack track = Track();
        using ModelBag together = ModelBag.Load(four, null, new OnnxSessionOptions(), false, null, jobs, long.MaxValue);
        StemMatrix all = StemMatrix.Choose(together.Contract.Stems, null);
        float[][] expected = Separate(together, track, all, jobs);
        Assert.Equal(4, together.LoadCount);
        Assert.Equal(jobs, together.BatchesAtOnce(jobs));

        long memory =
            four.Models.Max(m => ModelMemory.Estimate(m, together.Contract, jobs, twice: false).Bytes)
            + chunksOfMemory * ModelMemory.ChunkBytes(together.Contract);
        using ModelBag inTurn = ModelBag.Load(four, null, new OnnxSessionOptions(), false, null, jobs, memory);
        // Once each, to see that they fit.
        Assert.Equal(4, inTurn.LoadCount);
        Assert.Contains("one after another", inTurn.MemoryUse, StringComparison.Ordinal);
        Assert.Equal(atOnce, inTurn.BatchesAtOnce(jobs));
        float[][] got = Separate(inTurn, track, all, jobs);
        for (int stem = 0; stem < 4; stem++)
            Assert.Equal(expected[stem], got[stem]);
        Assert.Equal(4 * Chunks(track), inTurn.RunCount);
        // Four loads for a batch of chunks. How batches form depends on the threads; never is a model loaded more than once for each chunk.
        output.WriteLine($"{inTurn.LoadCount} loads for {Chunks(track)} chunks");
        Assert.InRange(inTurn.LoadCount, 7, 4 + 4 * Chunks(track));
    }

    [Fact]
    public void A_model_that_does_not_fit_is_found_out_in_turn_too()
    {
        using TemporaryFolder folder = new();
        ModelSelection four = Four(folder);
        File.WriteAllBytes(four.Models[2].Path!, SmallModels.Split(sources: "a,b,c,d", normalization: "none"));
        Assert.Equal(
            DemucsError.DemucsModelInvalid,
            Assert.Throws<DemucsException>(() => ModelBag.Load(four, null, new OnnxSessionOptions())).Error
        );
        DemucsException e = Assert.Throws<DemucsException>(() => ModelBag.Load(four, null, new OnnxSessionOptions(), false, null, 1, 1));
        Assert.Equal(DemucsError.DemucsModelInvalid, e.Error);
        Assert.Contains("a, b, c, d", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Canceling_ends_chunks_that_wait_for_their_turn()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = ModelBag.Load(Four(folder), null, new OnnxSessionOptions(), false, null, 4, 1);
        using CancellationTokenSource stop = new();
        MemoryTrack track = Track();
        Separator separator = new(bag, StemMatrix.Choose(bag.Contract.Stems, null), new SeparationOptions { Jobs = 4 });
        Assert.ThrowsAny<OperationCanceledException>(() =>
            separator.Separate(
                track,
                "track",
                TrackStatistics.Measure(track.Restarted(), "track"),
                new MemorySink(4),
                _ => stop.Cancel(),
                stop.Token
            )
        );
    }

    /// <summary>Four models, of which number m gives stem k as 10 + m times k + 1 of the mix.</summary>
    private static ModelSelection Four(TemporaryFolder folder)
    {
        // A field that nobody knows makes them large against the buffers of a chunk, as real ones are.
        byte[] weight = new ProtobufMessage().Text(99, new string('x', 4_000_000)).Bytes.ToArray();
        for (int model = 0; model < 4; model++)
            File.WriteAllBytes(folder[$"m{model}.onnx"], [.. SmallModels.Split(normalization: "none", factor: 10 + model), .. weight]);
        return new ModelSelection
        {
            Models = [.. Enumerable.Range(0, 4).Select(m => ModelSource.Find(folder[$"m{m}.onnx"]))],
            Weights = s_identity,
        };
    }

    private static MemoryTrack Track() => MemoryTrack.Song(0, 7 * SmallModels.Segment);

    private static int Chunks(MemoryTrack track) =>
        ChunkPlan.Create(track.Frames, SmallModels.Segment, new SeparationOptions().Overlap).Count;

    private static float[][] Separate(ModelBag bag, MemoryTrack track, StemMatrix selection, int jobs = 1)
    {
        track = track.Restarted();
        MemorySink sink = new(selection.Names.Count);
        new Separator(bag, selection, new SeparationOptions { Jobs = jobs }).Separate(
            track,
            "track",
            TrackStatistics.Measure(track.Restarted(), "track"),
            sink,
            null,
            CancellationToken.None
        );
        return [.. Enumerable.Range(0, selection.Names.Count).Select(sink.Interleaved)];
    }
}
