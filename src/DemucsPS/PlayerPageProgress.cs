using System.Management.Automation;
using DemucsPS.Engine.Player;
using DemucsPS.Engine.Separation;

namespace DemucsPS;

/// <summary>Shows how far a player page is, at most five times a second, and takes that away again.</summary>
/// <param name="cmdlet">The cmdlet that makes it.</param>
/// <param name="activity">What the cmdlet does.</param>
internal sealed class PlayerPageProgress(Cmdlet cmdlet, string activity) : IProgress<PlayerProgress>
{
    private readonly ProgressInterval _interval = new();
    private string _page = "";

    /// <summary>The next page begins.</summary>
    /// <param name="page">What it is called.</param>
    public void Begin(string page) => _page = page;

    /// <inheritdoc/>
    public void Report(PlayerProgress value)
    {
        if (_interval.Shows())
            cmdlet.WriteProgress(
                new ProgressRecord(1, activity, _page)
                {
                    PercentComplete = value.Total > 0 ? (int)Math.Min(100, 100 * value.Done / value.Total) : -1,
                }
            );
    }

    /// <summary>The page is done, or will not be made.</summary>
    public void Complete()
    {
        if (_interval.HasShown)
            cmdlet.WriteProgress(new ProgressRecord(1, activity, "done") { RecordType = ProgressRecordType.Completed });
        _interval.Reset();
    }
}
