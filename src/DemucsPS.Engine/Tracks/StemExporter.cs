using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Tracks;

/// <summary>
/// Writes stems as <see cref="FileSeparator"/> does: the same files, the same bytes, all of a set or none. A set is the stems that one run
/// of a model gave for one track; they are
/// written together because rescaling needs the peak over all of them. Not thread-safe. Memory: sets that are not whole.
/// </summary>
public sealed class StemExporter
{
    private const int BlockFrames = 16384;

    private readonly StemOutput _output;
    private readonly StemRequest _choice;
    private readonly List<List<Stem>> _waiting = [];
    private readonly HashSet<string> _written = new(StemNames.PathComparer);

    /// <summary>Prepares writing.</summary>
    /// <param name="output">Where and how stems are written. Files that this object wrote are never replaced.</param>
    /// <param name="choice">The choice from the stems of a set; null for all stems unchanged.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ParameterInvalid"/>: the choice or the format contradicts itself. <see cref="DemucsError.FFmpegNotFound"/>:
    /// the format needs an ffmpeg that is not there.
    /// </exception>
    public StemExporter(StemOutput output, StemRequest? choice = null)
    {
        output.Check();
        _output = output;
        _choice = choice ?? new StemRequest();
        _choice.Check();
    }

    /// <summary>Adds a stem to its set.</summary>
    /// <returns>The set, if it is whole now; empty otherwise.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/>: its set has a stem of that name.</exception>
    public IReadOnlyList<Stem> Add(Stem stem)
    {
        List<Stem>? set = _waiting.Find(s => s[0].Track == stem.Track && s[0].ModelName == stem.ModelName);
        if (set is null)
            _waiting.Add(set = []);
        if (set.Any(s => s.StemName == stem.StemName))
            throw Doubled(stem);
        set.Add(stem);
        if (stem.RunStems.Except(set.Select(s => s.StemName)).Any())
            return [];
        _waiting.Remove(set);
        return set;
    }

    /// <summary>The sets that stayed incomplete, such as after a filter; once, at the end. Each is let go as it is given.</summary>
    public IEnumerable<IReadOnlyList<Stem>> TakeRest()
    {
        while (_waiting.Count > 0)
        {
            List<Stem> set = _waiting[0];
            _waiting.RemoveAt(0);
            yield return set;
        }
    }

    /// <summary>What would be written of a set.</summary>
    /// <param name="set">Stems of one track and model.</param>
    /// <exception cref="DemucsException">As <see cref="Write"/>, as far as known before anything is written.</exception>
    public SeparationPlan Plan(IReadOnlyList<Stem> set)
    {
        StemMatrix selection = Select(set);
        IReadOnlyList<string> paths = PathsOf(set, selection);
        Check(set, paths);
        return new SeparationPlan(
            set[0].SourcePath,
            paths,
            set[0].Frames,
            null,
            _output.Format.BytesOf(set[0].Track.StemShape(_output.Format)) * selection.Names.Count
        )
        {
            BytesAreMost = _output.Format.BytesAreMost,
        };
    }

    /// <summary>As <see cref="Plan"/>, for those who want to know and not to write: the set's files count as written.</summary>
    /// <param name="set">Stems of one track and model.</param>
    /// <exception cref="DemucsException">As <see cref="Plan"/>; and an earlier set has the same files.</exception>
    public SeparationPlan Rehearse(IReadOnlyList<Stem> set)
    {
        SeparationPlan plan = Plan(set);
        _output.Names.Claim(set[0].Track.Source, plan.StemPaths);
        _written.UnionWith(plan.StemPaths);
        return plan;
    }

    /// <summary>Writes a set.</summary>
    /// <param name="set">Stems of one track and model.</param>
    /// <param name="cancellationToken">Ends the work; nothing is left behind then.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>; <see cref="DemucsError.ParameterInvalid"/>: it
    /// has not the stems that the choice names. Nothing is left behind.
    /// </exception>
    public StemExportResult Write(IReadOnlyList<Stem> set, CancellationToken cancellationToken)
    {
        StemMatrix selection = Select(set);
        IReadOnlyList<string> paths = PathsOf(set, selection);
        Check(set, paths);
        AudioTrack track = set[0].Track;
        IReadOnlyList<string> claimed = _output.Names.Claim(track.Source, paths);
        try
        {
            using PartialFolder partial = PartialFolder.Take(Path.Combine(_output.PlaceOf(paths).Folder, $"{Guid.NewGuid():N}.partial"));
            using StemFileSet files = new(
                partial,
                selection.Names,
                paths,
                _output,
                track.StemShape(_output.Format),
                _output.LabelsOf(track.Source, track.Tags, track.Picture)
            );
            float[] block = new float[2 * BlockFrames];
            for (int first = 0; first < set[0].Frames; first += BlockFrames)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = Math.Min(BlockFrames, set[0].Frames - first);
                for (int output = 0; output < selection.Rows.Count; output++)
                {
                    Sum(selection.Rows[output], set, first, count, block);
                    files.Write(output, block.AsSpan(0, 2 * count));
                }
            }
            files.Finish(null, cancellationToken);
            IReadOnlyList<StemFile> stems = files.Commit();
            _written.UnionWith(stems.Select(s => s.FilePath));
            return new StemExportResult(stems, files.Gain, [.. files.Warnings()]);
        }
        catch
        {
            _output.Names.Release(claimed);
            throw;
        }
    }

    private void Check(IReadOnlyList<Stem> set, IReadOnlyList<string> paths)
    {
        if (paths.Any(_written.Contains))
            throw Doubled(set[0]);
        StemFileSet.CheckFree(paths, _output.Overwrite, set[0].SourcePath, skip: null, []);
    }

    private StemMatrix Select(IReadOnlyList<Stem> set) => _choice.Select([.. set.Select(s => s.StemName)]);

    private IReadOnlyList<string> PathsOf(IReadOnlyList<Stem> set, StemMatrix selection) =>
        _output.PathsOf(set[0].ModelName, set[0].Track.Source, set[0].Track.Tags, selection.Names);

    private static void Sum(StemRow row, IReadOnlyList<Stem> set, int first, int count, float[] interleaved)
    {
        interleaved.AsSpan(0, 2 * count).Clear();
        for (int channel = 0; channel < 2; channel++)
        {
            if (row.Mix != 0)
                StemRow.Add(set[0].Track.Samples(channel).Span.Slice(first, count), row.Mix, interleaved.AsSpan(channel), step: 2);
            foreach ((int stem, float weight) in row.Stems)
                StemRow.Add(set[stem].Samples(channel).Span.Slice(first, count), weight, interleaved.AsSpan(channel), step: 2);
        }
    }

    private static DemucsException Doubled(Stem stem) =>
        new(
            DemucsError.StemExists,
            $"Two stems would go to the same file: '{stem.StemName}' of '{stem.SourcePath}' (model {stem.ModelName}) occurs twice. Write one of them to another destination.",
            stem.SourcePath
        );
}
