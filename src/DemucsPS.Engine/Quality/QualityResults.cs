using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Quality;

/// <summary>
/// A folder of results, FOLDER/MODEL/TRACK.json: each is written when its track is measured, so that an interrupted set can continue.
/// </summary>
/// <param name="Folder">Full path; need not exist.</param>
public sealed record QualityResults(string Folder)
{
    /// <summary>Whether results that are there are taken.</summary>
    public bool Resume { get; init; }

    /// <summary>Whether results that are there and are not of the same stems and options are replaced.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Full path of a track's result.</summary>
    /// <param name="track">The track.</param>
    public string PathOf(EstimatedTrack track)
    {
        string folder = track.Model is null
            ? Folder
            : Path.Combine([Folder, .. track.Model.Split('/').Select(part => SafeFileName.Finish(SafeFileName.Clean(part)))]);
        return Path.Combine(folder, SafeFileName.Finish(SafeFileName.Clean(track.Track)) + ".json");
    }

    /// <summary>The result of a track, measured or, as far as that is requested and possible, taken from the folder.</summary>
    /// <param name="track">The track.</param>
    /// <param name="options">What is wanted.</param>
    /// <param name="progress">Takes shares of the work done.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.StemExists"/>: there is a result. <see cref="DemucsError.ResumeMismatch"/>: it is of other stems or options,
    /// or cannot be read. <see cref="DemucsError.StemWriteFailed"/>: it cannot be written.
    /// As <see cref="StemMeasurement.Measure(EstimatedTrack, QualityOptions, Action{double}, CancellationToken)"/>.
    /// </exception>
    public TrackQuality Measure(
        EstimatedTrack track,
        QualityOptions options,
        Action<double>? progress = null,
        CancellationToken cancellationToken = default
    ) => Measure(track, options, new EvaluationPool(), progress, cancellationToken);

    /// <summary>The same, with arrays of the track before.</summary>
    internal TrackQuality Measure(
        EstimatedTrack track,
        QualityOptions options,
        EvaluationPool stock,
        Action<double>? progress,
        CancellationToken cancellationToken
    )
    {
        // Before what is kept is asked: a track that cannot be measured has no stems that a result could be of.
        if (track.Fault is { } fault)
            throw fault;
        string path = PathOf(track),
            identity = IdentityOf(track, options);
        if (File.Exists(path) && !(Overwrite && !Resume))
        {
            if (!Resume)
                throw new DemucsException(DemucsError.StemExists, $"The result '{path}' already exists.", path)
                {
                    Remedies = [Remedy.Resume, Remedy.Replace],
                };
            if (Read(path) is { } found && found.Identity == identity)
                return found.Quality;
            if (!Overwrite)
                throw new DemucsException(
                    DemucsError.ResumeMismatch,
                    $"The result '{path}' belongs to other stems or options, or cannot be read.",
                    path
                )
                {
                    Remedies = [Remedy.StartAnew],
                };
        }
        TrackQuality quality = StemMeasurement.Measure(track, options, stock, progress, cancellationToken);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(path, e);
        }
        DurableFiles.Replace(path, QualityJson.ToBytes(quality, identity), path + ".partial");
        return quality;
    }

    private static (TrackQuality Quality, string? Identity)? Read(string path)
    {
        try
        {
            return QualityJson.Parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is JsonException || e.IsFileError())
        {
            return null;
        }
    }

    /// <summary>All that figures depend on: the options, and of each file its place, length and date.</summary>
    private static string IdentityOf(EstimatedTrack track, QualityOptions options)
    {
        StringBuilder all = new();
        all.Append(CultureInfo.InvariantCulture, $"1|{options.Window:R}|{options.Hop ?? options.Window:R}|{(int)options.Metrics}");
        foreach (
            (string name, string path, int stream) in track
                .Estimates.Concat(track.References)
                .Select(s => (s.Key, s.Value.Path, s.Value.StreamIndex))
                .Append(("mix", track.MixPath ?? "", 0))
        )
        {
            FileInfo? file = path.Length > 0 ? new FileInfo(path) : null;
            all.Append(
                CultureInfo.InvariantCulture,
                $"|{name}|{path}|{(file is { Exists: true } ? file.Length : -1)}|{(file is { Exists: true } ? file.LastWriteTimeUtc.Ticks : 0)}"
            );
            if (stream > 0)
                all.Append(CultureInfo.InvariantCulture, $"|{stream}");
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString())));
    }
}
