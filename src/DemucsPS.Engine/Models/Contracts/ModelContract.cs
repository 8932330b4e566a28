using System.Text.RegularExpressions;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Models.Contracts;

/// <summary>
/// What a model takes and gives, one of <see cref="ModelContractKind"/>, recognized by the shapes and element types of its inputs and
/// outputs. Float32 and float16 may
/// be mixed. Names decide only which of two tensors of the same shape holds the real parts: the one with the word <c>real</c> or <c>re</c>
/// in its name
/// (or the other one has <c>imag</c>, <c>imaginary</c> or <c>im</c>), else the one that the model declares first.
/// </summary>
public sealed class ModelContract
{
    /// <summary>Metadata key with the names of the stems, separated by commas.</summary>
    public const string SourcesKey = "sources";

    /// <summary>Metadata key that says how the mix is normalized outside the model: <c>track</c> (the default) or <c>none</c>.</summary>
    public const string NormalizationKey = "normalization";

    private const int MostStems = 64,
        LongestSegment = 100_000_000;

    private static readonly string[] s_sixStems = ["drums", "bass", "other", "vocals", "guitar", "piano"];

    private ModelContract(
        IReadOnlyList<ContractTensor> inputs,
        IReadOnlyList<ContractTensor> outputs,
        int segmentFrames,
        IReadOnlyList<string> stems,
        bool normalizesMix
    )
    {
        Inputs = inputs;
        Outputs = outputs;
        SegmentFrames = segmentFrames;
        Stems = stems;
        NormalizesMix = normalizesMix;
        Kind = inputs.Count switch
        {
            1 => ModelContractKind.WaveformOnly,
            2 => ModelContractKind.Split,
            3 => ModelContractKind.RealImaginaryApart,
            int count => throw new ArgumentException($"No contract has {count} inputs.", nameof(inputs)),
        };
    }

    /// <summary>Which contract it is.</summary>
    public ModelContractKind Kind { get; }

    /// <summary>Frames of the model's input (L); 343,980 for htdemucs.</summary>
    public int SegmentFrames { get; }

    /// <summary>Spectrogram frames of a segment (T); of the model's input where it takes a spectrogram.</summary>
    public int SpectrogramFrames => SegmentSpectrogram.FrameCount(SegmentFrames);

    /// <summary>The stems' names, in the model's order.</summary>
    public IReadOnlyList<string> Stems { get; }

    /// <summary>
    /// Whether the mix is to be brought to mean 0 and deviation 1 over the whole track, and the stems back; true for htdemucs.
    /// </summary>
    public bool NormalizesMix { get; }

    /// <summary>
    /// Whether spectrograms go in and come out; without, a stem is the waveform that comes out, and what each branch does cannot be seen.
    /// </summary>
    public bool HasSpectrograms => TakesSpectrograms(Kind);

    /// <summary>The same of any model of a contract.</summary>
    internal static bool TakesSpectrograms(ModelContractKind kind) =>
        kind switch
        {
            ModelContractKind.Split or ModelContractKind.RealImaginaryApart => true,
            ModelContractKind.WaveformOnly => false,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };

    internal IReadOnlyList<ContractTensor> Inputs { get; }

    internal IReadOnlyList<ContractTensor> Outputs { get; }

    /// <summary>Recognizes the contract of a model.</summary>
    /// <param name="signature">What the model says of itself.</param>
    /// <param name="path">Its file or name, for messages.</param>
    /// <param name="stemNames">Names for its stems, in its order; null for those in its metadata or, without, the usual ones of four or six
    /// stems.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelInvalid"/>: it fits no contract; the message says what was found.
    /// <see cref="DemucsError.ParameterInvalid"/>: the names do not fit.
    /// </exception>
    internal static ModelContract Recognize(ModelSignature signature, string path, IReadOnlyList<string>? stemNames = null)
    {
        List<ContractTensor>? inputs = Roles(signature.Inputs, output: false),
            outputs = Roles(signature.Outputs, output: true);
        if (inputs is null || outputs is null || inputs.Count != outputs.Count)
            throw Unfit(signature, path, "");

        ContractTensor mix = inputs[0],
            waves = outputs[0];
        long segment = mix.Shape[2],
            stems = waves.Shape[1];
        if (segment is < SegmentSpectrogram.FrameSize or > LongestSegment)
            throw Unfit(signature, path, $" The segment length {segment} is not supported.");
        if (waves.Shape[3] != segment)
            throw Unfit(signature, path, " Waveforms in and out differ in length.");
        if (stems > MostStems || outputs.Any(o => o.Shape[1] != stems))
            throw Unfit(
                signature,
                path,
                stems > MostStems ? $" {stems} stems are too many." : " The outputs differ in their number of stems."
            );
        long frames = SegmentSpectrogram.FrameCount((int)segment);
        if (
            inputs
                .Concat(outputs)
                .Any(t =>
                    t.Role is TensorRole.Spectrogram or TensorRole.StemSpectrogram
                    && t.Shape[t.Layout == TensorLayout.PartsLast ? ^2 : ^1] != frames
                )
        )
            throw Unfit(signature, path, $" A segment of {segment} frames has {frames} spectrogram frames.");
        return new ModelContract(
            inputs,
            outputs,
            (int)segment,
            StemNames(signature, (int)stems, path, stemNames),
            Normalizes(signature, path)
        );
    }

    /// <summary>The waveform and what there is of a spectrogram; null if that is not all there is.</summary>
    private static List<ContractTensor>? Roles(IReadOnlyList<OnnxTensorInfo> tensors, bool output)
    {
        TensorRole spectrogram = output ? TensorRole.StemSpectrogram : TensorRole.Spectrogram;
        const int Planes = SegmentSpectrogram.Planes,
            Bins = SegmentSpectrogram.Bins;
        List<OnnxTensorInfo> waveforms = Find(2, -1),
            planes = Find(Planes, Bins, -1),
            partsLast = Find(2, Bins, -1, 2),
            parts = Find(2, Bins, -1);
        if (waveforms.Count != 1)
            return null;
        List<ContractTensor> result = [As(waveforms[0], output ? TensorRole.StemWaveform : TensorRole.Waveform, TensorLayout.Whole)];
        if (parts.Count == 2)
        {
            int real = RealPart(parts[0].Name, parts[1].Name);
            result.Add(As(parts[real], spectrogram, TensorLayout.Real));
            result.Add(As(parts[1 - real], spectrogram, TensorLayout.Imaginary));
        }
        else
        {
            result.AddRange(planes.Select(t => As(t, spectrogram, TensorLayout.Whole)));
            result.AddRange(partsLast.Select(t => As(t, spectrogram, TensorLayout.PartsLast)));
            if (result.Count > 2)
                return null;
        }
        return result.Count == tensors.Count ? result : null;

        List<OnnxTensorInfo> Find(params ReadOnlySpan<long> rest)
        {
            List<OnnxTensorInfo> found = [];
            foreach (OnnxTensorInfo tensor in tensors)
            {
                if (Fits(tensor, output ? [1, -1, .. rest] : [1, .. rest]))
                    found.Add(tensor);
            }
            return found;
        }

        static ContractTensor As(OnnxTensorInfo tensor, TensorRole role, TensorLayout layout) =>
            new(tensor.Name, tensor.ElementType, role, layout, [1, .. tensor.Shape.Skip(1)]);
    }

    private static bool Fits(OnnxTensorInfo tensor, params ReadOnlySpan<long> shape)
    {
        if (tensor.ElementType is not (OnnxElementType.Float32 or OnnxElementType.Float16) || tensor.Shape.Count != shape.Length)
            return false;
        for (int i = 0; i < shape.Length; i++)
        {
            // A batch dimension may be left open by the model; all others must be stated.
            bool open = tensor.Shape[i] < 0 && i == 0;
            if (!open && (shape[i] >= 0 ? tensor.Shape[i] != shape[i] : tensor.Shape[i] < 1))
                return false;
        }
        return true;
    }

    private static int RealPart(string first, string second)
    {
        bool firstIsReal = Says(first, "real", "re"),
            secondIsReal = Says(second, "real", "re");
        if (firstIsReal != secondIsReal)
            return secondIsReal ? 1 : 0;
        return Says(first, "imaginary", "imag", "im") && !Says(second, "imaginary", "imag", "im") ? 1 : 0;

        // Words end at anything but a letter, and before a capital: out_spec_real, specReal, real.1.
        static bool Says(string name, params string[] words) =>
            Regex.Split(name, "[^A-Za-z]+|(?<=[a-z])(?=[A-Z])").Intersect(words, StringComparer.OrdinalIgnoreCase).Any();
    }

    private static string[] StemNames(ModelSignature signature, int count, string path, IReadOnlyList<string>? given)
    {
        if (given is not null)
        {
            if (!AreNames(given, count))
            {
                throw new DemucsException(
                    DemucsError.ParameterInvalid,
                    $"Model '{path}' has {count} stems, but the stem names given are '{string.Join("', '", given)}'. Give {count} different names of letters, digits, '-' and '_', in the model's order.",
                    path
                )
                {
                    Parameter = EngineParameter.StemName,
                };
            }
            return [.. given];
        }
        if (signature.Metadata.TryGetValue(SourcesKey, out string? listed))
        {
            string[] names = listed.Split([',', ' ', '[', ']', '"', '\''], StringSplitOptions.RemoveEmptyEntries);
            if (!AreNames(names, count))
                throw new DemucsException(
                    DemucsError.DemucsModelInvalid,
                    $"Model '{path}' has {count} stems, but its metadata entry '{SourcesKey}' is '{listed}'. Expected {count} different names of letters, digits, '-' and '_'. Correct the entry, or give the stem names.",
                    path
                );
            return names;
        }
        if (count is 4 or 6)
            return s_sixStems[..count];
        throw new DemucsException(
            DemucsError.DemucsModelInvalid,
            $"Model '{path}' has {count} stems, but does not name them. Give {count} stem names, or add a metadata entry '{SourcesKey}' with {count} names separated by commas.",
            path
        );
    }

    private static bool AreNames(IReadOnlyList<string> names, int count) =>
        names.Count == count
        && names.Distinct(StringComparer.OrdinalIgnoreCase).Count() == count
        && names.All(n => n.Length > 0 && !n.AsSpan().ContainsAnyExcept(s_nameCharacters));

    // Stem names become file names.
    private static readonly System.Buffers.SearchValues<char> s_nameCharacters = System.Buffers.SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    );

    private static bool Normalizes(ModelSignature signature, string path) =>
        signature.Metadata.GetValueOrDefault(NormalizationKey, "track") switch
        {
            "track" => true,
            "none" => false,
            string other => throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"Model '{path}' has the metadata entry '{NormalizationKey}' = '{other}'. Supported are 'track' and 'none'.",
                path
            ),
        };

    private static DemucsException Unfit(ModelSignature signature, string path, string detail) =>
        new(
            DemucsError.DemucsModelInvalid,
            $"Model '{path}' cannot be used: it is an ONNX file, but its inputs and outputs are not those of a Demucs model.{detail}\n"
                + $"  found inputs:  {string.Join(", ", signature.Inputs)}\n"
                + $"  found outputs: {string.Join(", ", signature.Outputs)}\n"
                + "Expected is one of these, with tensors in float32 or float16, S stems, L frames, T = ceil(L/1024), and B = 1 or open:\n"
                + "  waveform [B,2,L], spectrogram [B,4,2048,T] or [B,2,2048,T,2] -> waveforms [B,S,2,L], spectrograms [B,S,4,2048,T] or [B,S,2,2048,T,2]\n"
                + "  waveform [B,2,L], real and imaginary parts [B,2,2048,T] each -> waveforms [B,S,2,L], real and imaginary parts [B,S,2,2048,T] each\n"
                + "  waveform [B,2,L] -> waveforms [B,S,2,L]\n"
                + "Export htdemucs in one of these forms, or choose another model.",
            path
        );
}
