using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Stems;

/// <summary>
/// The files of one track's stems. Each output is staged as floats in a <see cref="PartialFolder"/>; files are made of one or of all of
/// them when all are whole, and get their final names
/// only when all are finished and on disk. Until then existing files of those names stay. With a journal, another run can continue at any
/// moment.
/// </summary>
internal sealed class StemFileSet : IStemSink, IDisposable
{
    // More would take more of the disk: a stem's floats go when its file is there.
    private const int FinishedAtOnce = 2;

    private readonly PartialFolder _partial;
    private readonly StemFinisher _finisher;
    private readonly string? _labelWarning;
    private readonly bool _overwrite;
    private readonly Part[] _parts;
    private readonly Target[] _targets;
    private readonly List<string> _createdFolders = [];
    private bool _committed;

    /// <param name="partial">Where unfinished files lie; owned by the caller, and on the same file system as the stems.</param>
    /// <param name="names">Names of the outputs.</param>
    /// <param name="paths">Full paths of their files, or of the one file for all, as <see cref="StemOutput.PathsOf"/> gives them; folders
    /// are created if they do not exist.</param>
    /// <param name="output">How they are written, and whether existing files are replaced (at the end, one by one, never before their
    /// replacement is whole).</param>
    /// <param name="shape">Rate, length and channels of the files; of a file with all stems, of each stem in it.</param>
    /// <param name="labels">What the files say about the music.</param>
    /// <param name="journal">What is kept of the work for another run, and what there is of an earlier one; null for nothing.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>; <see cref="DemucsError.ResumeMismatch"/>: files that
    /// the journal speaks of are missing.</exception>
    public StemFileSet(
        PartialFolder partial,
        IReadOnlyList<string> names,
        IReadOnlyList<string> paths,
        StemOutput output,
        StemShape shape,
        TrackLabels labels,
        SeparationJournal? journal = null
    )
    {
        bool oneFile = output.Format.IsOneFile;
        _partial = partial;
        _finisher = new StemFinisher(output.Format, shape);
        _overwrite = output.Overwrite;
        _labelWarning = labels.Warning;
        Journal = journal;
        _parts = [.. names.Select((name, n) => new Part(name, partial[$"{n}.staged.partial"]))];
        _targets =
        [
            .. output
                .FileNames(names)
                .Select(
                    (name, n) =>
                        new Target(
                            name,
                            paths[n],
                            oneFile ? _parts : [_parts[n]],
                            labels.Of(oneFile ? null : name),
                            partial[$"{n}.finished.partial"],
                            journal?.Finished[n]
                        )
                ),
        ];
        try
        {
            foreach (string folder in paths.Select(path => Path.GetDirectoryName(path)!).Distinct())
                CreateFolder(folder);
            for (int n = 0; n < _parts.Length; n++)
                _parts[n].Peak = journal?.Peaks[n] ?? 0;
            foreach (Target target in _targets)
                Open(target, journal?.DurableFrames ?? 0, journal?.Renaming ?? false);
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

    /// <summary>Refuses paths to which the stems cannot be written, before any work is done.</summary>
    /// <param name="paths">Full paths of the files.</param>
    /// <param name="overwrite">Whether existing files may be replaced; the source never.</param>
    /// <param name="sourcePath">The file that the stems come from.</param>
    /// <param name="skip">What would have the track skipped if its stems exist; null if that was requested, or cannot be.</param>
    /// <param name="differences">Why what exists was not skipped, as <see cref="SeparationIdentity.DifferencesTo"/> says it; empty if not
    /// checked.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static void CheckFree(
        IReadOnlyList<string> paths,
        bool overwrite,
        string? sourcePath,
        Remedy? skip,
        IReadOnlyList<string> differences
    )
    {
        foreach (string path in paths)
        {
            if (StemNames.PathComparer.Equals(path, sourcePath))
                throw new DemucsException(
                    DemucsError.StemExists,
                    $"'{sourcePath}' would be overwritten by one of its own stems. Choose another destination.",
                    sourcePath
                );
            if (Directory.Exists(path))
                throw new DemucsException(
                    DemucsError.StemWriteFailed,
                    $"'{path}' is a folder, so the stem cannot be written there. Rename it or choose another destination.",
                    path
                );
            if (!overwrite && File.Exists(path))
                throw Exists(path, skip, differences, null);
            for (
                string? folder = Path.GetDirectoryName(path);
                folder is not null && !Directory.Exists(folder);
                folder = Path.GetDirectoryName(folder)
            )
            {
                if (File.Exists(folder))
                    throw new DemucsException(
                        DemucsError.StemWriteFailed,
                        $"'{folder}' is a file, so a folder of that name cannot be created. Rename it or choose another destination.",
                        folder
                    );
            }
        }
    }

    /// <inheritdoc/>
    public void Write(int output, ReadOnlySpan<float> interleaved) => _parts[output].Staged!.Write(interleaved);

    /// <summary>
    /// Makes what was written so far durable and notes it in the journal. Does nothing where the stems are not equally long, as after a
    /// failed write.
    /// </summary>
    /// <param name="change">What else there is to note.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public void Checkpoint(Func<SeparationJournal, SeparationJournal> change)
    {
        // Each stem is noted when it is finished.
        if (Journal is null || _parts.Any(p => p.Staged is null || p.Staged.Frames != _parts[0].Staged!.Frames))
            return;
        foreach (Part part in _parts)
            part.Staged!.Flush();
        Note(change(Journal) with { DurableFrames = _parts[0].Staged!.Frames, Peaks = [.. _parts.Select(p => p.Staged!.Peak)] });
    }

    /// <summary>Makes the final files, under temporary names.</summary>
    /// <param name="partDone">Receives the number of finished files, after each.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public void Finish(Action<int>? partDone, CancellationToken cancellationToken)
    {
        CloseStaged(cancellationToken);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using SemaphoreSlim free = new(FinishedAtOnce);
        Dictionary<Task<StemFileRecord>, Target> running = _targets
            .Index()
            .Where(t => t.Item.Finished is null)
            .ToDictionary(t => Begin(t.Item, t.Index, free, stop.Token), t => t.Item);
        try
        {
            for (int done = _targets.Length - running.Count; ; done++)
            {
                if (done > 0)
                    partDone?.Invoke(done);
                cancellationToken.ThrowIfCancellationRequested();
                if (running.Count == 0)
                    return;
                // Whichever it is: the next begins at once, and is not kept waiting by what there is to note of this one.
                Task<StemFileRecord> first = Task.WhenAny(running.Keys).GetAwaiter().GetResult();
                Target target = running[first];
                target.Finished = first.GetAwaiter().GetResult();
                running.Remove(first);
                DurableFiles.FlushFolder(_partial.FolderPath);
                Note(Journal is null ? null : Journal with { Finished = [.. _targets.Select(t => t.Finished)] });
                // Floats of hours are large, and the final file is safe now.
                foreach (Part part in target.Parts)
                    Delete(part.StagedPath);
            }
        }
        finally
        {
            // Nobody may write into the folder after this has returned.
            stop.Cancel();
            ((Task)Task.WhenAll(running.Keys)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        }
    }

    /// <summary>The finished files, as they will be once they have their names.</summary>
    public IReadOnlyList<(StemFile File, StemFileRecord Finished)> Stems =>
        [.. _targets.Select(t => (new StemFile(t.Name, t.FinalPath, t.Finished!.Peak, t.Finished.ClippedSamples), t.Finished!))];

    /// <summary>Gives the finished files their names.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public IReadOnlyList<StemFile> Commit()
    {
        Note(Journal is null ? null : Journal with { Renaming = true });
        foreach (Target target in _targets.Where(t => !t.HasName))
        {
            _partial.CheckOwned();
            try
            {
                DurableFiles.Rename(target.FinishedPath, target.FinalPath, _overwrite);
                target.HasName = true;
            }
            catch (IOException e) when (!_overwrite && File.Exists(target.FinalPath))
            {
                throw Exists(target.FinalPath, skip: null, [], e);
            }
            catch (Exception e) when (e.IsFileError())
            {
                throw DurableFiles.Failed(target.FinalPath, e);
            }
        }
        foreach (string folder in _targets.Select(t => Path.GetDirectoryName(t.FinalPath)!).Distinct())
            DurableFiles.FlushFolder(folder);
        _committed = true;
        // An array, not whatever the compiler makes of a list: scripts can index it.
        return Stems.Select(s => s.File).ToArray();
    }

    /// <summary>What the user should know of the written files, in sentences; once they are finished.</summary>
    public IEnumerable<string> Warnings()
    {
        if (_labelWarning is not null)
            yield return _labelWarning;
        if (Gain != 1)
            yield return FormattableString.Invariant(
                $"All stems were multiplied by {Gain:F4} ({20 * Math.Log10(Gain):F2} dB) to avoid clipping. They sum to the mix at that level."
            );
        foreach (StemFile stem in Stems.Select(s => s.File).Where(s => s.ClippedSamples > 0))
            yield return $"{stem.ClippedSamples} samples of '{stem.FilePath}' were clipped.";
    }

    /// <summary>
    /// Closes the files, and deletes folders that were made for them and stayed empty. What happens to unfinished files is the partial
    /// folder's matter.
    /// </summary>
    public void Dispose()
    {
        foreach (Part part in _parts)
            part.Staged?.Dispose();
        if (_committed)
            return;
        foreach (string folder in Enumerable.Reverse(_createdFolders))
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (Exception e) when (e.IsFileError())
            {
                // There is something in it: it is no longer ours to delete.
            }
        }
    }

    private static void Open(Target target, long frames, bool renaming)
    {
        if (target.Finished is { } finished)
        {
            target.HasName = renaming && !File.Exists(target.FinishedPath);
            string path = target.HasName ? target.FinalPath : target.FinishedPath;
            FileInfo file = new(path);
            if (!file.Exists || file.Length != finished.Bytes)
                throw Lost(path);
            return;
        }
        foreach (Part part in target.Parts)
        {
            if (
                frames > 0
                && (!File.Exists(part.StagedPath) || new FileInfo(part.StagedPath).Length < frames * StemSampleFile.BytesPerFrame)
            )
                throw Lost(part.StagedPath);
            part.Staged = StemSampleFile.Open(part.StagedPath, frames, part.Peak);
        }

        static DemucsException Lost(string path) =>
            new(DemucsError.ResumeMismatch, $"The separation cannot be resumed: '{path}' is missing or too short.", path)
            {
                Remedies = [Remedy.StartAnew],
            };
    }

    private void Note(SeparationJournal? journal)
    {
        if (journal is null)
            return;
        _partial.CheckOwned();
        journal.Write(_partial[SeparationJournal.FileName]);
        Journal = journal;
    }

    /// <summary>Ends the writing of samples, and finds the factor for them.</summary>
    private void CloseStaged(CancellationToken cancellationToken)
    {
        foreach (Part part in _parts)
        {
            part.Staged?.Dispose();
            part.Staged = null;
        }
        // Before the first is finished, so that whoever goes on finds them although its samples are gone.
        if (_finisher.NeedsPeaks && _targets.All(t => t.Finished is null))
        {
            foreach (Part part in _parts)
                part.Peak = _finisher.PeakOf(part.StagedPath, cancellationToken);
            Note(Journal is null ? null : Journal with { Peaks = [.. _parts.Select(p => p.Peak)] });
        }
        Gain = _finisher.GainFor(_parts.Max(p => p.Peak));
    }

    private Task<StemFileRecord> Begin(Target target, int n, SemaphoreSlim free, CancellationToken stop) =>
        Task.Factory.StartNew(
            () =>
            {
                free.Wait(stop);
                try
                {
                    Delete(target.FinishedPath);
                    return _finisher.Finish(
                        [.. target.Parts.Select(p => p.StagedPath)],
                        [.. target.Parts.Select(p => p.Name)],
                        target.FinishedPath,
                        n,
                        target.Labels,
                        Gain,
                        stop
                    );
                }
                finally
                {
                    free.Release();
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );

    private static DemucsException Exists(string path, Remedy? skip, IReadOnlyList<string> differences, Exception? cause) =>
        new(
            DemucsError.StemExists,
            $"'{path}' already exists{(differences.Count > 0 ? $", and is out of date: {string.Join("; ", differences)}" : "")}. Choose another destination.",
            path,
            cause
        )
        {
            Remedies = skip is { } remedy ? [Remedy.Replace, remedy] : [Remedy.Replace],
        };

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
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"The folder '{folder}' cannot be created: {e.Message} Choose a writable destination.",
                folder,
                e
            );
        }
    }

    private static void Delete(string path)
    {
        try
        {
            DurableFiles.Delete(path);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(path, e);
        }
    }

    /// <summary>What is written of one output.</summary>
    private sealed class Part(string name, string stagedPath)
    {
        public string Name => name;

        public string StagedPath => stagedPath;

        /// <summary>Null once files are made.</summary>
        public StemSampleFile? Staged
        {
            get;
            set
            {
                Peak = value?.Peak ?? field?.Peak ?? Peak;
                field = value;
            }
        }

        /// <summary>
        /// Of what was staged up to the last time that it was opened or closed; of the shaped stem once that was measured.
        /// </summary>
        public float Peak { get; set; }
    }

    /// <summary>A file as it is wanted.</summary>
    private sealed class Target(
        string name,
        string finalPath,
        Part[] parts,
        StemLabels labels,
        string finishedPath,
        StemFileRecord? finished
    )
    {
        public string Name => name;

        public string FinalPath => finalPath;

        public Part[] Parts => parts;

        public StemLabels Labels => labels;

        public string FinishedPath => finishedPath;

        public StemFileRecord? Finished { get; set; } = finished;

        public bool HasName { get; set; }
    }
}
