using System.Globalization;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;

namespace DemucsPS.Cli.Commands;

/// <summary>
/// What the console shows: results on stdout (file names, or a JSON object per track), progress, warnings and errors on stderr.
/// </summary>
internal sealed class SeparationReport(bool json, bool verbose)
{
    private readonly bool _terminal = !Console.IsErrorRedirected;
    private int _lineLength;
    private bool _noticed;
    private SeparationSummary _summary = SeparationSummary.None;

    private bool IsVerbose => verbose;

    /// <summary>A receiver of the progress of one track.</summary>
    public IProgress<SeparationProgress> Progress(TrackSource track) => new TrackProgress(this, track.Label());

    /// <summary>A detail about the inputs that few users need.</summary>
    public void Notice(string sentence)
    {
        EndLine();
        Console.Error.WriteLine($"note: {sentence}");
    }

    /// <summary>Something the user should know.</summary>
    public void Warning(string sentence)
    {
        EndLine();
        Console.Error.WriteLine($"warning: {sentence}");
    }

    /// <summary>Something that answers a question the user may have.</summary>
    public void Note(string sentence)
    {
        EndLine();
        Console.Error.WriteLine($"note: {sentence}");
    }

    /// <summary>The plan of a track; only computed if it is shown.</summary>
    public void Plan(TrackSource track, Func<SeparationPlan> plan, JobPlan jobs)
    {
        if (!verbose)
            return;
        SeparationPlan planned = plan();
        Detail($"{track.Label()} is read as {planned.Codec}.");
        Detail($"{track.Label()}: {planned.Work}; {jobs}.");
    }

    /// <summary>A track is done.</summary>
    public void Track(SeparationResult result)
    {
        EndLine();
        _summary = _summary.With(result);
        // What is said of the model holds for every track; once is enough to read, while each JSON object says it.
        foreach (string warning in result.Warnings.Where(w => w != ModelSource.BaselineNotice || !_noticed))
            Warning(warning);
        _noticed = true;
        Console.Error.WriteLine(
            result.Skipped
                ? $"{Label(result)}: skipped, {Count(result.Stems.Count, "stem")} already there, unchanged"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Label(result)}: {Count(result.Stems.Count, "stem")} of {result.Duration:h\\:mm\\:ss} in {result.Elapsed.TotalSeconds:F1} s ({result.RealTimeFactor:F2} s per second of music)"
                )
        );
        if (json)
        {
            Console.Out.WriteLine(ConsoleJson.Of(result));
            return;
        }
        foreach (StemFile stem in result.Stems)
            Console.Out.WriteLine(stem.FilePath);
    }

    /// <summary>A folder of stems was compared with its provenance.</summary>
    public void Verified(SeparationVerification verification)
    {
        if (json)
        {
            Console.Out.WriteLine(ConsoleJson.Of(verification));
            return;
        }
        foreach (VerifiedStem stem in verification.Stems)
            Console.Out.WriteLine($"{stem.State.ToString().ToLowerInvariant()} {stem.FilePath}");
    }

    /// <summary>A file was written.</summary>
    public void Written(string path)
    {
        EndLine();
        Console.Out.WriteLine(path);
    }

    /// <summary>A track, or with null the whole command, failed.</summary>
    public void Failure(string? input, DemucsException error)
    {
        EndLine();
        if (input is not null)
            _summary = _summary.WithFailure();
        Console.Error.WriteLine(Advice.LineOf(error));
        if (json)
            Console.Out.WriteLine(
                ConsoleJson.Of(
                    new
                    {
                        SourcePath = input,
                        Error = error.Error.ToString(),
                        Message = Advice.Of(error),
                    }
                )
            );
    }

    /// <summary>All tracks were tried.</summary>
    public void Summary()
    {
        EndLine();
        // Of one track everything is said already.
        if (_summary.Tracks < 2)
            return;
        Console.Error.WriteLine(_summary);
        if (json)
            Console.Out.WriteLine(ConsoleJson.Of(new { Summary = _summary }));
    }

    /// <summary>The user has stopped the command.</summary>
    /// <param name="what">What happened to the current track.</param>
    public void Canceled(string what)
    {
        EndLine();
        Console.Error.WriteLine($"canceled: {what}");
    }

    private static string Label(SeparationResult result) =>
        result.Track == Path.GetFileNameWithoutExtension(result.SourcePath)
            ? Path.GetFileName(result.SourcePath)
            : $"{result.Track} of {Path.GetFileName(result.SourcePath)}";

    private static string Count(int number, string noun) =>
        number == 1 ? $"1 {noun}" : string.Create(CultureInfo.InvariantCulture, $"{number} {noun}s");

    private void Show(string line, bool lasting)
    {
        if (_terminal)
        {
            Console.Error.Write('\r' + line.PadRight(_lineLength));
            _lineLength = line.Length;
        }
        else if (lasting)
        {
            Console.Error.WriteLine(line);
        }
    }

    private void Detail(string sentence)
    {
        EndLine();
        Console.Error.WriteLine(sentence);
    }

    /// <summary>Progress of a short operation; only for terminals.</summary>
    public void Progress(string line) => Show(line, lasting: false);

    /// <summary>Takes the progress away.</summary>
    public void EndProgress() => EndLine();

    private void EndLine()
    {
        if (_lineLength == 0)
            return;
        Console.Error.Write('\r' + new string(' ', _lineLength) + '\r');
        _lineLength = 0;
    }

    private sealed class TrackProgress(SeparationReport report, string track) : IProgress<SeparationProgress>
    {
        private readonly ChunkPace _pace = new();
        private readonly ProgressInterval _interval = new();

        public void Report(SeparationProgress value)
        {
            if (_pace.Take(value) is { } pace && report.IsVerbose)
                report.Detail($"{track}: {pace}");
            switch (value.Stage)
            {
                // Blocks come by the thousand; a few lines a second are enough, and none where they would fill a log.
                case SeparationStage.Measuring when _interval.Shows():
                    report.Show(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{track}: reading, {TimeSpan.FromSeconds((double)value.Done / DemucsAudio.SampleRate):h\\:mm\\:ss}"
                        ),
                        lasting: false
                    );
                    break;
                case SeparationStage.Separating:
                    string left = value.Remaining is { } time
                        ? string.Create(CultureInfo.InvariantCulture, $", {Math.Ceiling(time.TotalSeconds)} s left")
                        : "";
                    report.Show($"{track}: chunk {value.Done} of {value.Total}{left}", lasting: value.Done > 0);
                    break;
                case SeparationStage.Writing:
                    report.Show($"{track}: stem {value.Done} of {value.Total} written", lasting: false);
                    break;
            }
        }
    }
}
