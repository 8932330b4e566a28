using System.Management.Automation;
using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cmdlets;

/// <summary><c>Receive-DemucsJob</c>: folders of jobs in, and the result of each track out.</summary>
[Cmdlet(VerbsCommunications.Receive, "DemucsJob")]
[OutputType(typeof(ClusterTrack))]
public sealed class ReceiveDemucsJobCommand : JobCommand
{
    /// <summary>States of the wanted tracks; all without it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public TrackState[] State { get; set; } = [];

    private protected override void ProcessJob(ClusterJob job, string target)
    {
        foreach (ClusterTrack track in ClusterProgress.Read(job).Tracks.Where(track => State.Length == 0 || State.Contains(track.State)))
            WriteObject(track);
    }
}
