using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Models.HTDemucs;
using DemucsPS.Engine.Models.Weights;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Tests.Models.Weights;

namespace DemucsPS.Engine.Tests.Models.HTDemucs;

/// <summary>Graphs of small models of many architectures against <see cref="PlainHTDemucs"/>.</summary>
public sealed class HTDemucsGraphTests
{
    private const string Usual =
        "\"channels\": 4, \"depth\": 2, \"norm_starts\": 2, \"dconv_comp\": 2, \"dconv_mode\": 3, \"t_layers\": 2, \"t_heads\": 2, \"t_hidden_scale\": 2, \"bottom_channels\": 8";

    [Theory]
    // As the published models are, but for their size; and each argument that a model may have otherwise.
    [InlineData(Usual, nameof(WeightType.Float16), 5000, 1)]
    [InlineData(
        "\"channels\": 4, \"depth\": 2, \"norm_starts\": 2, \"dconv_comp\": 4, \"dconv_mode\": 1, \"t_layers\": 3, \"t_heads\": 1, \"t_cross_first\": true, \"t_weight_pos_embed\": 0.5, \"t_max_period\": 100",
        nameof(WeightType.BFloat16),
        4096,
        1
    )]
    [InlineData(
        "\"channels\": 2, \"depth\": 3, \"norm_starts\": 3, \"dconv_comp\": 1, \"dconv_mode\": 2, \"dconv_depth\": 3, \"t_layers\": 1, \"t_heads\": 4, \"freq_emb\": 0",
        nameof(WeightType.Float32),
        4097,
        1
    )]
    [InlineData(
        "\"channels\": 2, \"growth\": 4, \"depth\": 4, \"norm_starts\": 4, \"dconv_mode\": 0, \"t_layers\": 1, \"t_heads\": 2, \"t_hidden_scale\": 0.5, \"context\": 0",
        nameof(WeightType.Float32),
        4999,
        2
    )]
    public void Stems_are_those_of_the_plain_sums(string arguments, string type, int length, int batch)
    {
        (SafetensorsBytes file, Dictionary<string, float[]> values) = RandomModel(arguments, Enum.Parse<WeightType>(type));
        using HTDemucsWeights weights = Open(file);
        int frames = (length + 1023) / 1024,
            stems = weights.Architecture.Sources.Count;
        Random random = new(1);
        float[] waveform = Noise(random, batch * 2 * length, 0.3, 0.1),
            spectrogram = Noise(random, batch * 4 * 2048 * frames, 0.5, -0.01);
        PlainHTDemucs plain = new(weights.Architecture, values);
        (double[] Planes, double[] Waves)[] expected =
        [
            .. Enumerable.Range(0, batch).Select(entry => plain.Run([.. Part(waveform, entry)], [.. Part(spectrogram, entry)])),
        ];
        foreach (GraphForm form in Enum.GetValues<GraphForm>())
        {
            HTDemucsGraphOptions options = new()
            {
                SegmentFrames = length,
                Batch = batch,
                Form = form,
            };
            byte[] model = HTDemucsGraph.ToBytes(weights, options, CancellationToken.None);
            Assert.Equal(model, HTDemucsGraph.ToBytes(weights, options, CancellationToken.None));
            (float[] planes, float[] waves) = Run(model);
            for (int entry = 0; entry < batch; entry++)
            {
                double ofPlanes = Decibels.Snr([.. expected[entry].Planes.Select(v => (float)v)], Part(planes, entry)),
                    ofWaves = Decibels.Snr([.. expected[entry].Waves.Select(v => (float)v)], Part(waves, entry));
                Assert.True(ofPlanes > 110 && ofWaves > 110, $"{form}: spectrograms {ofPlanes:F1} dB, waveforms {ofWaves:F1} dB");
            }
        }

        (float[] Planes, float[] Waves) Run(byte[] model)
        {
            float[] waves = new float[batch * stems * 2 * length],
                planes = new float[batch * stems * 4 * 2048 * frames];
            using OnnxSession session = OnnxSession.FromBytes(model, new OnnxSessionOptions { IntraOpThreads = 1 });
            if (batch == 1)
                Assert.Equal(
                    ["drums", "bass"],
                    ModelContract.Recognize(new ModelSignature(session.Inputs, session.Outputs, session.Metadata), "m").Stems
                );
            session.Run(
                [
                    OnnxTensor.Create("waveform", waveform, batch, 2, length),
                OnnxTensor.Create("spectrogram", spectrogram, batch, 4, 2048, frames),
            ],
                [
                    OnnxTensor.Create("stem_spectrogram", planes, batch, stems, 4, 2048, frames),
                OnnxTensor.Create("stem_waveform", waves, batch, stems, 2, length),
            ]
            );

            return (planes, waves);
        }

        float[] Part(float[] all, int entry) => all[(all.Length / batch * entry)..(all.Length / batch * (entry + 1))];
    }

    /// <summary>Of a model wide enough for tiles and blocks.</summary>
    [Theory]
    [InlineData((int)GraphForm.Cpu, true, true, true)]
    [InlineData((int)GraphForm.Accelerator, false, true, false)]
    [InlineData((int)GraphForm.Compiled, false, false, false)]
    [InlineData((int)GraphForm.CompiledReduced, false, false, false)]
    public void A_form_has_what_suits_it(int form, bool tiles, bool attention, bool blocks)
    {
        (SafetensorsBytes file, _) = RandomModel(Usual.Replace("\"channels\": 4", "\"channels\": 32", StringComparison.Ordinal), WeightType.Float16);
        using HTDemucsWeights weights = Open(file);
        GraphModel graph = GraphModel.Parse(
            HTDemucsGraph.ToBytes(
                weights,
                new HTDemucsGraphOptions { SegmentFrames = 343_980, Form = (GraphForm)form },
                CancellationToken.None
            )
        );
        Assert.Equal(tiles, graph.Nodes.Any(node => node.Is("DepthToSpace")));
        Assert.Equal(attention ? 4 : 0, graph.Nodes.Count(node => node.Type == "MultiHeadAttention"));
        Assert.Equal(attention ? 0 : 4, graph.Nodes.Count(node => node.Is("Softmax")));
        Assert.Equal(form != (int)GraphForm.Accelerator, graph.Nodes.Any(node => node.Is("Split")));
        // Long sums are padded with zeros to whole runs.
        Assert.Equal(form != (int)GraphForm.CompiledReduced, graph.Nodes.Any(node => node.Is("Pad")));
        // Blocks are put together along the frequencies.
        Assert.Equal(blocks, graph.Nodes.Any(node => node.Is("Concat") && node.Integer("axis", 0) == 2));
    }

    /// <summary>
    /// Where the graph says that it is worth it, also behind what is put together of blocks, whose shape is not known in full.
    /// </summary>
    [Fact]
    public void Wherever_a_shape_is_worth_hiding_it_is_hidden()
    {
        (SafetensorsBytes file, _) = RandomModel(Usual, WeightType.Float16);
        using HTDemucsWeights weights = Open(file);
        byte[] model = HTDemucsGraph.ToBytes(weights, new HTDemucsGraphOptions { SegmentFrames = 600_000 }, CancellationToken.None);
        GraphModel graph = GraphModel.Parse(model),
            hiding = GraphModel.Parse(ShapeHiding.Apply(model));
        string[] marked = [.. graph.Nodes.Where(node => node.Is("Identity")).Select(node => node.Outputs[0])];
        HashSet<string> hidden =
        [
            .. hiding.Nodes.Where(node => node.Is("Reshape") && hiding.Inputs.Contains(node.Inputs[1])).Select(node => node.Inputs[0]),
        ];
        Assert.NotEmpty(marked);
        Assert.Empty(marked.Except(hidden));
    }

    [Theory]
    [InlineData("audio_channels", "1", "1")]
    [InlineData("channels_time", "24", "24")]
    [InlineData("nfft", "2048", "2048")]
    [InlineData("cac", "false", "false")]
    [InlineData("depth", "5", "5")]
    [InlineData("rewrite", "false", "false")]
    [InlineData("multi_freqs", "[0.25]", "0.25")]
    [InlineData("kernel_size", "16", "16")]
    [InlineData("stride", "2", "2")]
    [InlineData("context", "2", "2")]
    [InlineData("context_enc", "1", "1")]
    [InlineData("norm_starts", "1", "1")]
    [InlineData("dconv_depth", "13", "13")]
    [InlineData("dconv_comp", "8", "8")]
    [InlineData("bottom_channels", "6", "6")]
    [InlineData("t_layers", "0", "0")]
    [InlineData("t_emb", "\"cape\"", "cape")]
    [InlineData("t_heads", "3", "3")]
    [InlineData("t_hidden_scale", "0.01", "0.01")]
    [InlineData("t_norm_in", "false", "false")]
    [InlineData("t_group_norm", "true", "1")]
    [InlineData("t_norm_first", "false", "false")]
    [InlineData("t_norm_out", "false", "false")]
    [InlineData("t_layer_scale", "false", "false")]
    [InlineData("t_gelu", "false", "false")]
    [InlineData("t_sin_random_shift", "5", "5")]
    [InlineData("t_sparse_self_attn", "true", "true")]
    [InlineData("t_sparse_cross_attn", "true", "true")]
    [InlineData("samplerate", "48000", "48000")]
    [InlineData("use_train_segment", "false", "false")]
    public void An_architecture_that_cannot_be_written_is_refused_by_its_argument(string argument, string json, string said)
    {
        using HTDemucsWeights weights = Open(
            SafetensorsBytes
                .Of(
                    $$"""{"sources": ["drums", "bass"], "channels": 4, {{(argument == "depth" ? "" : "\"depth\": 2, ")}}{{(argument == "dconv_comp" ? "" : "\"dconv_comp\": 2, ")}}"{{argument}}": {{json}}}"""
                )
                .With("x", WeightType.Float32, [1], 1)
        );
        DemucsException error = Assert.Throws<DemucsException>(() => HTDemucsGraph.Check(weights.Architecture, "some.safetensors"));
        Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
        Assert.Contains("'some.safetensors'", error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{argument}' is {said}, ", error.Message, StringComparison.Ordinal);
        Assert.Equal(
            error.Message,
            Assert
                .Throws<DemucsException>(() =>
                    HTDemucsGraph.Write(weights, new HTDemucsGraphOptions { SegmentFrames = 4096 }, Stream.Null, CancellationToken.None)
                )
                .Message.Replace(weights.Path, "some.safetensors", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Weights_that_are_missing_or_of_no_use_are_refused_before_anything_is_written()
    {
        (SafetensorsBytes whole, _) = RandomModel(Usual, WeightType.Float16);
        using HTDemucsWeights more = Open(whole.With("encoder.7.conv.bias", WeightType.Float32, [1], 0));
        Assert.Contains(
            "'encoder.7.conv.bias'",
            Refused(more).Replace("encoder.7.conv.bias", "'encoder.7.conv.bias'", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
        (SafetensorsBytes less, _) = RandomModel(Usual, WeightType.Float16, without: "tdecoder.1.conv_tr.bias");
        using HTDemucsWeights fewer = Open(less);
        Assert.Contains("no tensor 'tdecoder.1.conv_tr.bias'", Refused(fewer), StringComparison.Ordinal);

        static string Refused(HTDemucsWeights weights)
        {
            using MemoryStream written = new();
            DemucsException error = Assert.Throws<DemucsException>(() =>
                HTDemucsGraph.Write(weights, new HTDemucsGraphOptions { SegmentFrames = 4096 }, written, CancellationToken.None)
            );
            Assert.Equal(0, written.Length);
            Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
            return error.Message;
        }
    }

    [Fact]
    public void Writing_can_be_stopped()
    {
        (SafetensorsBytes file, _) = RandomModel(Usual, WeightType.Float16);
        using HTDemucsWeights weights = Open(file);
        Assert.ThrowsAny<OperationCanceledException>(() =>
            HTDemucsGraph.Write(
                weights,
                new HTDemucsGraphOptions { SegmentFrames = 4096 },
                Stream.Null,
                new CancellationToken(canceled: true)
            )
        );
    }

    private static HTDemucsWeights Open(SafetensorsBytes file) =>
        HTDemucsWeights.Open(new MemoryStream(file.ToBytes()), "/models/some.safetensors");

    /// <summary>
    /// A model of two stems with random weights that all reach the stems: gains near one, scales of residuals near a half.
    /// </summary>
    private static (SafetensorsBytes File, Dictionary<string, float[]> Values) RandomModel(
        string arguments,
        WeightType type,
        string? without = null
    )
    {
        string keywords = $$"""{"sources": ["drums", "bass"], {{arguments}}}""";
        HTDemucsArchitecture a;
        using (HTDemucsWeights none = Open(SafetensorsBytes.Of(keywords).With("x", WeightType.Float32, [1], 1)))
            a = none.Architecture;
        SafetensorsBytes file = SafetensorsBytes.Of(keywords);
        Dictionary<string, float[]> values = [];
        Random random = new(7);
        int channels = a.Channels,
            inputs = 4,
            waveInputs = 2,
            context = 2 * a.Context + 1;
        for (int i = 0; i < a.Depth; i++)
        {
            int undo = a.Depth - 1 - i,
                outputs = i == 0 ? 4 * a.Sources.Count : inputs,
                waveOutputs = i == 0 ? 2 * a.Sources.Count : waveInputs;
            Affine($"encoder.{i}.conv", channels, inputs, 8, 1);
            Affine($"tencoder.{i}.conv", channels, waveInputs, 8);
            Affine($"encoder.{i}.rewrite", 2 * channels, channels, 1, 1);
            Affine($"tencoder.{i}.rewrite", 2 * channels, channels, 1);
            Affine($"decoder.{undo}.rewrite", 2 * channels, channels, context, context);
            Affine($"tdecoder.{undo}.rewrite", 2 * channels, channels, context);
            Add($"decoder.{undo}.conv_tr.weight", 1 / Math.Sqrt(2 * channels), 0, channels, outputs, 8, 1);
            Add($"tdecoder.{undo}.conv_tr.weight", 1 / Math.Sqrt(2 * channels), 0, channels, waveOutputs, 8);
            Add($"decoder.{undo}.conv_tr.bias", 0.1, 0, outputs);
            Add($"tdecoder.{undo}.conv_tr.bias", 0.1, 0, waveOutputs);
            foreach (
                string branch in (string[])
                    [
                        .. (a.DconvMode & 1) != 0 ? (string[])[$"encoder.{i}", $"tencoder.{i}"] : [],
                        .. (a.DconvMode & 2) != 0 ? (string[])[$"decoder.{undo}", $"tdecoder.{undo}"] : [],
                    ]
            )
            {
                int hidden = (int)(channels / a.DconvComp);
                for (int d = 0; d < a.DconvDepth; d++)
                {
                    string layer = $"{branch}.dconv.layers.{d}";
                    Affine($"{layer}.0", hidden, channels, 3);
                    Norm($"{layer}.1", hidden);
                    Affine($"{layer}.3", 2 * channels, hidden, 1);
                    Norm($"{layer}.4", 2 * channels);
                    Add($"{layer}.6.scale", 0.2, 0.5, channels);
                }
            }
            if (i == 0 && a.FreqEmb > 0)
                Add("freq_emb.embedding.weight", 0.1, 0, 512, channels);
            (inputs, waveInputs) = (channels, channels);
            channels *= a.Growth;
        }
        int inner = inputs;
        if (a.BottomChannels > 0)
        {
            inner = a.BottomChannels;
            foreach (string suffix in (string[])["", "_t"])
            {
                Affine($"channel_upsampler{suffix}", inner, inputs, 1);
                Affine($"channel_downsampler{suffix}", inputs, inner, 1);
            }
        }
        Norm("crosstransformer.norm_in", inner);
        Norm("crosstransformer.norm_in_t", inner);
        for (int i = 0; i < a.TransformerLayers; i++)
        {
            bool crosses = i % 2 == (a.TransformerCrossFirst ? 0 : 1);
            foreach (string layers in (string[])["layers", "layers_t"])
            {
                string layer = $"crosstransformer.{layers}.{i}",
                    attention = crosses ? $"{layer}.cross_attn" : $"{layer}.self_attn";
                int hidden = (int)(inner * a.TransformerHiddenScale);
                Add($"{attention}.in_proj_weight", 1 / Math.Sqrt(inner), 0, 3 * inner, inner);
                Add($"{attention}.in_proj_bias", 0.1, 0, 3 * inner);
                Affine($"{attention}.out_proj", inner, inner);
                Affine($"{layer}.linear1", hidden, inner);
                Affine($"{layer}.linear2", inner, hidden);
                foreach (string norm in (string[])["norm1", "norm2", .. crosses ? (string[])["norm3"] : [], "norm_out"])
                    Norm($"{layer}.{norm}", inner);
                Add($"{layer}.gamma_1.scale", 0.2, 0.5, inner);
                Add($"{layer}.gamma_2.scale", 0.2, 0.5, inner);
            }
        }
        return (file, values);

        void Affine(string name, params int[] shape)
        {
            Add($"{name}.weight", 1 / Math.Sqrt(shape[1..].Aggregate(1, (product, length) => product * length)), 0, shape);
            Add($"{name}.bias", 0.1, 0, shape[0]);
        }

        void Norm(string name, int count)
        {
            Add($"{name}.weight", 0.2, 1, count);
            Add($"{name}.bias", 0.1, 0, count);
        }

        void Add(string name, double deviation, double mean, params int[] shape)
        {
            if (name == without)
                return;
            float[] numbers =
            [
                .. Noise(random, shape.Aggregate(1, (product, length) => product * length), deviation * Math.Sqrt(3), mean).Select(Stored),
            ];
            values.Add(name, numbers);
            file.With(name, type, shape, numbers);
        }

        float Stored(float value) =>
            type switch
            {
                WeightType.Float16 => (float)(Half)value,
                WeightType.BFloat16 => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000),
                _ => value,
            };
    }

    private static float[] Noise(Random random, int count, double size, double mean) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)((2 * random.NextDouble() - 1) * size + mean))];
}
