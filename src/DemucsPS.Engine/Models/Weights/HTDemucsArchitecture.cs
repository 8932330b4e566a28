using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace DemucsPS.Engine.Models.Weights;

/// <summary>
/// The architecture of an HTDemucs: the keyword arguments of <c>demucs.htdemucs.HTDemucs</c> (Demucs 4), each under its own name, what a
/// file leaves out with the value that it has there. Immutable.
/// </summary>
/// <remarks>
/// Those that matter in training only are here as well, since they are part of what the author saved: two models that differ in them are
/// two models.
/// </remarks>
internal sealed record HTDemucsArchitecture
{
    /// <summary><c>sources</c>: the stems' names, in the model's order.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary><c>audio_channels</c>: channels of the mix and of each stem.</summary>
    public int AudioChannels { get; init; } = 2;

    /// <summary><c>channels</c>: hidden channels of the first layer.</summary>
    public int Channels { get; init; } = 48;

    /// <summary><c>channels_time</c>: those of the time branch; null for the same.</summary>
    public int? ChannelsTime { get; init; }

    /// <summary><c>growth</c>: by how much each layer has more channels than the one before.</summary>
    public int Growth { get; init; } = 2;

    /// <summary><c>nfft</c>: length of the Fourier transform.</summary>
    public int Nfft { get; init; } = 4096;

    /// <summary><c>wiener_iters</c>.</summary>
    public int WienerIters { get; init; }

    /// <summary><c>end_iters</c>.</summary>
    public int EndIters { get; init; }

    /// <summary><c>wiener_residual</c>.</summary>
    public bool WienerResidual { get; init; }

    /// <summary><c>cac</c>: complex numbers are two channels each, and the output is the spectrogram itself.</summary>
    public bool Cac { get; init; } = true;

    /// <summary><c>depth</c>: layers of each encoder and decoder.</summary>
    public int Depth { get; init; } = 4;

    /// <summary><c>rewrite</c>: a convolution of width 1, and a gate, in each layer.</summary>
    public bool Rewrite { get; init; } = true;

    /// <summary><c>multi_freqs</c>: where the frequency axis is split; empty for nowhere.</summary>
    public IReadOnlyList<double> MultiFreqs { get; init; } = [];

    /// <summary><c>multi_freqs_depth</c>.</summary>
    public int MultiFreqsDepth { get; init; } = 3;

    /// <summary><c>freq_emb</c>: weight of the frequency embedding after the first layer; 0 for none.</summary>
    public double FreqEmb { get; init; } = 0.2;

    /// <summary><c>emb_scale</c>: by what the stored embedding is multiplied.</summary>
    public double EmbScale { get; init; } = 10;

    /// <summary><c>emb_smooth</c>: how the embedding was initialized.</summary>
    public bool EmbSmooth { get; init; } = true;

    /// <summary><c>kernel_size</c>: of the layers' strided convolutions.</summary>
    public int KernelSize { get; init; } = 8;

    /// <summary><c>time_stride</c>.</summary>
    public int TimeStride { get; init; } = 2;

    /// <summary><c>stride</c>: of the layers.</summary>
    public int Stride { get; init; } = 4;

    /// <summary><c>context</c>: of the decoders' rewriting convolutions, 1 + 2·context wide.</summary>
    public int Context { get; init; } = 1;

    /// <summary><c>context_enc</c>: of the encoders'.</summary>
    public int ContextEnc { get; init; }

    /// <summary><c>norm_starts</c>: the first layer with group normalization.</summary>
    public int NormStarts { get; init; } = 4;

    /// <summary><c>norm_groups</c>: its groups.</summary>
    public int NormGroups { get; init; } = 4;

    /// <summary><c>dconv_mode</c>: 1 for residual branches in the encoders, 2 for the decoders, 3 for both, 0 for none.</summary>
    public int DconvMode { get; init; } = 1;

    /// <summary><c>dconv_depth</c>: layers of a residual branch.</summary>
    public int DconvDepth { get; init; } = 2;

    /// <summary><c>dconv_comp</c>: by what its channels are fewer.</summary>
    public double DconvComp { get; init; } = 8;

    /// <summary><c>dconv_init</c>: how its scales were initialized.</summary>
    public double DconvInit { get; init; } = 1e-3;

    /// <summary><c>bottom_channels</c>: channels within the transformer; 0 for those of the last layer.</summary>
    public int BottomChannels { get; init; }

    /// <summary><c>t_layers</c>: layers of the transformer; 0 for no transformer.</summary>
    public int TransformerLayers { get; init; } = 5;

    /// <summary><c>t_emb</c>: kind of the position embedding: sin, cape or scaled.</summary>
    public string TransformerEmb { get; init; } = "sin";

    /// <summary><c>t_hidden_scale</c>: by what the feed-forward layers are wider.</summary>
    public double TransformerHiddenScale { get; init; } = 4;

    /// <summary><c>t_heads</c>: heads of the attention.</summary>
    public int TransformerHeads { get; init; } = 8;

    /// <summary><c>t_dropout</c>.</summary>
    public double TransformerDropout { get; init; }

    /// <summary><c>t_max_positions</c>.</summary>
    public int TransformerMaxPositions { get; init; } = 10000;

    /// <summary><c>t_norm_in</c>: a normalization before the position embedding.</summary>
    public bool TransformerNormIn { get; init; } = true;

    /// <summary><c>t_norm_in_group</c>: that it is over all time steps.</summary>
    public bool TransformerNormInGroup { get; init; }

    /// <summary>
    /// <c>t_group_norm</c>: groups of the layers' normalizations over all time steps; 0 (<c>False</c> there) for layer normalization.
    /// </summary>
    public int TransformerGroupNorm { get; init; }

    /// <summary><c>t_norm_first</c>: normalization before attention and feed-forward rather than after.</summary>
    public bool TransformerNormFirst { get; init; } = true;

    /// <summary><c>t_norm_out</c>: a group normalization at each layer's end, where <see cref="TransformerNormFirst"/>.</summary>
    public bool TransformerNormOut { get; init; } = true;

    /// <summary><c>t_max_period</c>: of the sinusoidal position embedding.</summary>
    public double TransformerMaxPeriod { get; init; } = 10000;

    /// <summary><c>t_weight_decay</c>.</summary>
    public double TransformerWeightDecay { get; init; }

    /// <summary><c>t_lr</c>.</summary>
    public double? TransformerLr { get; init; }

    /// <summary><c>t_layer_scale</c>: a scale for each channel of what a layer adds.</summary>
    public bool TransformerLayerScale { get; init; } = true;

    /// <summary><c>t_gelu</c>: GELU in the feed-forward layers; else ReLU.</summary>
    public bool TransformerGelu { get; init; } = true;

    /// <summary><c>t_weight_pos_embed</c>: weight of the position embedding.</summary>
    public double TransformerWeightPosEmbed { get; init; } = 1;

    /// <summary><c>t_sin_random_shift</c>.</summary>
    public int TransformerSinRandomShift { get; init; }

    /// <summary><c>t_cape_mean_normalize</c>.</summary>
    public bool TransformerCapeMeanNormalize { get; init; } = true;

    /// <summary><c>t_cape_augment</c>.</summary>
    public bool TransformerCapeAugment { get; init; } = true;

    /// <summary><c>t_cape_glob_loc_scale</c>.</summary>
    public IReadOnlyList<double> TransformerCapeGlobLocScale { get; init; } = [5000, 1, 1.4];

    /// <summary><c>t_sparse_self_attn</c>.</summary>
    public bool TransformerSparseSelfAttn { get; init; }

    /// <summary><c>t_sparse_cross_attn</c>.</summary>
    public bool TransformerSparseCrossAttn { get; init; }

    /// <summary><c>t_mask_type</c>.</summary>
    public string TransformerMaskType { get; init; } = "diag";

    /// <summary><c>t_mask_random_seed</c>.</summary>
    public long TransformerMaskRandomSeed { get; init; } = 42;

    /// <summary><c>t_sparse_attn_window</c>.</summary>
    public int TransformerSparseAttnWindow { get; init; } = 500;

    /// <summary><c>t_global_window</c>.</summary>
    public int TransformerGlobalWindow { get; init; } = 100;

    /// <summary><c>t_sparsity</c>.</summary>
    public double TransformerSparsity { get; init; } = 0.95;

    /// <summary><c>t_auto_sparsity</c>.</summary>
    public bool TransformerAutoSparsity { get; init; }

    /// <summary><c>t_cross_first</c>: the transformer begins with a layer across the branches.</summary>
    public bool TransformerCrossFirst { get; init; }

    /// <summary><c>rescale</c>: how weights were initialized.</summary>
    public double Rescale { get; init; } = 0.1;

    /// <summary><c>samplerate</c>: sample frames per second.</summary>
    public int SampleRate { get; init; } = 44100;

    /// <summary><c>segment</c>: the length that the model was trained with, in seconds.</summary>
    public double Segment { get; init; } = 10;

    /// <summary>The same in sample frames, as Demucs rounds it: down, from the exact product where the file has a fraction.</summary>
    public int SegmentFrames { get; init; } = 441000;

    /// <summary><c>use_train_segment</c>: whether every input is brought to that length.</summary>
    public bool UseTrainSegment { get; init; } = true;

    /// <summary>Every keyword argument with its value, in alphabetical order, each in one way of writing.</summary>
    public string ToCanonicalText()
    {
        StringBuilder text = new();
        foreach ((string keyword, object? value) in ArchitectureReader.Arguments(this).OrderBy(a => a.Keyword, StringComparer.Ordinal))
            text.Append(keyword).Append('=').Append(Written(value)).Append('\n');
        return text.ToString();
    }

    internal void AppendTo(IncrementalHash hash) => hash.AppendData(Encoding.UTF8.GetBytes(ToCanonicalText()));

    private static string Written(object? value) =>
        value switch
        {
            null => "none",
            bool flag => flag ? "true" : "false",
            string word => $"'{word}'",
            IEnumerable<double> numbers => $"[{string.Join(' ', numbers.Select(n => Written(n)))}]",
            IEnumerable<string> words => $"[{string.Join(' ', words.Select(w => Written(w)))}]",
            double number => number.ToString("R", CultureInfo.InvariantCulture),
            IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
            _ => throw new InvalidOperationException($"{value.GetType()} is not the type of an argument."),
        };
}
