using System.Globalization;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Player;
using DemucsPS.Engine.Quality;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Comparison;

/// <summary>
/// Separates the same tracks with several settings and compares the results. Stems are 32-bit floats at the level that the models give
/// them, so that only the settings differ.
/// </summary>
public sealed class ModelComparison
{
    private const int ReadFrames = 8192;

    /// <summary>
    /// Full path of the folder for the stems, which lie in FOLDER/SETTING/TRACK, and the pages, which are FOLDER/TRACK.html.
    /// </summary>
    public required string Folder { get; init; }

    /// <summary>Full path of the folder of reference stems; null for none.</summary>
    public string? Reference { get; init; }

    /// <summary>The figures wanted where there are references.</summary>
    public QualityOptions Quality { get; init; } = new();

    /// <summary>Jobs and threads of the separations.</summary>
    public JobPlan Jobs { get; init; } = JobPlan.Choose(0, 0);

    /// <summary>Whether stems and pages that exist are replaced.</summary>
    public bool Overwrite { get; init; }

    /// <summary>
    /// Whether existing stems with the same settings are reused and interrupted separations are continued. Pages are created again.
    /// </summary>
    public bool Resume { get; init; }

    /// <summary>Whether pages are to be made: one that exists and may not be replaced is an error before anything is separated.</summary>
    public bool HasPages { get; init; } = true;

    /// <summary>Whether plans check everything that a run would refuse, which needs reading.</summary>
    public bool Rehearses { get; init; }

    /// <summary>Receives messages for the user.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Asked before each separation; what it refuses is not made. Null for all.</summary>
    public Func<PlannedSeparation, bool>? Confirm { get; init; }

    /// <summary>Receives each track, and in which way, that is started.</summary>
    public Action<TrackSource, string>? Begun { get; init; }

    /// <summary>Receives the errors of a setting, or of a track in it; the rest continues.</summary>
    public required Action<ComparisonSetting, TrackSource?, DemucsException> Failed { get; init; }

    /// <summary>Refuses what cannot be meant, before anything is looked for.</summary>
    /// <param name="settings">The ways.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: a value is out of range, or a way is there
    /// twice.</exception>
    public void Check(IReadOnlyList<ComparisonSetting> settings)
    {
        Quality.Check();
        foreach (ComparisonSetting setting in settings)
            OptionsOf(setting).Check();
        if (settings.GroupBy(s => s).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The setting '{twice.Key.NameOf(twice.Key.Model ?? "default model")}' occurs twice. Name each setting once."
            );
    }

    /// <summary>
    /// Separates and compares, one way after the other, the tracks of each in their order. Each track is compared with the first way that
    /// it could be separated in.
    /// </summary>
    /// <param name="tracks">The tracks.</param>
    /// <param name="settings">The ways.</param>
    /// <param name="select">Finds the models of a name, or for null the default.</param>
    /// <param name="progress">Receives the progress of a separation.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">As <see cref="Check"/>.</exception>
    public IEnumerable<ComparedSeparation> Run(
        IReadOnlyList<TrackSource> tracks,
        IReadOnlyList<ComparisonSetting> settings,
        Func<string?, ModelSelection> select,
        IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        Check(settings);
        Dictionary<TrackSource, (string Name, SeparationResult Result)> first = [];
        HashSet<string> names = new(StringComparer.OrdinalIgnoreCase);
        foreach (ComparisonSetting setting in settings)
        {
            using Way? way = Open(setting, select, names);
            if (way is null)
                continue;
            foreach (TrackSource track in tracks)
            {
                if (Attempt(way, track, first, progress, cancellationToken) is { } compared)
                    yield return compared;
                if (way.IsUnusable)
                    break;
            }
        }
    }

    /// <summary>
    /// The pages on which the ways of each track can be heard against each other, at the same level, and where they belong. There is none
    /// of a track that was separated in one way only.
    /// </summary>
    /// <param name="compared">What <see cref="Run"/> gave.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProvenanceInvalid"/>: the record of a separation was damaged
    /// meanwhile.</exception>
    public IReadOnlyList<(string Path, PlayerPage Page)> Pages(IEnumerable<ComparedSeparation> compared) =>
        [
            .. compared
                .GroupBy(c => PagePathOf(c.Folder), StringComparer.Ordinal)
                .Where(g => g.Count() > 1)
                .Select(g =>
                    (
                        g.Key,
                        new PlayerPage
                        {
                            Title = g.First().Track,
                            Variants = [.. g.Select(c => PlayerVariant.Create(c.Result, c.Setting))],
                            Overwrite = Overwrite || Resume,
                        }
                    )
                ),
        ];

    private string PagePathOf(string stemFolder) => Path.Combine(Folder, Path.GetFileName(stemFolder) + ".html");

    private SeparationOptions OptionsOf(ComparisonSetting setting) =>
        new()
        {
            Overlap = setting.Overlap,
            Shifts = setting.Shifts,
            Jobs = Jobs.Jobs,
        };

    /// <summary>Models of one name from different places are different ways.</summary>
    private static string Unique(string name, HashSet<string> names)
    {
        string unique = name;
        for (int number = 2; !names.Add(unique); number++)
            unique = string.Create(CultureInfo.InvariantCulture, $"{name} ({number})");
        return unique;
    }

    /// <summary>Prepares to separate in one way; null if that failed.</summary>
    private Way? Open(ComparisonSetting setting, Func<string?, ModelSelection> select, HashSet<string> names)
    {
        StemRequest choice = new();
        ModelBag? opened = null;
        try
        {
            ModelBag bag = opened = ModelBag.Open(
                select(setting.Model) with
                {
                    Precision = setting.Precision,
                },
                choice.Needed,
                new OnnxSessionOptions { IntraOpThreads = Jobs.Threads },
                prepare: true,
                Warn,
                Jobs.Jobs
            );
            string name = Unique(SafeFileName.Finish(SafeFileName.Clean(setting.NameOf(bag.Name))), names);
            StemOutput output = new(
                new StemNames(Path.Combine(Folder, name), FileNameTemplate.Parse("{name}/{stem}")),
                new StemFormat { Sample = WavSampleFormat.Float32 }
            )
            {
                Overwrite = Overwrite,
                Resume = Resume,
                SkipExisting = Resume,
            };
            Way way = new(setting, name, bag, new FileSeparator(bag, choice.Select(bag.Contract.Stems), OptionsOf(setting), output));
            opened = null;
            return way;
        }
        catch (DemucsException e)
        {
            Failed(setting, null, e);
            return null;
        }
        finally
        {
            opened?.Dispose();
        }
    }

    /// <summary>Separates a track in one way; null if that was not wanted or failed.</summary>
    private ComparedSeparation? Attempt(
        Way way,
        TrackSource track,
        Dictionary<TrackSource, (string Name, SeparationResult Result)> first,
        IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (!IsWanted(track, way, cancellationToken))
                return null;
            if (!way.Bag.IsLoaded)
            {
                // What earlier ways have left is not to be counted as this one's, as far as it can be given back.
                GC.Collect();
                way.Bag.Load(cancellationToken);
            }
            Begun?.Invoke(track, way.Name);
            return Compare(way, track, first, progress, cancellationToken);
        }
        catch (DemucsException e)
        {
            Failed(way.Setting, track, Advised(e));
            // What keeps the models from being loaded is the same for all tracks.
            way.IsUnusable =
                !way.Bag.IsLoaded
                && e.Error
                    is DemucsError.DemucsModelInvalid
                        or DemucsError.PreparationRefused
                        or DemucsError.OnnxRuntimeUnavailable
                        or DemucsError.ExecutionProviderUnavailable;
            return null;
        }
    }

    private bool IsWanted(TrackSource track, Way way, CancellationToken cancellationToken)
    {
        SeparationPlan plan = Rehearses ? way.Separator.Rehearse(track, cancellationToken) : way.Separator.Plan(track);
        string page = PagePathOf(Path.GetDirectoryName(plan.StemPaths[0])!);
        if (HasPages && !Overwrite && !Resume && File.Exists(page))
            throw new DemucsException(DemucsError.StemExists, $"The page '{page}' already exists.", page) { Remedies = [Remedy.Replace] };
        return Confirm?.Invoke(new PlannedSeparation(track, way.Name, plan, page)) ?? true;
    }

    private ComparedSeparation Compare(
        Way way,
        TrackSource track,
        Dictionary<TrackSource, (string Name, SeparationResult Result)> first,
        IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        SeparationResult result;
        long peak;
        using (MemoryWatch memory = new())
        {
            result = way.Separator.Separate(track, progress, cancellationToken);
            peak = memory.Peak;
        }
        bool isFirst = first.TryAdd(track, (way.Name, result));
        TrackQuality? quality = null;
        if (Reference is not null)
        {
            try
            {
                quality = StemMeasurement.Measure(EstimatedTrack.Create(result, Reference), Quality, null, cancellationToken);
            }
            catch (DemucsException e)
            {
                // The stems are there, and all else can be said of them.
                Failed(way.Setting, track, e);
            }
        }
        return new ComparedSeparation
        {
            Track = result.Track,
            Setting = way.Name,
            Result = result,
            Quality = quality,
            DifferenceDb = isFirst ? null : Difference(first[track].Result, result, cancellationToken),
            DifferenceFrom = isFirst ? null : first[track].Name,
            PeakMemory = result.Skipped ? null : peak,
            Elapsed = result.Skipped ? TimeSpan.FromSeconds(SeparationProvenance.Read(result.ProvenancePath).Elapsed) : result.Elapsed,
        };
    }

    /// <summary>Power of the difference of all stems that both have, against the first one's, in dB.</summary>
    private static double? Difference(SeparationResult one, SeparationResult other, CancellationToken cancellationToken)
    {
        (IReadOnlyList<TrackSource>, TrackSource?)[] files =
        [
            .. one.Stems.Join(
                other.Stems,
                s => s.StemName,
                s => s.StemName,
                (a, b) => ((IReadOnlyList<TrackSource>)[new TrackSource(a.FilePath)], (TrackSource?)new TrackSource(b.FilePath)),
                StringComparer.OrdinalIgnoreCase
            ),
        ];
        if (files.Length == 0)
            return null;
        using FileStemFrames frames = new(files, null);
        int lanes = files.Length * frames.Channels;
        double[] references = new double[ReadFrames * lanes],
            estimates = new double[ReadFrames * lanes];
        double power = 0,
            difference = 0;
        for (int count; (count = frames.Read(references, estimates, lanes)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int i = 0; i < count * lanes; i++)
            {
                power += references[i] * references[i];
                difference += (references[i] - estimates[i]) * (references[i] - estimates[i]);
            }
        }
        return power > 0 ? 10 * Math.Log10(difference / power) : null;
    }

    // A comparison that is resumed skips what is finished; it has no other way to.
    private static DemucsException Advised(DemucsException error) =>
        error.Remedies.Contains(Remedy.SkipExisting)
            ? new DemucsException(error.Error, error.Message, error.Path, error)
            {
                Parameter = error.Parameter,
                Remedies = [.. error.Remedies.Select(remedy => remedy == Remedy.SkipExisting ? Remedy.Resume : remedy)],
            }
            : error;

    /// <summary>One way of separating, ready for any track.</summary>
    private sealed record Way(ComparisonSetting Setting, string Name, ModelBag Bag, FileSeparator Separator) : IDisposable
    {
        /// <summary>Whether a track has shown that the models cannot be loaded.</summary>
        public bool IsUnusable { get; set; }

        public void Dispose() => Bag.Dispose();
    }
}
