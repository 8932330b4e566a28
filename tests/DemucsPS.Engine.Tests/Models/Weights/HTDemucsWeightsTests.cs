using DemucsPS.Engine.Models.Weights;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Models.Weights;

/// <summary>What Demucs writes beside the weights: which model it is, and what is not understood of it.</summary>
public sealed class HTDemucsWeightsTests
{
    private const string Sources = "\"sources\": [\"drums\", \"bass\"]";

    [Fact]
    public void What_a_file_leaves_out_is_as_Demucs_has_it()
    {
        HTDemucsArchitecture some = Read($"{{{Sources}}}").Architecture;
        Assert.Equal(
            """
            audio_channels=2
            bottom_channels=0
            cac=true
            channels=48
            channels_time=none
            context=1
            context_enc=0
            dconv_comp=8
            dconv_depth=2
            dconv_init=0.001
            dconv_mode=1
            depth=4
            emb_scale=10
            emb_smooth=true
            end_iters=0
            freq_emb=0.2
            growth=2
            kernel_size=8
            multi_freqs=[]
            multi_freqs_depth=3
            nfft=4096
            norm_groups=4
            norm_starts=4
            rescale=0.1
            rewrite=true
            samplerate=44100
            segment=441000
            sources=['drums' 'bass']
            stride=4
            t_auto_sparsity=false
            t_cape_augment=true
            t_cape_glob_loc_scale=[5000 1 1.4]
            t_cape_mean_normalize=true
            t_cross_first=false
            t_dropout=0
            t_emb='sin'
            t_gelu=true
            t_global_window=100
            t_group_norm=0
            t_heads=8
            t_hidden_scale=4
            t_layer_scale=true
            t_layers=5
            t_lr=none
            t_mask_random_seed=42
            t_mask_type='diag'
            t_max_period=10000
            t_max_positions=10000
            t_norm_first=true
            t_norm_in=true
            t_norm_in_group=false
            t_norm_out=true
            t_sin_random_shift=0
            t_sparse_attn_window=500
            t_sparse_cross_attn=false
            t_sparse_self_attn=false
            t_sparsity=0.95
            t_weight_decay=0
            t_weight_pos_embed=1
            time_stride=2
            use_train_segment=true
            wiener_iters=0
            wiener_residual=false

            """.ReplaceLineEndings("\n"),
            some.ToCanonicalText()
        );
    }

    [Fact]
    public void Every_argument_is_read()
    {
        // Each with a value that is not the one it has where it is left out.
        HTDemucsArchitecture some = Read(
            $$"""
            {{{Sources}}, "audio_channels": 1, "channels": 12, "channels_time": 6, "growth": 3, "nfft": 2048, "wiener_iters": 2, "end_iters": 1, "wiener_residual": true, "cac": false, "depth": 5, "rewrite": false,
            "multi_freqs": [0.25, 0.5], "multi_freqs_depth": 2, "freq_emb": 0.3, "emb_scale": 5, "emb_smooth": false, "kernel_size": 16, "time_stride": 3, "stride": 2, "context": 2, "context_enc": 1, "norm_starts": 3,
            "norm_groups": 2, "dconv_mode": 3, "dconv_depth": 1, "dconv_comp": 4, "dconv_init": 0.1, "bottom_channels": 64, "t_layers": 3, "t_emb": "cape", "t_hidden_scale": 2.0, "t_heads": 4, "t_dropout": 0.02,
            "t_max_positions": 100, "t_norm_in": false, "t_norm_in_group": true, "t_group_norm": true, "t_norm_first": false, "t_norm_out": false, "t_max_period": 500.0, "t_weight_decay": 0.5, "t_lr": 0.25,
            "t_layer_scale": false, "t_gelu": false, "t_weight_pos_embed": 0.5, "t_sin_random_shift": 7, "t_cape_mean_normalize": false, "t_cape_augment": false, "t_cape_glob_loc_scale": [1, 2.5],
            "t_sparse_self_attn": true, "t_sparse_cross_attn": true, "t_mask_type": "jmask", "t_mask_random_seed": 43, "t_sparse_attn_window": 501, "t_global_window": 101, "t_sparsity": 0.5, "t_auto_sparsity": true,
            "t_cross_first": true, "rescale": 0.2, "samplerate": 48000, "segment": {"_type": "fraction", "numerator": 11, "denominator": 2}, "use_train_segment": false}
            """
        ).Architecture;
        string[] defaults = Read($"{{{Sources}}}").Architecture.ToCanonicalText().Split('\n');
        Assert.Equal(["sources=['drums' 'bass']", ""], some.ToCanonicalText().Split('\n').Intersect(defaults));
        Assert.Equal(
            (1, 12, 6, 3, 2048, 5.5, 264000),
            (some.AudioChannels, some.Channels, some.ChannelsTime!.Value, some.Growth, some.Nfft, some.Segment, some.SegmentFrames)
        );
        Assert.Equal(
            (3, "cape", 0.5, 2.0, 4, 1, true),
            (
                some.DconvMode,
                some.TransformerEmb,
                some.TransformerWeightPosEmbed,
                some.TransformerHiddenScale,
                some.TransformerHeads,
                some.TransformerGroupNorm,
                some.TransformerCrossFirst
            )
        );
    }

    [Theory]
    [InlineData("""{"_type": "fraction", "numerator": 39, "denominator": 5}""", 343980)]
    [InlineData("""{"_type": "fraction", "numerator": 117, "denominator": 20}""", 257985)]
    // In Python, int(5.85 * 44100) is less than the exact product.
    [InlineData("5.85", 257984)]
    [InlineData("7.8", 343980)]
    [InlineData("10", 441000)]
    public void A_segment_has_as_many_frames_as_Demucs_gives_it(string segment, int frames) =>
        Assert.Equal(frames, Read($$"""{"samplerate": 44100, "segment": {{segment}}, {{Sources}}}""").Architecture.SegmentFrames);

    [Theory]
    [InlineData("\"channels\": 0", "'channels' as 0; expected is a whole number from 1 to 4096")]
    [InlineData("\"channels\": 1e30", "'channels' as 1e30")]
    [InlineData("\"channels\": 48.5", "'channels' as 48.5")]
    [InlineData("\"channels\": \"48\"", "'channels' as \"48\"")]
    [InlineData("\"cac\": 1", "'cac' as 1; expected is true or false")]
    [InlineData("\"t_emb\": null", "'t_emb' as null")]
    [InlineData("\"segment\": {\"_type\": \"fraction\", \"numerator\": 39, \"denominator\": 0}", "'segment' as {")]
    [InlineData("\"segment\": 1e999", "'segment' as 1e999")]
    [InlineData("\"segment\": 1152921504606846976", "'segment' as 1152921504606846976")]
    [InlineData("\"channels\": 8, \"channels\": 8", "gives 'channels' twice")]
    [InlineData("\"t_emb\": \"\\ud800\"", "not valid Unicode")]
    public void An_argument_that_is_not_understood_is_refused_by_its_name(string argument, string message) =>
        Assert.Contains(message, Refused($"{{{Sources}, {argument}}}"), StringComparison.Ordinal);

    [Theory]
    [InlineData("{}", "its metadata lacks 'sources'")]
    [InlineData("""{"sources": []}""", "'sources' as []")]
    [InlineData("""{"sources": ["drums", "Drums"]}""", "'sources' as")]
    [InlineData("""{"sources": ["../drums"]}""", "'sources' as")]
    [InlineData("[]", "'kwargs' is not a JSON object")]
    [InlineData("{", "'kwargs' is not valid JSON")]
    [InlineData("nothing", "'kwargs' is not valid JSON")]
    public void Keyword_arguments_that_are_no_model_are_refused(string keywords, string message) =>
        Assert.Contains(message, Refused(keywords), StringComparison.Ordinal);

    [Fact]
    public void Other_models_are_refused_by_what_they_are()
    {
        Assert.Contains(
            "the class 'demucs.hdemucs.HDemucs'",
            Refused(SafetensorsBytes.Of($"{{{Sources}}}", klass: "demucs.hdemucs.HDemucs")),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'args' is not the empty list",
            Refused(SafetensorsBytes.Of("{}", args: "[[\"drums\"]]")),
            StringComparison.Ordinal
        );
        Assert.Contains("'args' is not valid JSON", Refused(SafetensorsBytes.Of("{}", args: "()")), StringComparison.Ordinal);
        Assert.Contains("no entry 'klass'", Refused(new SafetensorsBytes()), StringComparison.Ordinal);
        SafetensorsBytes quantized = SafetensorsBytes.Of($"{{{Sources}}}");
        quantized.Metadata.Add(("structure", "[]"));
        Assert.Contains("quantized", Refused(quantized), StringComparison.Ordinal);
    }

    [Fact]
    public void An_argument_that_HTDemucs_has_not_is_left_out_with_a_warning_as_Demucs_does()
    {
        List<string> warnings = [];
        using HTDemucsWeights some = HTDemucsWeights.Open(
            new MemoryStream(SafetensorsBytes.Of($"{{{Sources}, \"hybrid\": true}}").ToBytes()),
            "/weights/some.safetensors",
            warnings.Add
        );
        Assert.Contains("which are ignored, as in Demucs: hybrid.", Assert.Single(warnings), StringComparison.Ordinal);
        using HTDemucsWeights without = Read($"{{{Sources}}}");
        Assert.Equal(without.Identify(), some.Identify());
    }

    [Fact]
    public void A_tensor_is_asked_for_with_its_shape_and_none_is_left_over()
    {
        using HTDemucsWeights weights = Open(SafetensorsBytes.Small().With("freq_emb.embedding.weight", WeightType.Float16, [2], 7, 8));
        Assert.Contains(
            "its tensor 'encoder.0.conv.weight' has the shape [2,3], but its architecture needs [3,2]",
            Assert.Throws<DemucsException>(() => weights.Read("encoder.0.conv.weight", 3, 2)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no tensor 'decoder.0.conv.weight', which its architecture needs with the shape [4]",
            Assert.Throws<DemucsException>(() => weights.Read("decoder.0.conv.weight", 4)).Message,
            StringComparison.Ordinal
        );
        Assert.Equal([1, -2, 3, 0.5f, 0, -0.25f], weights.Read("encoder.0.conv.weight", 2, 3));
        Assert.Contains(
            "it has a tensor that its architecture does not use: freq_emb.embedding.weight.",
            Assert.Throws<DemucsException>(weights.RefuseUnused).Message,
            StringComparison.Ordinal
        );
        Assert.Equal([0x00, 0x47, 0x00, 0x48], weights.ReadStored("freq_emb.embedding.weight", 2));
        weights.RefuseUnused();
        Assert.True(weights.Contains("encoder.0.conv.weight"));
        Assert.False(weights.Contains("encoder.0.conv"));
    }

    [Fact]
    public void The_identity_is_that_of_tensors_and_architecture_whatever_the_order_of_the_file()
    {
        SafetensorsBytes one = SafetensorsBytes
            .Of($"{{{Sources}, \"channels\": 8}}")
            .With("a", WeightType.Float16, [2], 1, 2)
            .With("b", WeightType.Float16, [1, 2], 3, 4);
        SafetensorsBytes turned = new();
        turned.Metadata.AddRange([
            ("kwargs", $"{{\"channels\": 8.0, {Sources}, \"depth\": 4}}"),
            ("args", "[]"),
            ("klass", "demucs.htdemucs.HTDemucs"),
        ]);
        turned.With("b", WeightType.Float16, [1, 2], 3, 4).With("a", WeightType.Float16, [2], 1, 2);
        string identity = Identity(one);
        Assert.Matches("^[0-9a-f]{64}$", identity);
        Assert.Equal(identity, Identity(turned));
        SafetensorsBytes[] others =
        [
            SafetensorsBytes
                .Of($"{{{Sources}, \"channels\": 9}}")
                .With("a", WeightType.Float16, [2], 1, 2)
                .With("b", WeightType.Float16, [1, 2], 3, 4),
            SafetensorsBytes
                .Of($"{{{Sources}, \"channels\": 8}}")
                .With("a", WeightType.Float16, [2], 1, 2)
                .With("b", WeightType.Float16, [1, 2], 3, 5),
            SafetensorsBytes
                .Of($"{{{Sources}, \"channels\": 8}}")
                .With("a", WeightType.Float16, [2], 1, 2)
                .With("b", WeightType.Float16, [2, 1], 3, 4),
            SafetensorsBytes
                .Of($"{{{Sources}, \"channels\": 8}}")
                .With("a", WeightType.Float16, [2], 1, 2)
                .With("c", WeightType.Float16, [1, 2], 3, 4),
            SafetensorsBytes
                .Of($"{{{Sources}, \"channels\": 8}}")
                .With("a", WeightType.Float16, [2], 3, 4)
                .With("b", WeightType.Float16, [1, 2], 1, 2),
            SafetensorsBytes
                .Of($"{{{Sources}, \"channels\": 8}}")
                .With("a", WeightType.BFloat16, [2], 1, 2)
                .With("b", WeightType.Float16, [1, 2], 3, 4),
        ];
        Assert.Equal(others.Length + 1, others.Select(Identity).Append(identity).Distinct().Count());
        Assert.Throws<DemucsException>(() => Identity(SafetensorsBytes.Of($"{{{Sources}}}").With("a", WeightType.Float32, [1], float.NaN)));
    }

    [Fact]
    public void What_Demucs_itself_wrote_is_read()
    {
        using HTDemucsWeights other = HTDemucsWeights.Open(OfficialFiles.Find("models", "20e36740.safetensors"), static warning =>
            Assert.Fail(warning)
        );
        Assert.Equal(
            (12, 0, 3, 4, 2.0, 1, 242550),
            (
                other.Architecture.Channels,
                other.Architecture.BottomChannels,
                other.Architecture.TransformerLayers,
                other.Architecture.TransformerHeads,
                other.Architecture.TransformerHiddenScale,
                other.Architecture.DconvMode,
                other.Architecture.SegmentFrames
            )
        );
        Assert.Equal(313, other.Tensors.Count);
        Assert.All(other.Tensors, tensor => Assert.Equal(WeightType.BFloat16, tensor.Type));
        Assert.NotEmpty(other.Identify());
    }

    private static HTDemucsWeights Read(string keywords) => Open(SafetensorsBytes.Of(keywords));

    private static HTDemucsWeights Open(SafetensorsBytes file) =>
        HTDemucsWeights.Open(new MemoryStream(file.ToBytes()), "/weights/some.safetensors", static warning => Assert.Fail(warning));

    private static string Refused(string keywords) => Refused(SafetensorsBytes.Of(keywords));

    private static string Refused(SafetensorsBytes file)
    {
        DemucsException error = Assert.Throws<DemucsException>(() => Open(file));
        Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
        Assert.StartsWith("The weights '/weights/some.safetensors' cannot be used: it", error.Message, StringComparison.Ordinal);
        return error.Message;
    }

    private static string Identity(SafetensorsBytes file)
    {
        using HTDemucsWeights weights = Open(file);
        return weights.Identify();
    }
}
