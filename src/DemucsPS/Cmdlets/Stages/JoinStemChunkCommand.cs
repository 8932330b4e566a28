using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Cmdlets;

/// <summary>
/// <c>Join-StemChunk</c>: chunks of stems in, in any order, whole <see cref="Engine.Tracks.Stem"/>s out, each as soon as all its chunks are
/// there.
/// </summary>
[Cmdlet(VerbsCommon.Join, "StemChunk")]
[OutputType(typeof(Stem))]
public sealed class JoinStemChunkCommand : PSCmdlet
{
    private StemJoiner? _joiner;

    /// <summary>The chunks, from <c>Invoke-DemucsChunk</c>; of any number of tracks, stems and models.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public StemChunk[] Chunk { get; set; } = [];

    /// <summary>Power of the crossfade between chunks, 1 to 4.</summary>
    [Parameter]
    public double TransitionPower { get; set; } = 1;

    /// <summary>Join what there is: missing chunks silent, of doubled ones the first.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        try
        {
            _joiner = new StemJoiner(TransitionPower, Force);
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(TransitionPower));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (StemChunk chunk in Chunk)
        {
            if (_joiner!.Add(chunk) is { } stem)
                Emit(stem);
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (StemJoinResult joined in _joiner!.Complete())
        {
            if (joined.Warning is not null)
                WriteWarning(joined.Warning);
            if (joined.Error is not null)
                WriteError(joined.Error.ToRecord(joined.Track));
            if (joined.Stem is not null)
                Emit(joined.Stem);
        }
    }

    private void Emit(Stem stem)
    {
        WriteVerbose($"Joined {stem} (model {stem.ModelName}).");
        WriteObject(stem);
    }
}
