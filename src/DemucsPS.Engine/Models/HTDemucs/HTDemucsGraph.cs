using System.Globalization;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Models.Weights;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>
/// Writes htdemucs as an ONNX graph, from its weights and architecture: waveform [B,2,L] and spectrogram [B,4,2048,T] in, the stems'
/// spectrograms [B,S,4,2048,T] and waveforms [B,S,2,L] out. It is written as ONNX Runtime computes it best and most exactly, so there is
/// nothing to prepare; attention is an operator of the runtime's own (com.microsoft). Equal weights give equal bytes.
/// </summary>
internal static class HTDemucsGraph
{
    /// <summary>Part of a written graph's name; another number where graphs of equal weights come out different.</summary>
    public const int Version = 2;

    /// <summary>Below it, a convolution along frequencies would be as long as what it takes.</summary>
    private const int MostLayers = 4;

    // Their taps are twice as far apart in each.
    private const int MostBranches = 12;

    private const int SampleRate = 44_100;

    /// <summary>Refuses an architecture that cannot be written, without its weights.</summary>
    /// <param name="architecture">The architecture.</param>
    /// <param name="path">The file that it is from, for the message.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: which argument has which value.</exception>
    public static void Check(HTDemucsArchitecture architecture, string path)
    {
        HTDemucsArchitecture a = architecture;
        Only(a.AudioChannels == 2, "audio_channels", a.AudioChannels, "2");
        Only(a.ChannelsTime is null || a.ChannelsTime == a.Channels, "channels_time", a.ChannelsTime, "null");
        Only(a.Nfft == SegmentSpectrogram.FrameSize, "nfft", a.Nfft, $"{SegmentSpectrogram.FrameSize}");
        Only(a.Cac, "cac", a.Cac, "true");
        Only(a.Depth is > 0 and <= MostLayers, "depth", a.Depth, $"1 to {MostLayers}");
        Only(a.Rewrite, "rewrite", a.Rewrite, "true");
        Only(
            a.MultiFreqs.Count == 0,
            "multi_freqs",
            string.Join(", ", a.MultiFreqs.Select(f => f.ToString(CultureInfo.InvariantCulture))),
            "none"
        );
        Only(a.KernelSize == Steps.Kernel, "kernel_size", a.KernelSize, $"{Steps.Kernel}");
        Only(a.Stride == Steps.Stride, "stride", a.Stride, $"{Steps.Stride}");
        Only(a.Context is 0 or 1, "context", a.Context, "0 or 1");
        Only(a.ContextEnc == 0, "context_enc", a.ContextEnc, "0");
        Only(a.NormStarts >= a.Depth, "norm_starts", a.NormStarts, "no less than depth");
        Only(a.DconvMode is >= 0 and <= 3, "dconv_mode", a.DconvMode, "0 to 3");
        Only(a.DconvDepth is >= 0 and <= MostBranches, "dconv_depth", a.DconvDepth, $"0 to {MostBranches}");
        Only(a.TransformerLayers > 0, "t_layers", a.TransformerLayers, "more than 0");
        Only(a.TransformerEmb == "sin", "t_emb", a.TransformerEmb, "sin");
        Only(a.TransformerNormIn, "t_norm_in", a.TransformerNormIn, "true");
        Only(a.TransformerGroupNorm == 0, "t_group_norm", a.TransformerGroupNorm, "false");
        Only(a.TransformerNormFirst, "t_norm_first", a.TransformerNormFirst, "true");
        Only(a.TransformerNormOut, "t_norm_out", a.TransformerNormOut, "true");
        Only(a.TransformerLayerScale, "t_layer_scale", a.TransformerLayerScale, "true");
        Only(a.TransformerGelu, "t_gelu", a.TransformerGelu, "true");
        Only(a.TransformerSinRandomShift == 0, "t_sin_random_shift", a.TransformerSinRandomShift, "0");
        Only(!a.TransformerSparseSelfAttn, "t_sparse_self_attn", a.TransformerSparseSelfAttn, "false");
        Only(!a.TransformerSparseCrossAttn, "t_sparse_cross_attn", a.TransformerSparseCrossAttn, "false");
        Only(a.SampleRate == SampleRate, "samplerate", a.SampleRate, $"{SampleRate}");
        Only(a.UseTrainSegment, "use_train_segment", a.UseTrainSegment, "true");
        int channels = HTDemucsNetwork.ChannelsOf(a, a.Depth - 1),
            inner = CrossTransformer.ChannelsOf(a, channels);
        Only(
            inner % 4 == 0 && inner >= 8,
            a.BottomChannels > 0 ? "bottom_channels" : "channels",
            inner,
            "a multiple of 4, at least 8, for the transformer"
        );
        Only(a.TransformerHeads > 0 && inner % a.TransformerHeads == 0, "t_heads", a.TransformerHeads, $"a divisor of {inner}");
        Only(CrossTransformer.HiddenOf(a, channels) > 0, "t_hidden_scale", a.TransformerHiddenScale, $"no less than 1/{inner}");
        Only(a.DconvMode == 0 || HTDemucsNetwork.HiddenOf(a, a.Channels) > 0, "dconv_comp", a.DconvComp, $"no more than {a.Channels}");

        void Only(bool fits, string keyword, object? value, string known)
        {
            if (!fits)
            {
                throw new DemucsException(
                    DemucsError.DemucsModelInvalid,
                    $"Model '{path}' cannot be used: its HTDemucs argument '{keyword}' is {Convert.ToString(value, CultureInfo.InvariantCulture)?.ToLowerInvariant()}, but only {known} is supported. Export it to ONNX, or choose another model.",
                    path
                );
            }
        }
    }

    /// <summary>Writes the graph. Weights are read while it is written, one tensor after the other.</summary>
    /// <param name="weights">The weights and their architecture. All of them have to be of use.</param>
    /// <param name="options">The segment's length and the batch.</param>
    /// <param name="destination">Takes the bytes of an .onnx file, from the first to the last.</param>
    /// <param name="cancellationToken">Ends it between two tensors.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelInvalid"/>: the architecture cannot be written, or weights do not fit it, or are not finite;
    /// <see cref="DemucsError.DemucsModelNotFound"/>: they cannot be read.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public static void Write(HTDemucsWeights weights, HTDemucsGraphOptions options, Stream destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SegmentFrames, SegmentSpectrogram.FrameSize, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Batch, 1, nameof(options));
        Check(weights.Architecture, weights.Path);
        OnnxGraphWriter graph = new HTDemucsNetwork(weights, options).Build();
        weights.RefuseUnused();
        graph.Metadata(ModelContract.SourcesKey, string.Join(',', weights.Architecture.Sources));
        graph.Write(destination, "DemucsPS", "HTDemucs (Hybrid Transformer Demucs), written from its weights.", cancellationToken);
    }

    /// <summary>The graph in memory.</summary>
    /// <inheritdoc cref="Write"/>
    public static byte[] ToBytes(HTDemucsWeights weights, HTDemucsGraphOptions options, CancellationToken cancellationToken)
    {
        using MemoryStream bytes = new();
        Write(weights, options, bytes, cancellationToken);
        return bytes.ToArray();
    }
}
