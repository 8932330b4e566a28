using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Models.Preparation;
using DemucsPS.Engine.Tests.Tracks;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Tests.Inference;

/// <summary>The three contracts, with tensors of both types, give the same stems; what fits none is refused.</summary>
public sealed class ModelContractTests(ITestOutputHelper output)
{
    [Theory]
    // Apart only, of the one with six stems: the rest would show no more.
    [LongInlineData("htdemucs-tiny-6s.onnx", 6)]
    public void A_reference_model_gives_the_same_stems_in_all_contracts(string file, int stems)
    {
        // Prepared, because an untouched model answers a change in the last bit of its input with one at 75 dB.
        byte[] split = PreparedModel.Prepare(File.ReadAllBytes(RepositoryFiles.Reference("models", file)))!;
        float[][] expected = Separate(split, ModelContractKind.Split, stems, 343980);
        Compare("real and imaginary apart", ModelForms.RealImaginaryApart(split), ModelContractKind.RealImaginaryApart, 90);
        if (stems == 4)
        {
            Compare("waveform only", ModelForms.WaveformOnly(split), ModelContractKind.WaveformOnly, 90);
            Compare("parts last", ModelForms.PartsLast(split, alsoOut: false), ModelContractKind.Split, 90);
            // Eleven bits of mantissa leave some 75 dB, less the frequency branch's share.
            Compare("split, float16", ModelForms.Half(split), ModelContractKind.Split, 55);
        }

        void Compare(string form, byte[] model, ModelContractKind kind, double floor)
        {
            float[][] stemsOfForm = Separate(model, kind, stems, 343980);
            for (int i = 0; i < expected.Length; i++)
            {
                double snr = Decibels.Snr(expected[i], stemsOfForm[i]);
                output.WriteLine($"{form}, stem {i / 2} channel {i % 2}: {snr:F1} dB");
                Assert.InRange(snr, floor, double.PositiveInfinity);
            }
        }
    }

    public static TheoryData<string, ModelContractKind> Forms =>
        new()
        {
            { "apart", ModelContractKind.RealImaginaryApart },
            { "apart, imaginary first", ModelContractKind.RealImaginaryApart },
            { "apart, names in capitals", ModelContractKind.RealImaginaryApart },
            { "apart, without words", ModelContractKind.RealImaginaryApart },
            { "apart, words that only look so", ModelContractKind.RealImaginaryApart },
            { "parts last", ModelContractKind.Split },
            { "parts last in only", ModelContractKind.Split },
            { "waveform only", ModelContractKind.WaveformOnly },
        };

    /// <summary>A model that multiplies both branches: the stems' frequency branch would show exchanged parts or channels.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void A_small_model_gives_the_same_stems_in_every_form(string form, ModelContractKind kind)
    {
        byte[] split = SmallGraph.WithOperatorSet(BothBranches(), 17);
        byte[] model = form switch
        {
            "apart" => ModelForms.RealImaginaryApart(split),
            "apart, imaginary first" => ModelForms.RealImaginaryApart(split, imaginaryFirst: true),
            "apart, names in capitals" => ModelForms.RealImaginaryApart(split, "specRe", "specIM", imaginaryFirst: true),
            "apart, without words" => ModelForms.RealImaginaryApart(split, "first", "second"),
            "apart, words that only look so" => ModelForms.RealImaginaryApart(split, "spectre", "area"),
            "parts last" => ModelForms.PartsLast(split, alsoOut: true),
            "parts last in only" => ModelForms.PartsLast(split, alsoOut: false),
            _ => ModelForms.WaveformOnly(split),
        };
        float[][] expected = Separate(split, ModelContractKind.Split, 4, SmallModels.Segment),
            actual = Separate(model, kind, 4, SmallModels.Segment);
        for (int i = 0; i < expected.Length; i++)
            Assert.InRange(Decibels.Snr(expected[i], actual[i]), 110, double.PositiveInfinity);
    }

    [Theory]
    [InlineData("split", true, true, ModelContractKind.Split)]
    [InlineData("split", true, false, ModelContractKind.Split)]
    [InlineData("split", false, true, ModelContractKind.Split)]
    [InlineData("apart", true, true, ModelContractKind.RealImaginaryApart)]
    [InlineData("parts last", true, true, ModelContractKind.Split)]
    [InlineData("waveform only", true, true, ModelContractKind.WaveformOnly)]
    public void Float16_is_converted_at_either_side(string form, bool inputs, bool outputs, ModelContractKind kind)
    {
        byte[] split = SmallGraph.WithOperatorSet(BothBranches(), 17);
        byte[] model = form switch
        {
            "split" => split,
            "apart" => ModelForms.RealImaginaryApart(split),
            "parts last" => ModelForms.PartsLast(split, alsoOut: true),
            _ => ModelForms.WaveformOnly(split),
        };
        float[][] expected = Separate(split, ModelContractKind.Split, 4, SmallModels.Segment);
        float[][] actual = Separate(ModelForms.Half(model, inputs, outputs), kind, 4, SmallModels.Segment);
        for (int i = 0; i < expected.Length; i++)
            Assert.InRange(Decibels.Snr(expected[i], actual[i]), 60, 90);
    }

    [Fact]
    public void Models_of_different_contracts_and_types_make_one_bag()
    {
        using TemporaryFolder folder = new();
        byte[] split = SmallGraph.WithOperatorSet(BothBranches(), 17);
        float[][] expected = Separate(split, ModelContractKind.Split, 4, SmallModels.Segment);
        byte[][] members = [ModelForms.WaveformOnly(split), ModelForms.Half(split), split, ModelForms.RealImaginaryApart(split)];
        for (int i = 0; i < members.Length; i++)
            File.WriteAllBytes(folder[$"{i}.onnx"], members[i]);
        using ModelBag bag = ModelBag.Load(
            [.. members.Select((_, i) => ModelSource.Find(folder[$"{i}.onnx"]))],
            null,
            new OnnxSessionOptions()
        );
        Assert.True(bag.NeedsSpectrograms);
        Assert.False(bag.ShowsBranches);
        float[][] actual = Separate(bag, SmallModels.Segment);
        for (int i = 0; i < expected.Length; i++)
            Assert.InRange(Decibels.Snr(expected[i], actual[i]), 60, double.PositiveInfinity);
    }

    [Fact]
    public void An_edited_spectrogram_reaches_a_model_that_takes_waveforms_only()
    {
        using TemporaryFolder folder = new();
        byte[] split = SmallModels.Split();
        using ModelBag both = StageChain.Bag(folder, split),
            waveforms = StageChain.Bag(folder, ModelForms.WaveformOnly(SmallGraph.WithOperatorSet(split, 17)), "waveform");
        ChunkSpectrogram edited = ChunkSpectrogram
            .Compute(StageChain.Track(SmallModels.Segment, 71).Split(0, SmallModels.Segment).First())
            .WithGain(0, 3000, -30);
        // The time branch of this model is its input, so its stems show what came in.
        StemChunk expected = Run(both, edited),
            actual = Run(waveforms, edited),
            unedited = Run(waveforms, ChunkSpectrogram.Compute(edited.Chunk));
        Assert.InRange(Decibels.Snr(expected.Samples(0).Span, actual.Samples(0).Span), 110, double.PositiveInfinity);
        Assert.InRange(Decibels.Snr(unedited.Samples(0).Span, actual.Samples(0).Span), 0, 20);

        static StemChunk Run(ModelBag bag, ChunkSpectrogram spectrogram)
        {
            using ChunkSeparator separator = new(bag, null, 1, 0, CancellationToken.None);
            separator.Start(spectrogram);
            return separator.Take().Stems[0];
        }
    }

    [Fact]
    public void Whole_stems_show_no_branches()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder, ModelForms.WaveformOnly(SmallGraph.WithOperatorSet(SmallModels.Split(), 17)));
        StemChunk stem = StageChain.Separate(bag, StageChain.Track(SmallModels.Segment, 72).Split(0, SmallModels.Segment)).First();
        Assert.Equal(ExecutionProvider.Cpu, stem.ExecutionProvider);
        foreach (
            Func<int, ReadOnlyMemory<float>> branch in new[]
            {
                stem.TimeBranch,
                stem.FrequencyBranch,
                stem.WithSamples(stem.Samples(0), stem.Samples(1)).TimeBranch,
            }
        )
        {
            DemucsException error = Assert.Throws<DemucsException>(() => branch(0));
            Assert.Equal(DemucsError.ParameterInvalid, error.Error);
            Assert.Contains("'model' only gives whole stems", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_form_with_441000_frames_is_recognized()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["model.onnx"], ModelForms.PartsLast(BothBranches(441000, 431), alsoOut: false));
        using SeparationModel model = SeparationModel.Load(ModelSource.Find(folder["model.onnx"]), new OnnxSessionOptions());
        Assert.Equal(ModelContractKind.Split, model.Contract.Kind);
        Assert.Equal(441000, model.Contract.SegmentFrames);
        Assert.Equal(431, model.Contract.SpectrogramFrames);
    }

    [Fact]
    public void A_runtime_format_file_runs_as_it_is()
    {
        using TemporaryFolder folder = new();
        byte[] split = SmallModels.Split(sources: "a,b,c,d");
        OnnxSession
            .FromBytes(
                split,
                new OnnxSessionOptions
                {
                    OptimizedModelPath = folder["model.ort"],
                    ConfigEntries = new Dictionary<string, string> { ["session.save_model_format"] = "ORT" },
                }
            )
            .Dispose();
        Assert.Equal("ORTM", System.Text.Encoding.ASCII.GetString(File.ReadAllBytes(folder["model.ort"]).AsSpan(4, 4)));
        List<string> told = [];
        using ModelBag bag = ModelBag.Load(
            [ModelSource.Find(folder["model.ort"])],
            null,
            new OnnxSessionOptions(),
            prepare: true,
            warning => Assert.Fail(warning),
            tell: told.Add
        );
        Assert.Contains("own format, which cannot be rewritten", Assert.Single(told), StringComparison.Ordinal);
        Assert.Equal(["a", "b", "c", "d"], bag.Contract.Stems);
        Assert.Equal("model", bag.Name);
        Assert.Equal(["model.ort"], folder.Files());
        float[][] expected = Separate(split, ModelContractKind.Split, 4, SmallModels.Segment),
            actual = Separate(bag, SmallModels.Segment);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i]);
    }

    public static TheoryData<string, string> Misfits =>
        new()
        {
            { "another output", "found outputs: rest float32[1,2,8192], spectra float32[1,4,4,2048,8], waves float32[1,4,2,8192]" },
            { "doubles", "found inputs:  audio float64[1,2,8192]" },
            { "parts only in", "real and imaginary parts [B,2,2048,T] each" },
            { "waveforms of another length", "Waveforms in and out differ in length" },
            { "stems that differ in number", "The outputs differ in their number of stems" },
            { "a batch of two", "found inputs:  mix float32[2,2,8192]" },
            { "short segments", "The segment length 2048 is not supported" },
        };

    [Theory]
    [MemberData(nameof(Misfits))]
    public void What_fits_no_contract_is_refused_with_what_was_found_and_what_is_expected(string kind, string says)
    {
        using TemporaryFolder folder = new();
        OnnxGraphWriter graph = new("misfit");
        if (kind == "another output")
        {
            File.WriteAllBytes(folder["model.onnx"], ModelForms.WithAnotherOutput(SmallModels.Split()));
        }
        else if (kind == "doubles")
        {
            File.WriteAllBytes(folder["model.onnx"], ModelForms.Doubles(SmallModels.Split()));
        }
        else if (kind == "parts only in")
        {
            OnnxValue mix = graph.Input("mix", 1, 2, 8192),
                real = graph.Input("real", 1, 2, 2048, 8),
                imaginary = graph.Input("imag", 1, 2, 2048, 8);
            graph.Output("waves", graph.Unsqueeze(mix, 1) * graph.Constant(new float[4], [1, 4, 1, 1]), 1, 4, 2, 8192);
            graph.Output(
                "spectra",
                graph.Unsqueeze(graph.Concat(1, real, imaginary), 1) * graph.Constant(new float[4], [1, 4, 1, 1, 1]),
                1,
                4,
                4,
                2048,
                8
            );
            File.WriteAllBytes(folder["model.onnx"], graph.ToBytes("tests", ""));
        }
        else if (kind == "stems that differ in number")
        {
            OnnxValue mix = graph.Input("mix", 1, 2, 8192),
                z = graph.Input("z", 1, 4, 2048, 8);
            graph.Output("waves", graph.Unsqueeze(mix, 1) * graph.Constant(new float[4], [1, 4, 1, 1]), 1, 4, 2, 8192);
            graph.Output("spectra", graph.Unsqueeze(z, 1) * graph.Constant(new float[6], [1, 6, 1, 1, 1]), 1, 6, 4, 2048, 8);
            File.WriteAllBytes(folder["model.onnx"], graph.ToBytes("tests", ""));
        }
        else
        {
            (int batch, int length) = kind switch
            {
                "a batch of two" => (2, 8192),
                "short segments" => (1, 2048),
                _ => (1, 8192),
            };
            OnnxValue stems = graph.Unsqueeze(graph.Input("mix", batch, 2, length), 1) * graph.Constant(new float[4], [1, 4, 1, 1]);
            if (kind == "waveforms of another length")
                stems = graph.Slice(stems, 3, 0, 8000);
            graph.Output("stems", stems, batch, 4, 2, kind == "waveforms of another length" ? 8000 : length);
            File.WriteAllBytes(folder["model.onnx"], graph.ToBytes("tests", ""));
        }
        DemucsException error = Assert.Throws<DemucsException>(() =>
            SeparationModel.Load(ModelSource.Find(folder["model.onnx"]), new OnnxSessionOptions())
        );
        Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        foreach (
            string expected in new[]
            {
                "[B,4,2048,T]",
                "[B,2,2048,T] each",
                "waveform [B,2,L] -> waveforms [B,S,2,L]\n",
                folder["model.onnx"],
            }
        )
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Stem_names_that_are_given_win()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["five.onnx"], SmallModels.Split(stems: 5));
        File.WriteAllBytes(folder["named.onnx"], SmallModels.Split(sources: "a,b,c,d"));
        File.WriteAllBytes(folder["misnamed.onnx"], SmallModels.Split(sources: "a,b"));
        using (SeparationModel five = Load("five.onnx", "a", "b", "c", "d", "e"))
            Assert.Equal(["a", "b", "c", "d", "e"], five.Contract.Stems);
        using (SeparationModel named = Load("named.onnx", "w", "x", "y", "z"))
            Assert.Equal(["w", "x", "y", "z"], named.Contract.Stems);
        using (SeparationModel misnamed = Load("misnamed.onnx", "w", "x", "y", "z"))
            Assert.Equal(["w", "x", "y", "z"], misnamed.Contract.Stems);
        foreach (
            string[] wrong in new string[][] { ["a", "b", "c"], [], ["a", "A", "b", "c"], ["a", "b", "c", "../d"], ["a", "b", "c", ""] }
        )
        {
            DemucsException error = Assert.Throws<DemucsException>(() => Load("named.onnx", wrong));
            Assert.Equal(DemucsError.ParameterInvalid, error.Error);
            Assert.Contains("has 4 stems, but the stem names given are", error.Message, StringComparison.Ordinal);
        }

        SeparationModel Load(string file, params string[] names) =>
            SeparationModel.Load(ModelSource.Find(folder[file]), new OnnxSessionOptions(), stemNames: names);
    }

    public static TheoryData<ModelContractKind> Kinds => [.. Enum.GetValues<ModelContractKind>()];

    /// <summary>Whoever adds a contract has to say these of it, and the catalog has to know it by the same name.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_contract_has_a_name_that_catalogs_take_and_spectrograms_or_not(ModelContractKind kind)
    {
        string name = ModelInfo.ContractOf(kind);
        Assert.Single(Kinds, row => ModelInfo.ContractOf(row.Data) == name);
        Assert.Equal(kind != ModelContractKind.WaveformOnly, ModelContract.TakesSpectrograms(kind));
        using TemporaryFolder folder = new();
        File.WriteAllText(
            folder["catalog.json"],
            $$"""
            { "version": 1, "models": [{ "name": "mine", "description": "Mine.", "contract": "{{name}}", "stems": ["a", "b"], "segment": 8192,
              "license": "Mine.", "files": [{ "name": "mine.onnx", "size": 1, "sha256": "{{new string('0', 64)}}", "url": "https://example.org/mine.onnx" }] }] }
            """
        );
        Assert.Equal(name, ModelLibrary.Open(folder["models"], folder["catalog.json"]).Describe("mine")!.Contract);
    }

    [Fact]
    public void A_contract_that_nothing_is_known_of_is_not_taken_for_another()
    {
        ModelContractKind unknown = (ModelContractKind)Enum.GetValues<ModelContractKind>().Length;
        Assert.Throws<ArgumentOutOfRangeException>(() => ModelInfo.ContractOf(unknown));
        Assert.Throws<ArgumentOutOfRangeException>(() => ModelContract.TakesSpectrograms(unknown));
    }

    /// <summary>
    /// A model of the split contract whose stem k is (k + 1) times the waveform and −k times the spectrogram, its channels and parts
    /// weighted differently.
    /// </summary>
    private static byte[] BothBranches(int segment = SmallModels.Segment, int frames = SmallModels.Frames)
    {
        OnnxGraphWriter graph = new("small");
        OnnxValue waveform = graph.Input("mix", 1, 2, segment),
            spectrogram = graph.Input("z", 1, 4, 2048, frames);
        OnnxValue waves = graph.Unsqueeze(waveform, 1) * graph.Constant([1f, 2, 3, 4], [1, 4, 1, 1]);
        OnnxValue spectra =
            graph.Unsqueeze(spectrogram, 1)
            * graph.Constant([0f, -1, -2, -3], [1, 4, 1, 1, 1])
            * graph.Constant([1, 0.5f, 0.75f, 0.25f], [1, 1, 4, 1, 1]);
        graph.Output("waves", waves, 1, 4, 2, segment);
        graph.Output("spectra", spectra, 1, 4, 4, 2048, frames);
        return graph.ToBytes("tests", "");
    }

    private static float[][] Separate(byte[] model, ModelContractKind kind, int stems, int segment)
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder, model);
        Assert.Equal(kind, bag.Contract.Kind);
        Assert.Equal(stems, bag.Contract.Stems.Count);
        Assert.Equal(segment, bag.Contract.SegmentFrames);
        return Separate(bag, segment);
    }

    /// <summary>Both channels of every stem of one segment of the sample song.</summary>
    private static float[][] Separate(ModelBag bag, int segment)
    {
        MemoryTrack song = MemoryTrack.Song(44100, segment, gain: 5);
        return TestSegment.Separate(bag, song.Left, song.Right, place: 0, out _, CancellationToken.None)!;
    }
}
