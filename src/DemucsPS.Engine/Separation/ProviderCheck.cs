using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Whether an execution provider computes a model as the processor does: chunks with music, near silence and peaks are computed by both at
/// the first use of this provider, device, precision and model, and the figure is remembered beside the prepared copies. Providers round in
/// their own ways, and wrong ones have been shipped (microsoft/onnxruntime#21007).
/// </summary>
internal static class ProviderCheck
{
    /// <summary>Below this, in full precision, more is lost than the rounding of 32-bit floats.</summary>
    private const double LeastFullDb = 80;

    /// <summary>Below this, in a reduced precision, the difference is nearer to what the model itself gets wrong.</summary>
    private const double LeastReducedDb = 25;

    // In deviations of the mix, which is what models take.
    private const float Quiet = 1e-3f,
        Peak = 30;

    private const int PeakDistance = 4410;

    /// <summary>The folder of the cache with the figures.</summary>
    internal const string FolderName = "provider-checks";

    /// <summary>Refuses a provider whose results for a model differ.</summary>
    /// <param name="source">The model.</param>
    /// <param name="options">How it is to run: on a certain provider, another than the processor.</param>
    /// <param name="prepare">Whether its prepared copy runs.</param>
    /// <param name="stemNames">Names for its stems, where it does not say them; null otherwise.</param>
    /// <param name="tell">Receives verbose messages; null to go without.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProviderRefused"/>: it does; others as for loading the model.</exception>
    public static void Run(
        ModelSource source,
        OnnxSessionOptions options,
        bool prepare,
        IReadOnlyList<string>? stemNames,
        Action<string>? tell,
        CancellationToken cancellationToken
    )
    {
        string provider = ExecutionProviderChoice.Describe(options);
        string file = Path.Combine(
            PreparationCache.Open().Folder,
            FolderName,
            NameOf(source, options, provider, prepare, cancellationToken)
        );
        if (Recall(file) is not { } agreement)
        {
            agreement = Measure(source, options, prepare, stemNames, cancellationToken);
            Remember(file, agreement, tell);
            tell?.Invoke(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{provider} agrees with the CPU on model '{source.Path ?? source.Name}' to {agreement:F1} dB."
                )
            );
        }
        double least = options.Precision == ModelPrecision.Full ? LeastFullDb : LeastReducedDb;
        if (agreement >= least)
            return;
        throw new DemucsException(
            DemucsError.ProviderRefused,
            string.Create(
                CultureInfo.InvariantCulture,
                $"The execution provider {provider} gives wrong results for model '{source.Path ?? source.Name}' in the precision {options.Precision}: it agrees with the CPU to {agreement:F1} dB, but at least {least:F0} dB are expected. Use the execution provider Cpu, or another version of this one."
            ),
            source.Path
        )
        {
            Remedies = [Remedy.SkipProviderCheck],
        };
    }

    /// <summary>The least agreement of a chunk, in dB; not a number where the provider gives what is none.</summary>
    private static double Measure(
        ModelSource source,
        OnnxSessionOptions options,
        bool prepare,
        IReadOnlyList<string>? stemNames,
        CancellationToken cancellationToken
    )
    {
        // One after the other, so that they are not in memory together.
        float[][]?[] expected = Compute(options.ForCpu()),
            actual = Compute(options with { SkipProviderCheck = true });
        double least = double.PositiveInfinity;
        for (int chunk = 0; chunk < expected.Length; chunk++)
        {
            // What the model itself does not compute says nothing of the provider.
            if (expected[chunk] is { } truth)
                least = Math.Min(least, actual[chunk] is { } own ? TestSegment.Agreement(truth, own) : double.NaN);
        }
        return least;

        float[][]?[] Compute(OnnxSessionOptions how)
        {
            using ModelBag bag = ModelBag.Load(
                new ModelSelection
                {
                    Models = [source],
                    StemNames = stemNames,
                    Precision = how.Precision,
                    BatchSize = how.BatchSize,
                },
                null,
                how,
                prepare,
                cancellationToken: cancellationToken
            );
            return
            [
                .. Chunks(bag.Contract.SegmentFrames)
                    .Select((chunk, i) => TestSegment.Separate(bag, chunk.Left, chunk.Right, i % bag.BatchSize, out _, cancellationToken)),
            ];
        }
    }

    private static IEnumerable<(float[] Left, float[] Right)> Chunks(int frames)
    {
        (float[] left, float[] right) = TestSegment.Create(frames);
        yield return (left, right);
        yield return (Array.ConvertAll(left, x => Quiet * x), Array.ConvertAll(right, x => Quiet * x));
        for (int i = 0; i < frames; i += PeakDistance)
            (left[i], right[i]) = (Peak, -Peak);
        yield return (left, right);
    }

    /// <summary>By all on which the figure depends.</summary>
    internal static string NameOf(
        ModelSource source,
        OnnxSessionOptions options,
        string provider,
        bool prepare,
        CancellationToken cancellationToken
    )
    {
        IEnumerable<string> files = source.Path is { } path
            ? ModelFileSet.Create(path, null).Identify(cancellationToken).Select(file => file.Sha256)
            : [source.Name];
        string key = string.Join(
            '\0',
            [
                SeparationIdentity.CurrentVersion,
                OnnxRuntimeLibrary.Version,
                provider,
                options.Precision.ToString(),
                prepare.ToString(),
                FormattableString.Invariant($"{PreparedModel.RewriteVersion}"),
                .. options.BatchSize == 1 ? [] : (string[])[FormattableString.Invariant($"{options.BatchSize} at once")],
                .. files,
            ]
        );
        return $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..32]}.txt";
    }

    private static double? Recall(string file)
    {
        try
        {
            if (!File.Exists(file))
                return null;
            using StreamReader reader = new(RegularFile.OpenRead(file));
            return double.TryParse(reader.ReadLine(), NumberStyles.Float, CultureInfo.InvariantCulture, out double agreement)
                ? agreement
                : null;
        }
        catch (Exception e) when (e.IsFileError())
        {
            // Then it is computed again.
            return null;
        }
    }

    private static void Remember(string file, double agreement, Action<string>? tell)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            DurableFiles.Write(
                file,
                $"{file}.{Guid.NewGuid():N}.tmp",
                overwrite: true,
                agreement.ToString("R", CultureInfo.InvariantCulture),
                static (stream, text) => stream.Write(Encoding.UTF8.GetBytes(text))
            );
        }
        catch (Exception e) when (e.IsFileError())
        {
            tell?.Invoke(
                $"The check of the execution provider cannot be saved in '{file}', so it will run again the next time: {e.Message}"
            );
        }
    }
}
