using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// The files of one track's stems. They are written under temporary names in the destination folder and get their final names only when all are
/// whole and on disk; disposed before that, nothing is left behind, not even a folder that was made for them.
/// </summary>
internal sealed class StemFileSet : IStemSink, IDisposable
{
    private const float ClampLimit = 0.99f;

    private readonly StemFormat _format;
    private readonly StemShape _shape;
    private readonly bool _overwrite;
    private readonly Part[] _parts;
    private readonly List<string> _createdFolders = [];
    private readonly float[] _limited = new float[32768];
    private bool _committed;

    /// <param name="folder">Full path of the folder; made if it does not exist.</param>
    /// <param name="names">Names of the outputs; files are called NAME.wav.</param>
    /// <param name="format">How they are written.</param>
    /// <param name="shape">Rate, length and channels of the files.</param>
    /// <param name="overwrite">Whether existing files are replaced (at the end, one by one, never before their replacement is whole).</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public StemFileSet(string folder, IReadOnlyList<string> names, StemFormat format, StemShape shape, bool overwrite)
    {
        _format = format;
        _shape = shape;
        _overwrite = overwrite;
        _parts = [.. names.Select(name => new Part(name, PathOf(folder, name)))];
        CheckFree(folder, names, overwrite, sourcePath: null);
        try
        {
            CreateFolder(folder);
            foreach (Part part in _parts)
            {
                part.Temporary = TemporaryPath(part.Final);
                part.Writer = WavWriter.Create(part.Temporary, Separator.SampleRate, 2, Staged ? WavSampleFormat.Float32 : _format.Sample, DitherSeed(part));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The factor that all stems were multiplied by; 1 until <see cref="Complete"/> finds that they need rescaling.</summary>
    public float Gain { get; private set; } = 1;

    /// <summary>Where a stem will lie.</summary>
    public static string PathOf(string folder, string name) => Path.Combine(folder, name + ".wav");

    /// <summary>Refuses a folder that cannot take the stems as it is, before any work is done.</summary>
    /// <param name="folder">Full path of the folder.</param>
    /// <param name="names">Names of the outputs.</param>
    /// <param name="overwrite">Whether existing files may be replaced; the source never.</param>
    /// <param name="sourcePath">The file that the stems come from.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static void CheckFree(string folder, IReadOnlyList<string> names, bool overwrite, string? sourcePath)
    {
        foreach (string path in names.Select(name => PathOf(folder, name)))
        {
            if (path == sourcePath)
                throw new DemucsException(DemucsError.StemExists, $"'{sourcePath}' would be overwritten by one of its own stems. Choose another destination.", sourcePath);
            if (Directory.Exists(path))
                throw new DemucsException(DemucsError.StemWriteFailed, $"'{path}' is a folder, so the stem cannot be written there. Rename it or choose another destination.", path);
            if (!overwrite && File.Exists(path))
                throw Exists(path, null);
        }
    }

    // Rescaling needs the peak over all stems, known at the end only, so integers are rounded then, from floats.
    private bool Staged => _format.ClipInEffect == ClipMode.Rescale || Reshaped;

    private bool Reshaped => _shape.SampleRate != Separator.SampleRate || _shape.Channels != 2;

    public void Write(int output, ReadOnlySpan<float> interleaved)
    {
        Part part = _parts[output];
        part.Peak = Math.Max(part.Peak, SamplePeak.Of(interleaved));
        if (Staged || _format.ClipInEffect != ClipMode.Clamp)
        {
            part.Writer!.Write(interleaved);
            return;
        }
        while (!interleaved.IsEmpty)
        {
            Span<float> limited = _limited.AsSpan(0, Math.Min(_limited.Length, interleaved.Length));
            interleaved[..limited.Length].CopyTo(limited);
            part.Clipped += Clamp(limited);
            part.Writer!.Write(limited);
            interleaved = interleaved[limited.Length..];
        }
    }

    /// <summary>Finishes the files and gives them their names.</summary>
    /// <param name="partDone">Told the number of finished files, after each.</param>
    /// <param name="cancellationToken">Ends the work; nothing is left behind then.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public IReadOnlyList<StemFile> Complete(Action<int>? partDone, CancellationToken cancellationToken)
    {
        foreach (Part part in _parts)
        {
            part.Writer!.Complete();
            part.Clipped += part.Writer.ClippedSamples;
            part.Writer.Dispose();
            // Another rate has other samples, which can lie higher between those there were.
            if (Reshaped && _format.ClipInEffect == ClipMode.Rescale)
                part.Peak = PeakOf(part, cancellationToken);
        }
        if (_format.ClipInEffect == ClipMode.Rescale)
            Gain = 1 / Math.Max(1.01f * _parts.Max(p => p.Peak), 1);
        int done = 0;
        foreach (Part part in _parts)
        {
            if (Staged && (Gain != 1 || Reshaped || _format.Sample != WavSampleFormat.Float32))
                Convert(part, cancellationToken);
            partDone?.Invoke(++done);
        }
        cancellationToken.ThrowIfCancellationRequested();
        foreach (Part part in _parts)
        {
            try
            {
                File.Move(part.Temporary!, part.Final, _overwrite);
            }
            catch (IOException e) when (!_overwrite && File.Exists(part.Final))
            {
                throw Exists(part.Final, e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new DemucsException(DemucsError.StemWriteFailed, $"'{part.Final}' cannot be written: {e.Message} Close programs that have the file open, and check the permissions.", part.Final, e);
            }
            part.Temporary = null;
        }
        _committed = true;
        // An array, not whatever the compiler makes of a list: scripts can index it.
        return Array.ConvertAll(_parts, p => new StemFile(p.Name, p.Final, p.Peak, p.Clipped));
    }

    /// <summary>What the user should know of the written files, in sentences; once <see cref="Complete"/> has given them.</summary>
    public IEnumerable<string> Warnings(IReadOnlyList<StemFile> written)
    {
        if (Gain != 1)
            yield return FormattableString.Invariant($"All stems were multiplied by {Gain:F4} ({20 * Math.Log10(Gain):F2} dB) so that none clips; they sum to the mix at that level.");
        foreach (StemFile stem in written.Where(s => s.ClippedSamples > 0))
            yield return $"{stem.ClippedSamples} samples of '{stem.FilePath}' were limited to the range of the file.";
    }

    public void Dispose()
    {
        foreach (Part part in _parts)
        {
            part.Writer?.Dispose();
            Delete(part.Temporary);
            Delete(part.Converted);
        }
        if (_committed)
            return;
        foreach (string folder in Enumerable.Reverse(_createdFolders))
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Somebody else has put something into it meanwhile: it is no longer ours to delete.
                return;
            }
        }
    }

    // One noise for each stem, or the noises would add up instead of averaging where stems are summed. Floats are not dithered.
    private int? DitherSeed(Part part) => _format.Dither ? Array.IndexOf(_parts, part) : null;

    private static string TemporaryPath(string final) => $"{final}.{Guid.NewGuid():N}.partial";

    private void Convert(Part part, CancellationToken cancellationToken)
    {
        part.Converted = TemporaryPath(part.Final);
        part.Peak = 0;
        using (WavWriter writer = WavWriter.Create(part.Converted, _shape.SampleRate, _shape.Channels, _format.Sample, DitherSeed(part)))
        using (StagedStem staged = new(part.Temporary!, _shape))
        {
            for (int frames; (frames = staged.Read(_limited)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Span<float> block = _limited.AsSpan(0, _shape.Channels * frames);
                part.Peak = Math.Max(part.Peak, SamplePeak.Of(block));
                if (_format.ClipInEffect == ClipMode.Clamp)
                    part.Clipped += Clamp(block);
                writer.Write(block, Gain);
            }
            writer.Complete();
            part.Clipped += writer.ClippedSamples;
        }
        Delete(part.Temporary);
        (part.Temporary, part.Converted) = (part.Converted, null);
    }

    private float PeakOf(Part part, CancellationToken cancellationToken)
    {
        using StagedStem staged = new(part.Temporary!, _shape);
        float peak = 0;
        for (int frames; (frames = staged.Read(_limited)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            peak = Math.Max(peak, SamplePeak.Of(_limited.AsSpan(0, _shape.Channels * frames)));
        }
        return peak;
    }

    /// <summary>Limits samples.</summary>
    /// <returns>The number of samples that were changed.</returns>
    private static int Clamp(Span<float> samples)
    {
        int clamped = 0;
        foreach (ref float sample in samples)
        {
            if (Math.Abs(sample) > ClampLimit)
                clamped++;
            sample = Math.Clamp(sample, -ClampLimit, ClampLimit);
        }
        return clamped;
    }

    private static DemucsException Exists(string path, Exception? cause) => new(DemucsError.StemExists,
        $"'{path}' exists already. Choose another destination, or overwrite it with the force option.", path, cause);

    private void CreateFolder(string folder)
    {
        List<string> missing = [];
        for (string? f = folder; f is not null && !Directory.Exists(f); f = Path.GetDirectoryName(f))
            missing.Add(f);
        try
        {
            foreach (string f in Enumerable.Reverse(missing))
            {
                Directory.CreateDirectory(f);
                _createdFolders.Add(f);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemucsException(DemucsError.StemWriteFailed, $"The folder '{folder}' cannot be made: {e.Message} Choose a destination that can be written.", folder, e);
        }
    }

    private static void Delete(string? path)
    {
        if (path is null)
            return;
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A temporary name says what it is; failing here would hide the error that led here.
        }
    }

    private sealed class Part(string name, string final)
    {
        public string Name => name;

        public string Final => final;

        public string? Temporary { get; set; }

        public string? Converted { get; set; }

        public WavWriter? Writer { get; set; }

        public float Peak { get; set; }

        public long Clipped { get; set; }
    }
}
