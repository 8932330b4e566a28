using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Machine;

namespace DemucsPS.Engine.Clusters;

/// <summary>The tracks that a job is made of: whole files, each once.</summary>
public static class ClusterInput
{
    /// <summary>The files of what was given.</summary>
    /// <param name="given">Full paths of files, folders and playlists.</param>
    /// <param name="options">What is taken of them.</param>
    /// <param name="notice">Receives what was left out.</param>
    /// <param name="failed">Receives what cannot be used.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: an option is out of range, or files would be cut into
    /// several tracks.</exception>
    public static IReadOnlyList<string> Files(
        IEnumerable<string> given,
        TrackListOptions options,
        Action<string> notice,
        Action<DemucsException> failed
    )
    {
        if (options.ChannelLayout != ChannelLayout.FirstTwo)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                "A job cannot separate pairs of channels: it takes whole files. Separate those files without a job."
            )
            {
                Parameter = EngineParameter.ChannelLayout,
            };
        TrackList list = new(options, notice, failed);
        List<string> files = [];
        foreach (TrackSource track in given.SelectMany(list.Expand))
        {
            if (track.Range is not null || track.TrackName is not null)
                failed(
                    new DemucsException(
                        DemucsError.TrackListInvalid,
                        $"{track.Name} of '{track.Path}' is skipped: a job takes whole files, but a CUE sheet names parts of files. Separate the sheet without a job.",
                        track.Path
                    )
                );
            else if (!Path.Exists(track.Path))
                failed(
                    new DemucsException(
                        DemucsError.AudioTrackNotFound,
                        $"The file '{track.Path}' does not exist. Check the name.",
                        track.Path
                    )
                );
            else if (!track.Path.Contains('\0', StringComparison.Ordinal))
                files.Add(track.Path);
        }
        return files;
    }

    /// <summary>
    /// The lengths of files in seconds, by their headers, several at once; null if a file does not say it, 0 if it cannot be read.
    /// </summary>
    /// <param name="files">Full paths.</param>
    /// <param name="options">What is taken of them.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public static IReadOnlyList<double?> Durations(
        IReadOnlyList<string> files,
        TrackListOptions options,
        CancellationToken cancellationToken
    )
    {
        double?[] durations = new double?[files.Count];
        Parallel.For(
            0,
            files.Count,
            new ParallelOptions { MaxDegreeOfParallelism = MachineLimits.Processors, CancellationToken = cancellationToken },
            i =>
                durations[i] = TrackDurations
                    .Measure(
                        new TrackSource(files[i])
                        {
                            StreamIndex = options.StreamIndex,
                            LateStart = options.LateStart,
                            OnDamage = options.OnDamage,
                        }
                    )
                    .Seconds
        );
        return durations;
    }
}
