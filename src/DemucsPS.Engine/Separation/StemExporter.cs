using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Writes stems as <see cref="FileSeparator"/> does: the same folders, the same bytes, all of a set or none. A set is the stems that one run of a model gave for one track; they are
/// written together because rescaling needs the peak over all of them. Not thread-safe. Memory: sets that are not whole.
/// </summary>
public sealed class StemExporter
{
    private const int BlockFrames = 16384;

    private readonly StemOutput _output;
    private readonly List<List<Stem>> _waiting = [];
    private readonly HashSet<string> _written = new(StemFolders.PathComparer);

    /// <summary>Prepares writing.</summary>
    /// <param name="output">Where and how stems are written. Files that this object wrote are never replaced.</param>
    public StemExporter(StemOutput output) => _output = output;

    /// <summary>Adds a stem to its set.</summary>
    /// <returns>The set, if it is whole now; empty otherwise.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/>: its set has a stem of that name.</exception>
    public IReadOnlyList<Stem> Add(Stem stem)
    {
        List<Stem>? set = _waiting.Find(s => s[0].Track == stem.Track && s[0].ModelName == stem.ModelName);
        if (set is null)
            _waiting.Add(set = []);
        if (set.Any(s => s.StemName == stem.StemName))
            throw Doubled(PathsOf([stem])[0], stem);
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

    /// <summary>Where the stems of a set will lie.</summary>
    public IReadOnlyList<string> PathsOf(IReadOnlyList<Stem> set)
    {
        string folder = _output.Folders.For(set[0].ModelName, set[0].Track.Source);
        return [.. set.Select(s => StemFileSet.PathOf(folder, s.StemName))];
    }

    /// <summary>Bytes of a set's files, without headers.</summary>
    public long BytesOf(IReadOnlyList<Stem> set)
    {
        StemShape shape = set[0].Track.StemShape(_output.Format);
        return set.Count * shape.Frames * shape.Channels * _output.Format.BytesPerSample;
    }

    /// <summary>Writes a set.</summary>
    /// <param name="set">Stems of one track and model.</param>
    /// <param name="cancellationToken">Ends the work; nothing is left behind then.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>. Nothing is left behind.</exception>
    public ExportedStems Write(IReadOnlyList<Stem> set, CancellationToken cancellationToken)
    {
        if (PathsOf(set).FirstOrDefault(_written.Contains) is { } path)
            throw Doubled(path, set[0]);
        string[] names = [.. set.Select(s => s.StemName)];
        string folder = _output.Folders.Claim(set[0].ModelName, set[0].Track.Source);
        try
        {
            StemFileSet.CheckFree(folder, names, _output.Overwrite, set[0].SourcePath);
            using StemFileSet files = new(folder, names, _output.Format, set[0].Track.StemShape(_output.Format), _output.Overwrite);
            float[] block = new float[2 * BlockFrames];
            for (int output = 0; output < set.Count; output++)
                Write(set[output], block, interleaved => files.Write(output, interleaved), cancellationToken);
            IReadOnlyList<StemFile> stems = files.Complete(null, cancellationToken);
            _written.UnionWith(stems.Select(s => s.FilePath));
            return new ExportedStems(stems, files.Gain, [.. files.Warnings(stems)]);
        }
        catch
        {
            if (!_written.Any(p => Path.GetDirectoryName(p) == folder))
                _output.Folders.Release(folder);
            throw;
        }
    }

    private static void Write(Stem stem, float[] block, Action<ReadOnlySpan<float>> write, CancellationToken cancellationToken)
    {
        ReadOnlySpan<float> left = stem.Samples(0).Span, right = stem.Samples(1).Span;
        for (int first = 0; first < left.Length; first += BlockFrames)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Math.Min(BlockFrames, left.Length - first);
            for (int i = 0; i < count; i++)
            {
                block[2 * i] = left[first + i];
                block[2 * i + 1] = right[first + i];
            }
            write(block.AsSpan(0, 2 * count));
        }
    }

    private static DemucsException Doubled(string path, Stem stem) => new(DemucsError.StemExists,
        $"Two stems would go to '{path}': '{stem.StemName}' of '{stem.SourcePath}' (model {stem.ModelName}) came twice. Write one of them to another destination.", path);
}
