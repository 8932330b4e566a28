using System.Globalization;
using System.Text.Json;

namespace DemucsPS.Engine.Models.Weights;

/// <summary>
/// Reads an architecture from the metadata that Demucs writes beside the weights: the class, its arguments and keyword arguments, each as a
/// JSON text.
/// </summary>
internal sealed class ArchitectureReader
{
    private const string ClassName = "demucs.htdemucs.HTDemucs";
    private const int MostTextBytes = 1 << 16,
        MostStems = 64,
        MostNumbers = 64,
        LongestName = 64;
    private const double LongestSegment = 600;

    private static readonly Argument[] s_arguments =
    [
        new("sources", static a => a.Sources, static (a, v) => a with { Sources = StemNames(v) }),
        new("audio_channels", static a => a.AudioChannels, static (a, v) => a with { AudioChannels = Whole(v, 1, 64) }),
        new("channels", static a => a.Channels, static (a, v) => a with { Channels = Whole(v, 1, 4096) }),
        new(
            "channels_time",
            static a => a.ChannelsTime,
            static (a, v) => a with { ChannelsTime = v.ValueKind == JsonValueKind.Null ? null : Whole(v, 1, 4096) }
        ),
        new("growth", static a => a.Growth, static (a, v) => a with { Growth = Whole(v, 1, 8) }),
        new("nfft", static a => a.Nfft, static (a, v) => a with { Nfft = Whole(v, 16, 1 << 20) }),
        new("wiener_iters", static a => a.WienerIters, static (a, v) => a with { WienerIters = Whole(v, -1, 1000) }),
        new("end_iters", static a => a.EndIters, static (a, v) => a with { EndIters = Whole(v, -1, 1000) }),
        new("wiener_residual", static a => a.WienerResidual, static (a, v) => a with { WienerResidual = Flag(v) }),
        new("cac", static a => a.Cac, static (a, v) => a with { Cac = Flag(v) }),
        new("depth", static a => a.Depth, static (a, v) => a with { Depth = Whole(v, 1, 16) }),
        new("rewrite", static a => a.Rewrite, static (a, v) => a with { Rewrite = Flag(v) }),
        new(
            "multi_freqs",
            static a => a.MultiFreqs,
            static (a, v) => a with { MultiFreqs = v.ValueKind == JsonValueKind.Null ? [] : Numbers(v) }
        ),
        new("multi_freqs_depth", static a => a.MultiFreqsDepth, static (a, v) => a with { MultiFreqsDepth = Whole(v, 0, 16) }),
        new(
            "freq_emb",
            static a => a.FreqEmb,
            static (a, v) => a with { FreqEmb = v.ValueKind is JsonValueKind.Null or JsonValueKind.False ? 0 : Number(v, 0, 1e6) }
        ),
        new("emb_scale", static a => a.EmbScale, static (a, v) => a with { EmbScale = Number(v, 1e-6, 1e6) }),
        new("emb_smooth", static a => a.EmbSmooth, static (a, v) => a with { EmbSmooth = Flag(v) }),
        new("kernel_size", static a => a.KernelSize, static (a, v) => a with { KernelSize = Whole(v, 1, 1024) }),
        new("time_stride", static a => a.TimeStride, static (a, v) => a with { TimeStride = Whole(v, 1, 1024) }),
        new("stride", static a => a.Stride, static (a, v) => a with { Stride = Whole(v, 1, 1024) }),
        new("context", static a => a.Context, static (a, v) => a with { Context = Whole(v, 0, 64) }),
        new("context_enc", static a => a.ContextEnc, static (a, v) => a with { ContextEnc = Whole(v, 0, 64) }),
        new("norm_starts", static a => a.NormStarts, static (a, v) => a with { NormStarts = Whole(v, 0, 1000) }),
        new("norm_groups", static a => a.NormGroups, static (a, v) => a with { NormGroups = Whole(v, 1, 4096) }),
        new("dconv_mode", static a => a.DconvMode, static (a, v) => a with { DconvMode = Whole(v, 0, 3) }),
        new("dconv_depth", static a => a.DconvDepth, static (a, v) => a with { DconvDepth = Whole(v, 0, 64) }),
        new("dconv_comp", static a => a.DconvComp, static (a, v) => a with { DconvComp = Number(v, 1e-3, 1e6) }),
        new("dconv_init", static a => a.DconvInit, static (a, v) => a with { DconvInit = Number(v, -1e6, 1e6) }),
        new(
            "bottom_channels",
            static a => a.BottomChannels,
            static (a, v) => a with { BottomChannels = v.ValueKind == JsonValueKind.Null ? 0 : Whole(v, 0, 1 << 16) }
        ),
        new("t_layers", static a => a.TransformerLayers, static (a, v) => a with { TransformerLayers = Whole(v, 0, 256) }),
        new("t_emb", static a => a.TransformerEmb, static (a, v) => a with { TransformerEmb = Word(v) }),
        new(
            "t_hidden_scale",
            static a => a.TransformerHiddenScale,
            static (a, v) => a with { TransformerHiddenScale = Number(v, 1e-3, 1e3) }
        ),
        new("t_heads", static a => a.TransformerHeads, static (a, v) => a with { TransformerHeads = Whole(v, 1, 4096) }),
        new("t_dropout", static a => a.TransformerDropout, static (a, v) => a with { TransformerDropout = Number(v, 0, 1) }),
        new(
            "t_max_positions",
            static a => a.TransformerMaxPositions,
            static (a, v) => a with { TransformerMaxPositions = Whole(v, 0, int.MaxValue) }
        ),
        new("t_norm_in", static a => a.TransformerNormIn, static (a, v) => a with { TransformerNormIn = Flag(v) }),
        new("t_norm_in_group", static a => a.TransformerNormInGroup, static (a, v) => a with { TransformerNormInGroup = Flag(v) }),
        new(
            "t_group_norm",
            static a => a.TransformerGroupNorm,
            static (a, v) =>
                a with
                {
                    TransformerGroupNorm = v.ValueKind switch
                    {
                        JsonValueKind.False => 0,
                        JsonValueKind.True => 1,
                        _ => Whole(v, 0, 4096),
                    },
                }
        ),
        new("t_norm_first", static a => a.TransformerNormFirst, static (a, v) => a with { TransformerNormFirst = Flag(v) }),
        new("t_norm_out", static a => a.TransformerNormOut, static (a, v) => a with { TransformerNormOut = Flag(v) }),
        new("t_max_period", static a => a.TransformerMaxPeriod, static (a, v) => a with { TransformerMaxPeriod = Number(v, 1e-6, 1e12) }),
        new(
            "t_weight_decay",
            static a => a.TransformerWeightDecay,
            static (a, v) => a with { TransformerWeightDecay = Number(v, -1e6, 1e6) }
        ),
        new(
            "t_lr",
            static a => a.TransformerLr,
            static (a, v) => a with { TransformerLr = v.ValueKind == JsonValueKind.Null ? null : Number(v, -1e6, 1e6) }
        ),
        new("t_layer_scale", static a => a.TransformerLayerScale, static (a, v) => a with { TransformerLayerScale = Flag(v) }),
        new("t_gelu", static a => a.TransformerGelu, static (a, v) => a with { TransformerGelu = Flag(v) }),
        new(
            "t_weight_pos_embed",
            static a => a.TransformerWeightPosEmbed,
            static (a, v) => a with { TransformerWeightPosEmbed = Number(v, -1e6, 1e6) }
        ),
        new(
            "t_sin_random_shift",
            static a => a.TransformerSinRandomShift,
            static (a, v) => a with { TransformerSinRandomShift = Whole(v, 0, int.MaxValue) }
        ),
        new(
            "t_cape_mean_normalize",
            static a => a.TransformerCapeMeanNormalize,
            static (a, v) => a with { TransformerCapeMeanNormalize = Flag(v) }
        ),
        new("t_cape_augment", static a => a.TransformerCapeAugment, static (a, v) => a with { TransformerCapeAugment = Flag(v) }),
        new(
            "t_cape_glob_loc_scale",
            static a => a.TransformerCapeGlobLocScale,
            static (a, v) => a with { TransformerCapeGlobLocScale = Numbers(v) }
        ),
        new("t_sparse_self_attn", static a => a.TransformerSparseSelfAttn, static (a, v) => a with { TransformerSparseSelfAttn = Flag(v) }),
        new(
            "t_sparse_cross_attn",
            static a => a.TransformerSparseCrossAttn,
            static (a, v) => a with { TransformerSparseCrossAttn = Flag(v) }
        ),
        new("t_mask_type", static a => a.TransformerMaskType, static (a, v) => a with { TransformerMaskType = Word(v) }),
        new(
            "t_mask_random_seed",
            static a => a.TransformerMaskRandomSeed,
            static (a, v) =>
                a with
                {
                    TransformerMaskRandomSeed =
                        v.ValueKind == JsonValueKind.Number && v.TryGetInt64(out long seed)
                            ? seed
                            : throw new FormatException("a whole number"),
                }
        ),
        new(
            "t_sparse_attn_window",
            static a => a.TransformerSparseAttnWindow,
            static (a, v) => a with { TransformerSparseAttnWindow = Whole(v, 0, int.MaxValue) }
        ),
        new(
            "t_global_window",
            static a => a.TransformerGlobalWindow,
            static (a, v) => a with { TransformerGlobalWindow = Whole(v, 0, int.MaxValue) }
        ),
        new("t_sparsity", static a => a.TransformerSparsity, static (a, v) => a with { TransformerSparsity = Number(v, 0, 1) }),
        new("t_auto_sparsity", static a => a.TransformerAutoSparsity, static (a, v) => a with { TransformerAutoSparsity = Flag(v) }),
        new("t_cross_first", static a => a.TransformerCrossFirst, static (a, v) => a with { TransformerCrossFirst = Flag(v) }),
        new(
            "rescale",
            static a => a.Rescale,
            static (a, v) => a with { Rescale = v.ValueKind is JsonValueKind.Null or JsonValueKind.False ? 0 : Number(v, -1e6, 1e6) }
        ),
        // Before the segment, whose frames it gives.
        new("samplerate", static a => a.SampleRate, static (a, v) => a with { SampleRate = Whole(v, 1000, 1_000_000) }),
        new("segment", static a => a.SegmentFrames, static (a, v) => WithSegment(a, v)),
        new("use_train_segment", static a => a.UseTrainSegment, static (a, v) => a with { UseTrainSegment = Flag(v) }),
    ];

    private static readonly Dictionary<string, int> s_numbers = s_arguments
        .Select((argument, number) => (argument.Keyword, number))
        .ToDictionary(a => a.Keyword, a => a.number, StringComparer.Ordinal);

    /// <summary>Reads it.</summary>
    /// <param name="metadata">A safetensors file's metadata.</param>
    /// <param name="unknown">Keyword arguments that the class has not. Demucs leaves them out, with a warning; so they change
    /// nothing.</param>
    /// <exception cref="InvalidDataException">What is wrong, a sentence's end that begins with "it" or "its".</exception>
    public static HTDemucsArchitecture Read(IReadOnlyDictionary<string, string> metadata, out IReadOnlyList<string> unknown)
    {
        if (!metadata.TryGetValue("klass", out string? name))
            throw new InvalidDataException(
                $"its model class is unknown: its metadata has no entry 'klass', which Demucs writes as '{ClassName}'"
            );
        if (name != ClassName)
            throw new InvalidDataException($"it is a model of the class '{Shortened(name)}'; only '{ClassName}' is supported");
        if (metadata.ContainsKey("structure"))
            throw new InvalidDataException("its weights are quantized (its metadata has an entry 'structure'), which is not supported");
        using JsonDocument positional = Parse(metadata, "args"),
            keywords = Parse(metadata, "kwargs");
        if (positional.RootElement.ValueKind != JsonValueKind.Array || positional.RootElement.GetArrayLength() > 0)
            throw new InvalidDataException("its metadata entry 'args' is not the empty list; only keyword arguments are supported");
        if (keywords.RootElement.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException("its metadata entry 'kwargs' is not a JSON object");

        JsonElement?[] given = new JsonElement?[s_arguments.Length];
        List<string> foreign = [];
        foreach (JsonProperty property in keywords.RootElement.EnumerateObject())
        {
            if (!s_numbers.TryGetValue(property.Name, out int number))
                foreign.Add(Shortened(property.Name));
            else if (given[number] is not null)
                throw new InvalidDataException($"its metadata gives '{property.Name}' twice");
            else
                given[number] = property.Value;
        }
        if (given[0] is null)
            throw new InvalidDataException("its metadata lacks 'sources', the names of the stems");
        HTDemucsArchitecture architecture = new() { Sources = [] };
        for (int i = 0; i < given.Length; i++)
        {
            try
            {
                if (given[i] is { } value)
                    architecture = s_arguments[i].Set(architecture, value);
                else if (s_arguments[i].Keyword == "segment")
                    architecture = architecture with { SegmentFrames = (int)(architecture.Segment * architecture.SampleRate) };
            }
            catch (FormatException e)
            {
                throw new InvalidDataException(
                    $"its metadata gives '{s_arguments[i].Keyword}' as {Shortened(given[i]!.Value.GetRawText())}; expected is {e.Message}",
                    e
                );
            }
            catch (InvalidOperationException e)
            {
                // Escapes may stand for halves of characters.
                throw new InvalidDataException(
                    $"its metadata gives '{s_arguments[i].Keyword}' as {Shortened(given[i]!.Value.GetRawText())}, which is not valid Unicode",
                    e
                );
            }
        }
        unknown = foreign;
        return architecture;
    }

    /// <summary>All keyword arguments with their values; the segment in sample frames.</summary>
    public static IEnumerable<(string Keyword, object? Value)> Arguments(HTDemucsArchitecture architecture) =>
        s_arguments.Select(a => (a.Keyword, a.Get(architecture)));

    private static JsonDocument Parse(IReadOnlyDictionary<string, string> metadata, string entry)
    {
        if (!metadata.TryGetValue(entry, out string? text))
            throw new InvalidDataException($"its metadata has no entry '{entry}', which Demucs writes");
        if (text.Length > MostTextBytes)
            throw new InvalidDataException($"its metadata entry '{entry}' is longer than {MostTextBytes} characters");
        try
        {
            return JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 8 });
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"its metadata entry '{entry}' is not valid JSON: {e.Message}", e);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"its metadata entry '{entry}' is not valid Unicode", e);
        }
    }

    private static HTDemucsArchitecture WithSegment(HTDemucsArchitecture architecture, JsonElement value)
    {
        FormatException wrong = new(
            string.Create(CultureInfo.InvariantCulture, $"a number or fraction of seconds above 0, at most {LongestSegment}")
        );
        if (value.ValueKind == JsonValueKind.Number)
        {
            // As Python: the product is rounded to a double before it is rounded down.
            return value.TryGetDouble(out double seconds) && seconds is > 0 and <= LongestSegment
                ? architecture with
                {
                    Segment = seconds,
                    SegmentFrames = (int)(seconds * architecture.SampleRate),
                }
                : throw wrong;
        }
        if (
            value.ValueKind == JsonValueKind.Object
            && value.TryGetProperty("_type", out JsonElement type)
            && type.ValueKind == JsonValueKind.String
            && type.GetString() == "fraction"
            && value.TryGetProperty("numerator", out JsonElement above)
            && above.ValueKind == JsonValueKind.Number
            && above.TryGetInt32(out int numerator)
            && value.TryGetProperty("denominator", out JsonElement below)
            && below.ValueKind == JsonValueKind.Number
            && below.TryGetInt32(out int denominator)
            && numerator > 0
            && denominator > 0
            && (double)numerator / denominator <= LongestSegment
        )
        {
            return architecture with
            {
                Segment = (double)numerator / denominator,
                SegmentFrames = (int)((long)numerator * architecture.SampleRate / denominator),
            };
        }
        throw wrong;
    }

    private static string[] StemNames(JsonElement value)
    {
        if (
            value.ValueKind == JsonValueKind.Array
            && value.GetArrayLength() is > 0 and <= MostStems
            && value.EnumerateArray().All(s => s.ValueKind == JsonValueKind.String)
        )
        {
            string[] names = [.. value.EnumerateArray().Select(s => s.GetString()!)];
            // They become names of files, and are one entry of the graph's metadata, where commas part them.
            if (
                names.Distinct(StringComparer.OrdinalIgnoreCase).Count() == names.Length
                && names.All(n => n.Length is > 0 and <= LongestName && n.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            )
                return names;
        }
        throw new FormatException($"a list of 1 to {MostStems} different names of letters, digits, '-' and '_'");
    }

    private static int Whole(JsonElement value, int least, int most) =>
        value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out double number)
        && number >= least
        && number <= most
        && number == Math.Floor(number)
            ? (int)number
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"));

    private static double Number(JsonElement value, double least, double most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= least && number <= most
            ? number
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"));

    private static double[] Numbers(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= MostNumbers
            ? [.. value.EnumerateArray().Select(n => Number(n, -1e9, 1e9))]
            : throw new FormatException($"a list of at most {MostNumbers} numbers");

    private static bool Flag(JsonElement value) =>
        value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw new FormatException("true or false");

    private static string Word(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= LongestName } word
            ? word
            : throw new FormatException($"a text of 1 to {LongestName} characters");

    private static string Shortened(string text) => text.Length <= 60 ? text : text[..60] + "…";

    private sealed record Argument(
        string Keyword,
        Func<HTDemucsArchitecture, object?> Get,
        Func<HTDemucsArchitecture, JsonElement, HTDemucsArchitecture> Set
    );
}
