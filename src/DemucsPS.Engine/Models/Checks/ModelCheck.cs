using System.Diagnostics;
using System.Globalization;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Models.Checks;

/// <summary>
/// Tests models: hashes where they are known, the contract, a segment that is always the same, and whether the prepared copy loses
/// anything.
/// </summary>
public static class ModelCheck
{
    /// <summary>Below this, against the segment, all of a model's stems count as silent.</summary>
    private const double SilenceDb = -60;

    /// <summary>
    /// Below this, another execution provider's stems count as wrong. Rounding to 16 bits differs by about 90 dB, 16-bit floats by 50 to
    /// 60.
    /// </summary>
    private const double LeastAgreementDb = 40;

    /// <summary>Below this, the loss of another precision is more than a price: the difference is a tenth of the stems.</summary>
    private const double LeastPrecisionDb = 20;

    /// <summary>Of a chunk that is mostly silent this part is not.</summary>
    private const int MusicShare = 16;

    /// <summary>Tests a model. What is wrong with it is in the result; there is no exception for a bad model.</summary>
    /// <param name="library">Where hashes are known from.</param>
    /// <param name="source">The model.</param>
    /// <param name="options">How it runs. Unless that is on the CPU, its stems are compared with those of the CPU.</param>
    /// <param name="prepare">Whether to run its prepared copy. On the CPU in full precision that is compared with the model as exported,
    /// and refused if it loses.</param>
    /// <param name="precision">The precision in which it is computed. Unless that is full precision, its stems are compared with those of
    /// full precision, which is what the precision costs.</param>
    /// <param name="progress">Receives what the test is at, on this thread; null to go without.</param>
    /// <param name="cancellationToken">Ends the test.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/> or
    /// <see cref="DemucsError.ExecutionProviderUnavailable"/>: nothing can be run here, whatever the model;
    /// <see cref="DemucsError.ParameterInvalid"/> or <see cref="DemucsError.ModelWriteFailed"/>: the precision does not fit, as in
    /// <see cref="SeparationModel.Load"/>.</exception>
    public static ModelTestResult Run(
        ModelLibrary library,
        ModelSource source,
        OnnxSessionOptions options,
        bool prepare,
        ModelPrecision precision,
        IProgress<ModelTestProgress>? progress,
        CancellationToken cancellationToken
    ) =>
        Run(
            library,
            source,
            options,
            options.ExecutionProvider == ExecutionProvider.Cpu && precision == ModelPrecision.Full ? null : options.ForCpu(),
            prepare,
            precision,
            progress,
            cancellationToken
        );

    /// <summary>As above, with how it runs, in full precision, to compare with; null for no comparison.</summary>
    internal static ModelTestResult Run(
        ModelLibrary library,
        ModelSource source,
        OnnxSessionOptions options,
        OnnxSessionOptions? reference,
        bool prepare,
        ModelPrecision precision,
        IProgress<ModelTestProgress>? progress,
        CancellationToken cancellationToken
    ) => new Test(library, source, options, progress, cancellationToken).Run(reference, prepare, precision);

    private static double Level(float[][] stems, int frames, List<string> problems)
    {
        (float[] left, float[] right) = TestSegment.Create(frames);
        double mix = Power(left) + Power(right);
        double level = Enumerable.Range(0, stems.Length / 2).Max(s => Decibels((Power(stems[2 * s]) + Power(stems[2 * s + 1])) / mix));
        if (level < SilenceDb)
            problems.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Its stems are silent: for a segment of music-like sound, the loudest stem has {level:F0} dB."
                )
            );
        return level;
    }

    /// <summary>Says what is wrong with a precision's or an execution provider's stems.</summary>
    private static void Judge(ModelTestResult result, List<string> problems)
    {
        double agreement = result.DifferenceDb!.Value;
        if (result.Precision != ModelPrecision.Full)
        {
            if (!(agreement >= LeastPrecisionDb))
                problems.Add(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"In the precision {result.Precision} its stems agree with those of full precision only to {agreement:F1} dB; at least {LeastPrecisionDb:F0} dB are expected. Use the precision Full for this model."
                    )
                );
        }
        else if (!(agreement >= LeastAgreementDb))
        {
            problems.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Its stems agree with those of the CPU only to {agreement:F1} dB; at least {LeastAgreementDb:F0} dB are expected. This execution provider gives wrong results for it."
                )
            );
        }
    }

    /// <summary>
    /// Left and right of each stem of a chunk; null, and what the matter is, if the model does not give finite values for it.
    /// </summary>
    internal static float[][]? Separate(ModelBag bag, TestChunk chunk, out string? failure, CancellationToken cancellationToken)
    {
        (float[] left, float[] right) = Samples(chunk, bag.Contract.SegmentFrames);
        return TestSegment.Separate(bag, left, right, place: 0, out failure, cancellationToken);
    }

    /// <summary>What a model takes of a chunk.</summary>
    internal static (float[] Left, float[] Right) Samples(TestChunk chunk, int frames)
    {
        (float[] left, float[] right) = TestSegment.Create(frames);
        foreach (float[] channel in new[] { left, right })
        {
            if (chunk == TestChunk.MostlySilence)
                channel.AsSpan(frames / MusicShare).Clear();
            for (int i = 0; chunk == TestChunk.Offset && i < frames; i++)
                channel[i] += 1;
        }
        return (left, right);
    }

    /// <summary>Hashes all files of a model whose hashes are known, else only the graph's.</summary>
    private static (string Hash, bool? Matches, IReadOnlyList<string>? Stems) CheckHashes(
        ModelLibrary library,
        ModelSource source,
        List<string> problems,
        CancellationToken cancellationToken
    )
    {
        string path = source.Path!,
            folder = Path.GetDirectoryName(path)!;
        string hash = DurableFiles.Hash(path, cancellationToken);
        ModelRecord? record = ModelRecord.Read(folder) is { } found && found.Files[0].Name == Path.GetFileName(path) ? found : null;
        // A model's folder in the library has the catalog's hashes, whatever its note says.
        CatalogEntry? entry = string.Equals(Path.GetDirectoryName(folder), library.Folder, StringComparison.Ordinal)
            ? library.Catalog.Find(Path.GetFileName(folder))
            : null;
        // A file that is a catalog's by its hash, wherever it lies.
        entry ??= library.Catalog.Entries.FirstOrDefault(e => e.Files.Count > 0 && e.Files[0].Sha256 == hash);
        IReadOnlyList<ModelRecord.FileRecord>? files = entry is { Files.Count: > 0 }
            ? [.. entry.Files.Select(f => new ModelRecord.FileRecord(f.Name, f.Size, f.Sha256))]
            : record?.Files;
        if (files is null)
            return (hash, null, null);
        bool matches = true;
        for (int i = 0; i < files.Count; i++)
        {
            string file = i == 0 ? path : Path.Combine(folder, files[i].Name);
            string what = $"'{file}' is not the file {(entry is null ? "that was installed" : "of the catalog")}";
            string? problem =
                !File.Exists(file) ? $"The file '{file}' is missing."
                : RegularFile.Info(file).Length is var length && length != files[i].Size
                    ? string.Create(CultureInfo.InvariantCulture, $"{what}: it has {length} bytes instead of {files[i].Size}.")
                : (i == 0 ? hash : DurableFiles.Hash(file, cancellationToken)) is var actual && actual != files[i].Sha256
                    ? $"{what}: its SHA-256 is {actual} instead of {files[i].Sha256}."
                : null;
            if (problem is null)
                continue;
            problems.Add($"{problem} Remove the model and install it again.");
            matches = false;
        }
        return (hash, matches, entry?.Stems ?? record?.Stems);
    }

    private static double Power(float[] samples) => samples.Sum(x => (double)x * x);

    private static double Decibels(double ratio) => 10 * Math.Log10(ratio);

    private static long ProcessMemory()
    {
        using Process process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    /// <summary>The test of one model.</summary>
    private sealed class Test(
        ModelLibrary library,
        ModelSource source,
        OnnxSessionOptions options,
        IProgress<ModelTestProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        private readonly List<string> _problems = [];

        // What running it showed: no fault of the model where its copy is at fault.
        private readonly List<string> _found = [];

        // Also a copy that an earlier test refused: this one decides again.
        private readonly ModelSource _tried = source.For(ModelTrial.EvenIfRefused);
        private ModelTestResult _result = new()
        {
            Name = source.Name,
            Path = source.Path,
            Problems = [],
        };

        public ModelTestResult Run(OnnxSessionOptions? reference, bool prepare, ModelPrecision precision)
        {
            _result = _result with { Problems = _problems };
            IReadOnlyList<string>? stems;
            try
            {
                stems = Verify();
            }
            catch (Exception e) when (e.IsFileError())
            {
                _problems.Add($"The file cannot be read: {e.Message}");
                return _result;
            }
            if (_result.HashMatches == false)
            {
                // Preparation would keep a copy of what is known to be damaged, and other precisions take one.
                prepare = false;
                if (precision != ModelPrecision.Full)
                    (precision, reference) = (ModelPrecision.Full, null);
            }
            Judge(Separate(reference, prepare, precision, stems));
            _problems.AddRange(_found);
            return _result;
        }

        /// <returns>The stems that it should have; null where nobody says it.</returns>
        private IReadOnlyList<string>? Verify()
        {
            if (source.Path is null)
                return library.Catalog.Find(source.Name) is { IsBuiltIn: true } builtIn ? builtIn.Stems : null;
            Report(ModelTestStage.Verifying);
            (string hash, bool? matches, IReadOnlyList<string>? stems) = CheckHashes(library, source, _problems, cancellationToken);
            _result = _result with { Sha256 = hash, HashMatches = matches };
            return stems;
        }

        /// <returns>What preparation changes; null where that is not compared.</returns>
        private PreparationFindings? Separate(
            OnnxSessionOptions? reference,
            bool prepare,
            ModelPrecision precision,
            IReadOnlyList<string>? expectedStems
        )
        {
            try
            {
                Report(ModelTestStage.Running);
                (float[][]? stems, float[][]?[]? prepared) = SeparateOnce(
                    prepare,
                    precision,
                    expectedStems,
                    comparesCopy: reference is null
                );
                if (reference is not null)
                    Compare(stems, reference, prepare);
                return prepared is null ? null : PreparationCheck.Run(source, options, prepared, Report, memory: null, cancellationToken);
            }
            catch (DemucsException e) when (e.Error is DemucsError.DemucsModelInvalid or DemucsError.DemucsModelNotFound)
            {
                _found.Add(e.Message);
                return null;
            }
        }

        private (float[][]? Stems, float[][]?[]? Prepared) SeparateOnce(
            bool prepare,
            ModelPrecision precision,
            IReadOnlyList<string>? expectedStems,
            bool comparesCopy
        )
        {
            long memoryBefore = ProcessMemory(),
                started = Stopwatch.GetTimestamp();
            // Whether the provider computes rightly is what is found out here.
            using ModelBag bag = ModelBag.Load(
                [_tried],
                null,
                options with
                {
                    SkipProviderCheck = true,
                },
                prepare,
                precision: precision,
                cancellationToken: cancellationToken
            );
            _result = _result with
            {
                LoadTime = Stopwatch.GetElapsedTime(started),
                Precision = bag.Precision,
                Contract = bag.Contract.Kind,
                ExecutionProvider = bag.ExecutionProvider,
                Stems = bag.Contract.Stems,
                SegmentFrames = bag.Contract.SegmentFrames,
            };
            if (expectedStems is not null && !expectedStems.SequenceEqual(bag.Contract.Stems, StringComparer.OrdinalIgnoreCase))
                _problems.Add(
                    $"Its stems are {string.Join(", ", bag.Contract.Stems)}, but {string.Join(", ", expectedStems)} were expected."
                );
            (float[][]? stems, TimeSpan time) = Music(bag);
            _result = _result with { RunTime = time, Memory = Math.Max(0, ProcessMemory() - memoryBefore) };
            if (stems is not null)
                _result = _result with { LevelDb = Level(stems, bag.Contract.SegmentFrames, _found) };
            return (stems, comparesCopy && bag.IsPrepared ? PreparationCheck.Separate(bag, stems, cancellationToken) : null);
        }

        private void Compare(float[][]? stems, OnnxSessionOptions reference, bool prepare)
        {
            Report(ModelTestStage.Comparing);
            using ModelBag compared = ModelBag.Load([_tried], null, reference, prepare, cancellationToken: cancellationToken);
            (float[][]? expected, TimeSpan time) = Music(compared);
            if (stems is null || expected is null)
                return;
            _result = _result with { DifferenceDb = TestSegment.Agreement(expected, stems), ReferenceRunTime = time };
            ModelCheck.Judge(_result, _found);
        }

        private (float[][]? Stems, TimeSpan Time) Music(ModelBag bag)
        {
            long started = Stopwatch.GetTimestamp();
            float[][]? stems = ModelCheck.Separate(bag, TestChunk.Music, out string? failure, cancellationToken);
            TimeSpan time = Stopwatch.GetElapsedTime(started);
            if (failure is not null)
                _found.Add(failure);
            return (stems, time);
        }

        private void Judge(PreparationFindings? findings)
        {
            if (findings is null)
                return;
            _result = _result with { Preparation = findings.Comparisons, NotRecomputed = findings.NotRecomputed };
            PreparationCache cache = PreparationCache.Open();
            if (source.IsWeights)
            {
                // There is no other form of it that could be run in its place.
                if (findings.Loss is { } fault)
                    _problems.Add($"Its graph, which was written from the weights, gives wrong results on this machine. {fault}");
            }
            else if (findings.Loss is { } loss)
            {
                // What the copy does wrong is not the model's fault.
                _found.Clear();
                DemucsException refusal = PreparedModel.Refuse(source.Path!, cache, loss, cancellationToken);
                _problems.Add(refusal.Message);
                _result = _result with { Refusal = refusal };
            }
            else
            {
                PreparedModel.Allow(source.Path!, cache, cancellationToken);
            }
        }

        private void Report(ModelTestStage stage) => progress?.Report(new ModelTestProgress(source.Name, stage));
    }
}
