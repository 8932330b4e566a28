namespace DemucsPS.Engine.Separation;

/// <summary>
/// The files of one track's stems. They are staged as floats in a <see cref="PartialFolder"/>, finished one by one when all are whole, and get their final names only when all are
/// finished and on disk; until then existing files of those names stay. With a journal, another run can continue at any moment.
/// </summary>
internal sealed class StemFileSet : IStemSink, IDisposable
{
    private readonly PartialFolder _partial;
    private readonly StemFinisher _finisher;
    private readonly bool _overwrite;
    private readonly Part[] _parts;

    /// <param name="partial">Where unfinished files lie; owned by the caller, and inside the folder of the stems.</param>
    /// <param name="folder">Full path of the folder of the stems.</param>
    /// <param name="names">Names of the outputs; files are called NAME.wav.</param>
    /// <param name="format">How they are written.</param>
    /// <param name="overwrite">Whether existing files are replaced (at the end, one by one, never before their replacement is whole).</param>
    /// <param name="journal">What is kept of the work for another run, and what there is of an earlier one; null for nothing.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>; <see cref="DemucsError.ResumeMismatch"/>: files that the journal speaks of are missing.</exception>
    public StemFileSet(PartialFolder partial, string folder, IReadOnlyList<string> names, StemFormat format, bool overwrite, SeparationJournal? journal = null)
    {
        _partial = partial;
        _finisher = new StemFinisher(format);
        _overwrite = overwrite;
        Journal = journal;
        _parts = [.. names.Select((name, n) => new Part(name, PathOf(folder, name), partial[$"{n}.staged.partial"], partial[$"{n}.finished.partial"], journal?.Finished[n]))];
        try
        {
            for (int n = 0; n < _parts.Length; n++)
                Open(_parts[n], journal?.DurableFrames ?? 0, journal?.Peaks[n] ?? 0, journal?.Renaming ?? false);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The factor that all stems were multiplied by; 1 until <see cref="Finish"/> finds that they need rescaling.</summary>
    public float Gain { get; private set; } = 1;

    /// <summary>What another run would find.</summary>
    public SeparationJournal? Journal { get; private set; }

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

    /// <inheritdoc/>
    public void Write(int output, ReadOnlySpan<float> interleaved) => _parts[output].Staged!.Write(interleaved);

    /// <summary>Makes what was written so far durable and notes it in the journal. Does nothing where the stems are not equally long, as after a failed write.</summary>
    /// <param name="change">What else there is to note.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public void Checkpoint(Func<SeparationJournal, SeparationJournal> change)
    {
        // Finished stems are noted as they are finished.
        if (Journal is null || _parts.Any(p => p.Staged is null || p.Staged.Frames != _parts[0].Staged!.Frames))
            return;
        foreach (Part part in _parts)
            part.Staged!.Flush();
        Note(change(Journal) with { DurableFrames = _parts[0].Staged!.Frames, Peaks = [.. _parts.Select(p => p.Staged!.Peak)] });
    }

    /// <summary>Makes the final files, under temporary names.</summary>
    /// <param name="partDone">Told the number of finished files, after each.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public void Finish(Action<int>? partDone, CancellationToken cancellationToken)
    {
        Gain = _finisher.GainFor(_parts.Max(p => p.Peak));
        for (int n = 0; n < _parts.Length; n++)
        {
            Part part = _parts[n];
            if (part.Finished is null)
            {
                part.Staged?.Dispose();
                part.Staged = null;
                Delete(part.FinishedPath);
                part.Finished = _finisher.Finish(part.StagedPath, part.FinishedPath, n, Gain, cancellationToken);
                DurableFiles.FlushFolder(_partial.FolderPath);
                Note(Journal is null ? null : Journal with { Finished = [.. _parts.Select(p => p.Finished)] });
                // Floats of hours are large, and the final file is safe now.
                Delete(part.StagedPath);
            }
            partDone?.Invoke(n + 1);
        }
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>The finished stems, as they will be once they have their names.</summary>
    public IReadOnlyList<(StemFile File, FinishedStem Finished)> Stems =>
        [.. _parts.Select(p => (new StemFile(p.Name, p.FinalPath, p.Peak, p.Finished!.ClippedSamples), p.Finished!))];

    /// <summary>Gives the finished files their names.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public IReadOnlyList<StemFile> Commit()
    {
        Note(Journal is null ? null : Journal with { Renaming = true });
        foreach (Part part in _parts.Where(p => !p.HasName))
        {
            try
            {
                File.Move(part.FinishedPath, part.FinalPath, _overwrite);
                part.HasName = true;
            }
            catch (IOException e) when (!_overwrite && File.Exists(part.FinalPath))
            {
                throw Exists(part.FinalPath, e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new DemucsException(DemucsError.StemWriteFailed, $"'{part.FinalPath}' cannot be written: {e.Message} Close programs that have the file open, and check the permissions.", part.FinalPath, e);
            }
        }
        foreach (string folder in _parts.Select(p => Path.GetDirectoryName(p.FinalPath)!).Distinct())
            DurableFiles.FlushFolder(folder);
        // An array, not whatever the compiler makes of a list: scripts can index it.
        return Stems.Select(s => s.File).ToArray();
    }

    /// <summary>What the user should know of the written files, in sentences; once they are finished.</summary>
    public IEnumerable<string> Warnings()
    {
        if (Gain != 1)
            yield return FormattableString.Invariant($"All stems were multiplied by {Gain:F4} ({20 * Math.Log10(Gain):F2} dB) so that none clips; they sum to the mix at that level.");
        foreach (StemFile stem in Stems.Select(s => s.File).Where(s => s.ClippedSamples > 0))
            yield return $"{stem.ClippedSamples} samples of '{stem.FilePath}' were limited to the range of the file.";
    }

    /// <summary>Closes the files. What becomes of them is the partial folder's matter.</summary>
    public void Dispose()
    {
        foreach (Part part in _parts)
            part.Staged?.Dispose();
    }

    private static void Open(Part part, long frames, float peak, bool renaming)
    {
        part.LastPeak = peak;
        if (part.Finished is { } finished)
        {
            part.HasName = renaming && !File.Exists(part.FinishedPath);
            string path = part.HasName ? part.FinalPath : part.FinishedPath;
            FileInfo file = new(path);
            if (!file.Exists || file.Length != finished.Bytes)
                throw Lost(path);
            return;
        }
        if (frames > 0 && (!File.Exists(part.StagedPath) || new FileInfo(part.StagedPath).Length < frames * StagedStem.BytesPerFrame))
            throw Lost(part.StagedPath);
        part.Staged = StagedStem.Open(part.StagedPath, frames, peak);

        static DemucsException Lost(string path) => new(DemucsError.ResumeMismatch, $"The separation cannot be continued: '{path}' is missing or too short. Start anew with the force option.", path);
    }

    private void Note(SeparationJournal? journal)
    {
        if (journal is null)
            return;
        journal.Write(_partial[SeparationJournal.FileName]);
        Journal = journal;
    }

    private static DemucsException Exists(string path, Exception? cause) => new(DemucsError.StemExists,
        $"'{path}' exists already. Choose another destination, or overwrite it with the force option.", path, cause);

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DurableFiles.Failed(path, e);
        }
    }

    private sealed class Part(string name, string finalPath, string stagedPath, string finishedPath, FinishedStem? finished)
    {
        public string Name => name;

        public string FinalPath => finalPath;

        public string StagedPath => stagedPath;

        public string FinishedPath => finishedPath;

        /// <summary>Null once the stem is finished.</summary>
        public StagedStem? Staged
        {
            get;
            set
            {
                LastPeak = value?.Peak ?? field?.Peak ?? LastPeak;
                field = value;
            }
        }

        public float LastPeak { get; set; }

        public float Peak => Staged?.Peak ?? LastPeak;

        public FinishedStem? Finished { get; set; } = finished;

        public bool HasName { get; set; }
    }
}
