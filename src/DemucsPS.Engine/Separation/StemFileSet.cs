using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Naming;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// The files of one track's stems. They are written under temporary names beside their final ones, which they get only when all are
/// whole and on disk; disposed before that, nothing is left behind, not even a folder that was made for them.
/// </summary>
internal sealed class StemFileSet : IStemSink, IDisposable
{
    private const float ClampLimit = 0.99f;

    private readonly StemFormat _format;
    private readonly StemShape _shape;
    private readonly bool _overwrite;
    private readonly Part[] _parts;
    private readonly Target[] _targets;
    private readonly List<string> _createdFolders = [];
    private readonly float[] _limited = new float[32768];
    private bool _committed;

    /// <param name="names">Names of the outputs.</param>
    /// <param name="paths">Full paths of their files, or of the one file for all, as <see cref="StemOutput.PathsOf"/> gives them; folders are made if they do not exist.</param>
    /// <param name="output">How they are written, and whether existing files are replaced (at the end, one by one, never before their replacement is whole).</param>
    /// <param name="shape">Rate, length and channels of the files; of a file with all stems, of each stem in it.</param>
    /// <param name="labels">What the files say about the music.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public StemFileSet(IReadOnlyList<string> names, IReadOnlyList<string> paths, StemOutput output, StemShape shape, TrackLabels labels)
    {
        _format = output.Format;
        _shape = shape;
        _overwrite = output.Overwrite;
        _parts = [.. names.Select(name => new Part(name))];
        _targets = [.. output.FileNames(names).Select((name, i) => new Target(name, paths[i], _format.IsOneFile ? _parts : [_parts[i]], labels.Of(_format.IsOneFile ? null : name)))];
        CheckFree(paths, _overwrite, sourcePath: null);
        try
        {
            foreach (Target target in _targets)
            {
                CreateFolder(Path.GetDirectoryName(target.Final)!);
                foreach (Part part in target.Parts)
                {
                    part.Temporary = TemporaryPath(target.Final);
                    part.Writer = WavWriter.Create(part.Temporary, Separator.SampleRate, 2, Staged ? WavSampleFormat.Float32 : _format.Sample, Staged ? null : DitherSeed(target),
                        _format.File == StemFileFormat.Wav ? target.Labels.Tags : null);
                }
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

    /// <summary>Refuses paths that cannot take the stems as they are, before any work is done.</summary>
    /// <param name="paths">Full paths of the files.</param>
    /// <param name="overwrite">Whether existing files may be replaced; the source never.</param>
    /// <param name="sourcePath">The file that the stems come from.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static void CheckFree(IReadOnlyList<string> paths, bool overwrite, string? sourcePath)
    {
        foreach (string path in paths)
        {
            if (StemNames.PathComparer.Equals(path, sourcePath))
                throw new DemucsException(DemucsError.StemExists, $"'{sourcePath}' would be overwritten by one of its own stems. Choose another destination.", sourcePath);
            if (Directory.Exists(path))
                throw new DemucsException(DemucsError.StemWriteFailed, $"'{path}' is a folder, so the stem cannot be written there. Rename it or choose another destination.", path);
            if (!overwrite && File.Exists(path))
                throw Exists(path, null);
        }
    }

    // Rescaling needs the peak over all stems, known at the end only, so integers are rounded then, from floats; and so are they given to an encoder, and taken to another rate.
    private bool Staged => _format.ClipInEffect == ClipMode.Rescale || _format.File != StemFileFormat.Wav || Reshaped;

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
        foreach (Target target in _targets)
        {
            if (Staged && (Gain != 1 || Reshaped || _format.Sample != WavSampleFormat.Float32 || _format.File != StemFileFormat.Wav))
                Encode(target, cancellationToken);
            else
                (target.Temporary, target.Parts[0].Temporary) = (target.Parts[0].Temporary, null);
            partDone?.Invoke(++done);
        }
        cancellationToken.ThrowIfCancellationRequested();
        foreach (Target target in _targets)
        {
            try
            {
                File.Move(target.Temporary!, target.Final, _overwrite);
            }
            catch (IOException e) when (!_overwrite && File.Exists(target.Final))
            {
                throw Exists(target.Final, e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new DemucsException(DemucsError.StemWriteFailed, $"'{target.Final}' cannot be written: {e.Message} Close programs that have the file open, and check the permissions.", target.Final, e);
            }
            target.Temporary = null;
        }
        _committed = true;
        // An array, not whatever the compiler makes of a list: scripts can index it.
        return Array.ConvertAll(_targets, t => new StemFile(t.Name, t.Final, t.Parts.Max(p => p.Peak), t.Clipped + t.Parts.Sum(p => p.Clipped)));
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
        }
        foreach (Target target in _targets)
            Delete(target.Temporary);
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
    private int? DitherSeed(Target target) => _format.Dither ? Array.IndexOf(_targets, target) : null;

    private static string TemporaryPath(string final) => $"{final}.{Guid.NewGuid():N}.partial";

    /// <summary>Makes a file as it is wanted of one or several staged stems, whose channels come one after another.</summary>
    private void Encode(Target target, CancellationToken cancellationToken)
    {
        target.Temporary = TemporaryPath(target.Final);
        StagedStem[] staged = new StagedStem[target.Parts.Length];
        try
        {
            using IStemEncoder encoder = StemEncoder.Create(_format, target.Temporary, _shape.SampleRate, _shape.Channels, DitherSeed(target), target.Labels, [.. target.Parts.Select(p => p.Name)], cancellationToken);
            for (int i = 0; i < staged.Length; i++)
            {
                staged[i] = new StagedStem(target.Parts[i].Temporary!, _shape);
                target.Parts[i].Peak = 0;
            }
            float[] frames = new float[_limited.Length * staged.Length];
            for (int count; (count = ReadSideBySide(target.Parts, staged, frames)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                encoder.Write(frames.AsSpan(0, count * _shape.Channels * staged.Length), Gain);
            }
            encoder.Complete();
            target.Clipped += encoder.ClippedSamples;
        }
        finally
        {
            foreach (StagedStem? stem in staged)
                stem?.Dispose();
        }
        foreach (Part part in target.Parts)
        {
            Delete(part.Temporary);
            part.Temporary = null;
        }
    }

    /// <summary>The next frames of stems, which are all as long, side by side; peaks and limited samples go to their parts.</summary>
    private int ReadSideBySide(Part[] parts, StagedStem[] staged, float[] frames)
    {
        int channels = _shape.Channels, across = channels * staged.Length, count = 0;
        for (int n = 0; n < staged.Length; n++)
        {
            count = staged[n].Read(_limited);
            Span<float> block = _limited.AsSpan(0, channels * count);
            parts[n].Peak = Math.Max(parts[n].Peak, SamplePeak.Of(block));
            if (_format.ClipInEffect == ClipMode.Clamp)
                parts[n].Clipped += Clamp(block);
            for (int i = 0; i < count; i++)
                block.Slice(channels * i, channels).CopyTo(frames.AsSpan((across * i) + (channels * n)));
        }
        return count;
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

    /// <summary>What is written of one output until all are there.</summary>
    private sealed class Part(string name)
    {
        public string Name => name;

        public string? Temporary { get; set; }

        public WavWriter? Writer { get; set; }

        public float Peak { get; set; }

        public long Clipped { get; set; }
    }

    /// <summary>A file as it is wanted.</summary>
    private sealed class Target(string name, string final, Part[] parts, StemLabels labels)
    {
        public string Name => name;

        public string Final => final;

        public Part[] Parts => parts;

        public StemLabels Labels => labels;

        public string? Temporary { get; set; }

        public long Clipped { get; set; }
    }
}
