using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Separation;

namespace DemucsPS;

/// <summary>
/// Shows the progress of one track after another: the track above, its chunks below. At most five records a second, then Completed.
/// </summary>
/// <param name="cmdlet">Where it is shown.</param>
/// <param name="activity">What is done with the tracks.</param>
internal sealed class TrackProgress(Cmdlet cmdlet, string activity) : IProgress<SeparationProgress>
{
    private const int TrackActivity = 1,
        ChunkActivity = 2;

    private readonly ProgressInterval _interval = new();
    private string _track = "";
    private int _tracks;
    private SeparationStage _stage;
    private ChunkPace _pace = new();

    /// <summary>The next track begins.</summary>
    /// <param name="source">The track.</param>
    /// <param name="setting">The setting, if there are several.</param>
    public void Begin(TrackSource source, string? setting = null)
    {
        _track = setting is null ? source.Label() : $"{source.Label()} with {setting}";
        _tracks++;
        _interval.Reset();
        _pace = new ChunkPace();
    }

    /// <inheritdoc/>
    public void Report(SeparationProgress value)
    {
        if (_pace.Take(value) is { } pace)
            cmdlet.WriteVerbose($"{_track}: {pace}");
        bool last = value.Stage == SeparationStage.Separating && value.Done == value.Total;
        if (!_interval.Shows(always: last || value.Stage != _stage))
            return;
        _stage = value.Stage;
        cmdlet.WriteProgress(new ProgressRecord(TrackActivity, activity, $"track {_tracks}: {_track}"));
        cmdlet.WriteProgress(
            new ProgressRecord(ChunkActivity, Activity(value.Stage), Status(value))
            {
                ParentActivityId = TrackActivity,
                PercentComplete = value.Total > 0 ? (int)Math.Min(100, 100 * value.Done / value.Total) : -1,
                SecondsRemaining = value.Remaining is { } left ? (int)Math.Ceiling(left.TotalSeconds) : -1,
            }
        );
    }

    /// <summary>Takes the display away.</summary>
    public void Complete()
    {
        if (!_interval.HasShown)
            return;
        _interval.Reset();
        cmdlet.WriteProgress(
            new ProgressRecord(ChunkActivity, "Chunks", "done")
            {
                ParentActivityId = TrackActivity,
                RecordType = ProgressRecordType.Completed,
            }
        );
        cmdlet.WriteProgress(new ProgressRecord(TrackActivity, activity, "done") { RecordType = ProgressRecordType.Completed });
    }

    private static string Activity(SeparationStage stage) =>
        stage switch
        {
            SeparationStage.Measuring => "Reading",
            SeparationStage.Separating => "Chunks",
            _ => "Writing",
        };

    private static string Status(SeparationProgress value) =>
        value.Stage switch
        {
            SeparationStage.Measuring => $"{TimeSpan.FromSeconds(value.Done / DemucsAudio.SampleRate):h\\:mm\\:ss} read",
            SeparationStage.Separating => $"chunk {value.Done} of {value.Total}",
            _ => $"stem {value.Done} of {value.Total}",
        };
}
