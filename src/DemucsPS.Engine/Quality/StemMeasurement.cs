using System.Diagnostics;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Machine;

namespace DemucsPS.Engine.Quality;

/// <summary>
/// Compares estimated stems with the references. Memory does not depend on the length of a track: the process has 150 MB in all with four
/// stereo stems.
/// </summary>
internal static class StemMeasurement
{
    private const string Others = "no_";

    /// <summary>Measures a track.</summary>
    /// <param name="track">Its stems. Those of one name belong together; an estimate <c>no_NAME</c> without its own reference is compared
    /// with the sum of all references but NAME.</param>
    /// <param name="options">What is wanted.</param>
    /// <param name="progress">Takes shares of the work done, 0 … 1, from any thread.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.StemsNotComparable"/>: no stem has an estimate and a reference, or their rates or channels differ.
    /// <see cref="DemucsError.AudioTrackCorrupt"/>: samples are not numbers, or a file is damaged. As <see cref="AudioFile.Open(string)"/>.
    /// <see cref="EstimatedTrack.Fault"/>.
    /// </exception>
    public static TrackQuality Measure(
        EstimatedTrack track,
        QualityOptions options,
        Action<double>? progress = null,
        CancellationToken cancellationToken = default
    ) => Measure(track, options, new EvaluationPool(), progress, cancellationToken);

    /// <summary>The same, with arrays of the track before.</summary>
    internal static TrackQuality Measure(
        EstimatedTrack track,
        QualityOptions options,
        EvaluationPool stock,
        Action<double>? progress,
        CancellationToken cancellationToken
    )
    {
        options.Check();
        if (track.Fault is { } fault)
            throw fault;
        long started = Stopwatch.GetTimestamp();
        List<string> warnings = [];
        List<StemPair> stems = Pair(track, warnings);
        string? mixPath = MixPathOf(track, stems, warnings);
        try
        {
            using FileStemFrames first = Open(stems, mixPath);
            int rate = first.SampleRate;
            long? window = options.Window == 0 ? null : (long)Math.Round(options.Window * rate);
            StemEvaluation evaluation = Evaluate(first, stems, window, options, stock, progress, cancellationToken);
            if (evaluation.Frames == 0)
                throw new DemucsException(
                    DemucsError.StemsNotComparable,
                    $"The references in '{track.ReferenceFolder}' have no samples.",
                    track.ReferenceFolder
                );
            warnings.AddRange(first.Warnings);
            warnings.AddRange(first.LengthWarnings(evaluation.Frames));
            WarnOf(evaluation, stems, warnings);
            return new TrackQuality
            {
                Track = track.Track,
                Model = track.Model,
                // A real array: scripts cannot index what the compiler makes of a list expression.
                Stems = stems
                    .Index()
                    .Where(s => s.Item.Estimate is not null)
                    .Select(s => QualityOf(track, s.Item, s.Index, evaluation, options.Metrics, window, rate))
                    .ToArray(),
                NullTestDb =
                    mixPath is not null && first.NullTest.Mix > 0 ? 10 * Math.Log10(first.NullTest.Residual / first.NullTest.Mix) : null,
                SampleRate = rate,
                Channels = first.Channels,
                Duration = TimeSpan.FromSeconds((double)evaluation.Frames / rate),
                Elapsed = Stopwatch.GetElapsedTime(started),
                Warnings = warnings,
            };
        }
        finally
        {
            stock.EndTrack();
        }
    }

    private static FileStemFrames Open(List<StemPair> stems, string? mixPath) =>
        new([.. stems.Select(s => (s.References, s.Estimate))], mixPath);

    /// <summary>The mix that the sum of the estimates is compared with. Where one is missing, the sum is not meant to be the mix.</summary>
    private static string? MixPathOf(EstimatedTrack track, List<StemPair> stems, List<string> warnings)
    {
        string? mixPath = stems.All(s => s.Estimate is not null) ? track.MixPath : null;
        if (mixPath is not null && track.OtherMixPaths.Count > 0)
            warnings.Add(
                $"There is more than one mix: '{mixPath}' is used, and {string.Join(" and ", track.OtherMixPaths.Select(p => $"'{p}'"))} {(track.OtherMixPaths.Count == 1 ? "is" : "are")} ignored."
            );
        return mixPath;
    }

    private static StemEvaluation Evaluate(
        FileStemFrames first,
        List<StemPair> stems,
        long? window,
        QualityOptions options,
        EvaluationPool stock,
        Action<double>? progress,
        CancellationToken cancellationToken
    ) =>
        StemEvaluation.Compute(
            () => first.IsUnread ? first : Open(stems, null),
            [.. stems.Select(s => s.Estimate is not null)],
            first.Channels,
            window,
            Math.Max((long)Math.Round((options.Hop ?? options.Window) * first.SampleRate), 1),
            filters: (options.Metrics & (QualityMetric.Isr | QualityMetric.Sir | QualityMetric.Sar)) != 0,
            windows: (options.Metrics & (QualityMetric.Sdr | QualityMetric.Isr | QualityMetric.Sir | QualityMetric.Sar)) != 0,
            options.Threads == 0 ? MachineLimits.Processors : options.Threads,
            progress,
            lengths: null,
            stock,
            cancellationToken
        );

    private static List<StemPair> Pair(EstimatedTrack track, List<string> warnings)
    {
        List<StemPair> stems = [];
        HashSet<string> unused = new(track.References.Keys, StringComparer.OrdinalIgnoreCase);
        foreach ((string name, TrackSource estimate) in track.Estimates)
        {
            if (track.References.TryGetValue(name, out TrackSource? reference))
            {
                stems.Add(new StemPair(name, [reference], estimate));
                unused.Remove(name);
            }
        }
        foreach ((string name, TrackSource estimate) in track.Estimates.Where(e => !track.References.ContainsKey(e.Key)))
        {
            string? one = name.StartsWith(Others, StringComparison.OrdinalIgnoreCase) ? name[Others.Length..] : null;
            string[] others = [.. track.References.Keys.Where(r => !r.Equals(one, StringComparison.OrdinalIgnoreCase))];
            // The sum of all others belongs to it only if none of them has its own estimate.
            if (one is not null && track.References.ContainsKey(one) && others.Length > 0 && others.All(unused.Contains))
            {
                stems.Add(new StemPair(name, [.. others.Select(o => track.References[o])], estimate));
                unused.ExceptWith(others);
            }
            else
            {
                warnings.Add($"'{estimate.Path}' has no reference in '{track.ReferenceFolder}'. It is skipped.");
            }
        }
        if (stems.Count == 0)
        {
            throw new DemucsException(
                DemucsError.StemsNotComparable,
                $"No stem of '{track.EstimateFolder}' ({string.Join(", ", track.Estimates.Keys)}) has a reference in '{track.ReferenceFolder}' ({string.Join(", ", track.References.Keys)}). Stems are compared by name.",
                track.EstimateFolder
            );
        }
        foreach (string name in unused.Order(StringComparer.Ordinal))
        {
            warnings.Add($"'{name}' has no estimate in '{track.EstimateFolder}'. Its reference only counts as interference.");
            stems.Add(new StemPair(name, [track.References[name]], null));
        }
        return stems;
    }

    private static StemQuality QualityOf(
        EstimatedTrack track,
        StemPair stem,
        int index,
        StemEvaluation evaluation,
        QualityMetric metrics,
        long? window,
        int rate
    )
    {
        TimeSpan length = TimeSpan.FromSeconds((double)Math.Min(window ?? evaluation.Frames, evaluation.Frames) / rate);
        FrameQuality[] frames =
        [
            .. evaluation.Windows.Select(w =>
            {
                WindowSums? sums = w.Sums?[index];
                return new FrameQuality(
                    TimeSpan.FromSeconds((double)w.Start / rate),
                    length,
                    Of(QualityMetric.Sdr, sums?.Sdr),
                    Of(QualityMetric.Isr, sums?.Isr),
                    Of(QualityMetric.Sir, sums?.Sir),
                    Of(QualityMetric.Sar, sums?.Sar)
                );
            }),
        ];
        return new StemQuality
        {
            Track = track.Track,
            Model = track.Model,
            StemName = stem.Name,
            Sdr = StemQuality.Median(frames.Select(f => f.Sdr)),
            Isr = StemQuality.Median(frames.Select(f => f.Isr)),
            Sir = StemQuality.Median(frames.Select(f => f.Sir)),
            Sar = StemQuality.Median(frames.Select(f => f.Sar)),
            NSdr = Of(QualityMetric.NSdr, evaluation.NSdr[index]),
            SiSdr = Of(QualityMetric.SiSdr, evaluation.SiSdr[index]),
            Frames = new FrameQualities(frames),
            EstimatePath = stem.Estimate!.Path,
            ReferencePath = string.Join("; ", stem.References.Select(r => r.Path)),
        };

        double? Of(QualityMetric metric, double? figure) =>
            (metrics & metric) != 0 && figure is { } value && !double.IsNaN(value) ? value : null;
    }

    private static void WarnOf(StemEvaluation evaluation, List<StemPair> stems, List<string> warnings)
    {
        for (int stem = 0; stem < stems.Count; stem++)
        {
            bool isReference = evaluation.IsSilent[stem];
            if (isReference || stems[stem].Estimate is not null && evaluation.IsSilent[stems.Count + stem])
                warnings.Add(
                    $"The {(isReference ? "reference" : "estimate")} of '{stems[stem].Name}' is silent, so no window counts. BSS Eval gives no figures for this track."
                );
        }
        if (evaluation.Loading is { } loading)
            warnings.Add(
                FormattableString.Invariant(
                    $"The references are very similar, so the BSS Eval filters needed a diagonal loading of {loading:G1}. ISR, SIR and SAR may be off by tenths of a decibel."
                )
            );
    }

    /// <summary>What belongs together: the sum of the references, and the estimate; null where there is none.</summary>
    private sealed record StemPair(string Name, IReadOnlyList<TrackSource> References, TrackSource? Estimate);
}
