using System.Management.Automation;

namespace DemucsPS.Tests;

/// <summary>
/// <c>Watch-Stop</c>: hands on what comes, and tells when its pipeline is being stopped. Commands are told in their order, so at the end of
/// a pipeline it knows that all others have been told.
/// </summary>
[Cmdlet(VerbsCommon.Watch, "Stop")]
public sealed class WatchStopCommand : PSCmdlet
{
    [Parameter(Mandatory = true)]
    public ManualResetEventSlim Told { get; set; } = null!;

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    protected override void ProcessRecord() => WriteObject(InputObject);

    protected override void StopProcessing() => Told.Set();
}
