using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// What a model takes and gives, recognised by the shapes of its inputs and outputs, never by names: the split contract, with the spectrogram computed outside.
/// Inputs: waveform [1,2,L] and spectrogram [1,4,2048,T]; outputs: spectrograms [1,S,4,2048,T] and waveforms [1,S,2,L]. T = ⌈L/1024⌉.
/// </summary>
public sealed class ModelContract
{
    /// <summary>Metadata key with the names of the stems, separated by commas.</summary>
    public const string SourcesKey = "sources";

    /// <summary>Metadata key that says how the mix is normalised outside the model: <c>track</c> (the default) or <c>none</c>.</summary>
    public const string NormalizationKey = "normalization";

    private static readonly string[] SixStems = ["drums", "bass", "other", "vocals", "guitar", "piano"];

    private ModelContract(OnnxTensorInfo waveform, OnnxTensorInfo spectrogram, OnnxTensorInfo stemSpectrogram, OnnxTensorInfo stemWaveform,
        int segmentFrames, IReadOnlyList<string> stems, bool normalisesMix)
    {
        WaveformInput = waveform.Name;
        SpectrogramInput = spectrogram.Name;
        SpectrogramOutput = stemSpectrogram.Name;
        WaveformOutput = stemWaveform.Name;
        SegmentFrames = segmentFrames;
        Stems = stems;
        NormalisesMix = normalisesMix;
    }

    /// <summary>Frames of the model's input (L); 343,980 for htdemucs.</summary>
    public int SegmentFrames { get; }

    /// <summary>Spectrogram frames of the model's input (T).</summary>
    public int SpectrogramFrames => SegmentSpectrogram.FrameCount(SegmentFrames);

    /// <summary>The stems' names, in the model's order.</summary>
    public IReadOnlyList<string> Stems { get; }

    /// <summary>Whether the mix is to be brought to mean 0 and deviation 1 over the whole track, and the stems back; true for htdemucs.</summary>
    public bool NormalisesMix { get; }

    internal string WaveformInput { get; }

    internal string SpectrogramInput { get; }

    internal string SpectrogramOutput { get; }

    internal string WaveformOutput { get; }

    /// <summary>Recognises the contract of a loaded model.</summary>
    /// <param name="session">The model.</param>
    /// <param name="path">Its file or name, for messages.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: it fits no contract; the message says what was found.</exception>
    internal static ModelContract Recognise(OnnxSession session, string path)
    {
        OnnxTensorInfo[] waveforms = [.. session.Inputs.Where(i => Fits(i, 1, 2, -1))];
        OnnxTensorInfo[] spectrograms = [.. session.Inputs.Where(i => Fits(i, 1, SegmentSpectrogram.Planes, SegmentSpectrogram.Bins, -1))];
        OnnxTensorInfo[] stemSpectrograms = [.. session.Outputs.Where(o => Fits(o, 1, -1, SegmentSpectrogram.Planes, SegmentSpectrogram.Bins, -1))];
        OnnxTensorInfo[] stemWaveforms = [.. session.Outputs.Where(o => Fits(o, 1, -1, 2, -1))];
        if (session.Inputs.Count != 2 || waveforms.Length != 1 || spectrograms.Length != 1 || stemSpectrograms.Length != 1 || stemWaveforms.Length != 1)
            throw Unfit(session, path, "");

        long segment = waveforms[0].Shape[2];
        if (segment < SegmentSpectrogram.FrameSize || segment > 100_000_000)
            throw Unfit(session, path, $" The segment length {segment} is not usable.");
        long frames = SegmentSpectrogram.FrameCount((int)segment);
        long stems = stemWaveforms[0].Shape[1];
        if (spectrograms[0].Shape[3] != frames || stemSpectrograms[0].Shape[4] != frames)
            throw Unfit(session, path, $" A segment of {segment} frames has {frames} spectrogram frames.");
        if (stemWaveforms[0].Shape[3] != segment)
            throw Unfit(session, path, " Waveforms in and out differ in length.");
        if (stemSpectrograms[0].Shape[1] != stems || stems < 1 || stems > 64)
            throw Unfit(session, path, " The two outputs differ in their number of stems.");
        return new ModelContract(waveforms[0], spectrograms[0], stemSpectrograms[0], stemWaveforms[0], (int)segment,
            StemNames(session, (int)stems, path), Normalises(session, path));
    }

    private static bool Fits(OnnxTensorInfo tensor, params ReadOnlySpan<long> shape)
    {
        if (tensor.ElementType != OnnxElementType.Float32 || tensor.Shape.Count != shape.Length)
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

    private static string[] StemNames(OnnxSession session, int count, string path)
    {
        if (session.Metadata.TryGetValue(SourcesKey, out string? listed))
        {
            string[] names = listed.Split([',', ' ', '[', ']', '"', '\''], StringSplitOptions.RemoveEmptyEntries);
            if (names.Length != count || names.Distinct(StringComparer.OrdinalIgnoreCase).Count() != count || names.Any(n => n.AsSpan().ContainsAnyExcept(NameCharacters)))
                throw new DemucsException(DemucsError.DemucsModelInvalid,
                    $"Model '{path}' has {count} stems, but its metadata entry '{SourcesKey}' is '{listed}'. Expected {count} different names of letters, digits, '-' and '_'.", path);
            return names;
        }
        if (count is 4 or 6)
            return SixStems[..count];
        throw new DemucsException(DemucsError.DemucsModelInvalid,
            $"Model '{path}' has {count} stems and does not say their names. Add a metadata entry '{SourcesKey}' with {count} names separated by commas.", path);
    }

    // Stem names become file names.
    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private static bool Normalises(OnnxSession session, string path) =>
        session.Metadata.GetValueOrDefault(NormalizationKey, "track") switch
        {
            "track" => true,
            "none" => false,
            string other => throw new DemucsException(DemucsError.DemucsModelInvalid,
                $"Model '{path}' has the metadata entry '{NormalizationKey}' = '{other}'; known are 'track' and 'none'.", path),
        };

    private static DemucsException Unfit(OnnxSession session, string path, string detail) => new(DemucsError.DemucsModelInvalid,
        $"Model '{path}' cannot be used: it is ONNX, but not a Demucs model of the expected contract.{detail}\n"
        + $"  found inputs:    {string.Join(", ", session.Inputs)}\n"
        + $"  found outputs:   {string.Join(", ", session.Outputs)}\n"
        + "  expected inputs:  waveform float32[1,2,L], spectrogram float32[1,4,2048,T]\n"
        + "  expected outputs: spectrogram float32[1,S,4,2048,T], waveform float32[1,S,2,L], with T = ceil(L/1024)\n"
        + "Export htdemucs with the spectrogram outside the model, or choose another model.", path);
}
