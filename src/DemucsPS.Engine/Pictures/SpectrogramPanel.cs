using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Pictures;

/// <summary>One spectrogram of a picture: what it is drawn of, and what it is called.</summary>
public sealed class SpectrogramPanel
{
    private readonly Func<SpectrogramOptions, double, ChunkGrid?> _grid;

    private SpectrogramPanel(string name, string label, ISpectra spectra, Func<SpectrogramOptions, double, ChunkGrid?>? grid = null)
    {
        Name = name;
        Label = label;
        Spectra = spectra;
        _grid = grid ?? ((_, _) => null);
    }

    /// <summary>What it says above the spectrogram.</summary>
    public string Name { get; }

    /// <summary>What messages call it.</summary>
    internal string Label { get; }

    internal ISpectra Spectra { get; }

    /// <summary>
    /// A file, which is read when it is drawn, at its own rate. A stem that lies in its folder with its provenance is called as there.
    /// </summary>
    public static SpectrogramPanel Create(TrackSource source)
    {
        SeparationProvenance? provenance = ProvenanceOf(source.Path, out string? stem);
        return new SpectrogramPanel(
            stem ?? source.Label(),
            source.Path,
            new FileSpectra(source),
            provenance is null ? null : (options, _) => ChunkGrid.Create(provenance, SegmentOf(options))
        );
    }

    /// <summary>The stems of a separation, from their files.</summary>
    public static IReadOnlyList<SpectrogramPanel> Create(SeparationResult result) =>
        [
            .. result.Stems.Select(stem => new SpectrogramPanel(
                stem.StemName,
                stem.FilePath,
                new FileSpectra(new TrackSource(stem.FilePath)),
                (options, _) => ChunkGrid.Create(SeparationProvenance.Read(result.ProvenancePath), SegmentOf(options))
            )),
        ];

    /// <summary>A track in memory.</summary>
    public static SpectrogramPanel Create(AudioTrack track) =>
        new(track.Source.Label(), track.SourcePath, new MemorySpectra(track.Samples(0), track.Samples(1)));

    /// <summary>A stem in memory.</summary>
    public static SpectrogramPanel Create(Stem stem) =>
        new(stem.ToString(), stem.ToString(), new MemorySpectra(stem.Samples(0), stem.Samples(1)));

    /// <summary>A chunk, at its place in its track.</summary>
    public static SpectrogramPanel Create(AudioChunk chunk) =>
        new(
            chunk.ToString(),
            chunk.ToString(),
            new MemorySpectra(chunk.Samples(0), chunk.Samples(1), chunk.StartTime.TotalSeconds),
            (_, _) => ChunkGrid.Create(chunk.Plan)
        );

    /// <summary>A stem of a chunk, at its place in its track.</summary>
    public static SpectrogramPanel Create(StemChunk stem) =>
        new(
            stem.ToString(),
            stem.ToString(),
            new MemorySpectra(stem.Samples(0), stem.Samples(1), stem.Chunk.StartTime.TotalSeconds),
            (_, _) => ChunkGrid.Create(stem.Chunk.Plan)
        );

    /// <summary>
    /// The spectrogram of a chunk as a model takes it, with its edits; of the whole segment around the chunk. Frame size and hop are its
    /// own.
    /// </summary>
    public static SpectrogramPanel Create(ChunkSpectrogram spectrogram) =>
        new(
            $"{spectrogram.Chunk}{(spectrogram.IsEdited ? ", edited" : "")}",
            spectrogram.Chunk.ToString(),
            new TensorSpectra(spectrogram),
            (_, _) => ChunkGrid.Create(spectrogram.Chunk.Plan)
        );

    /// <summary>
    /// What panels of one picture are called: those of files that have the same name begin with the innermost folder that is another for
    /// each of them, where there is one.
    /// </summary>
    internal static IReadOnlyList<string> NamesOf(IReadOnlyList<SpectrogramPanel> panels)
    {
        string[] names = [.. panels.Select(p => p.Name)];
        foreach (
            IGrouping<string, int> same in Enumerable
                .Range(0, panels.Count)
                .GroupBy(i => panels[i].Name, StringComparer.Ordinal)
                .Where(group => group.Count() > 1)
        )
        {
            int[] of = [.. same];
            string[][] places = Array.ConvertAll(of, i =>
                Path.GetDirectoryName(panels[i].Label)?.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar) ?? []
            );
            int depth = places.Min(place => place.Length);
            if (
                Enumerable
                    .Range(1, depth)
                    .FirstOrDefault(level => places.Select(place => place[^level]).Distinct(StringComparer.Ordinal).Count() == of.Length)
                is > 0
                    and int level
            )
            {
                for (int i = 0; i < of.Length; i++)
                    names[of[i]] = $"{places[i][^level]}: {names[of[i]]}";
            }
        }
        return names;
    }

    /// <summary>Where its chunks are.</summary>
    /// <param name="options">What is said of them.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: it is unknown.</exception>
    internal ChunkGrid GridOf(SpectrogramOptions options)
    {
        double seconds = Spectra.Start + Spectra.Seconds;
        ChunkGrid? grid = options.Overlap is { } overlap ? ChunkGrid.Create(seconds, SegmentOf(options), overlap) : _grid(options, seconds);
        return grid
            ?? throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The chunk grid of '{Label}' cannot be drawn: its chunks are unknown. Give the overlap, and the segment if it differs from that of htdemucs.",
                Label
            )
            {
                Parameter = EngineParameter.Overlap,
            };
    }

    private static int SegmentOf(SpectrogramOptions options) =>
        options.Segment is { } seconds ? (int)Math.Round(seconds * DemucsAudio.SampleRate) : AudioChunk.UsualSegmentFrames;

    /// <summary>The provenance that speaks of a file, and what it calls it. A damaged one is none: pictures can be drawn without.</summary>
    private static SeparationProvenance? ProvenanceOf(string path, out string? stem)
    {
        stem = null;
        if (Path.GetDirectoryName(path) is not { } folder)
            return null;
        foreach (string record in Records(folder))
        {
            try
            {
                SeparationProvenance provenance = SeparationProvenance.Read(record);
                stem = provenance.Stems.FirstOrDefault(s => Path.GetFullPath(Path.Combine(folder, s.File)) == path)?.Name;
                if (stem is not null)
                    return provenance;
            }
            catch (DemucsException)
            {
                // It speaks of nothing.
            }
        }
        return null;

        static IReadOnlyList<string> Records(string folder)
        {
            try
            {
                return SeparationVerification.Find(folder);
            }
            catch (DemucsException)
            {
                return [];
            }
        }
    }
}
