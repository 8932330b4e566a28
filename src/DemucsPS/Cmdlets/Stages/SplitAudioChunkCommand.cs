using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Cmdlets;

/// <summary><c>Split-AudioChunk</c>: tracks in, the <see cref="AudioChunk"/>s of each out.</summary>
[Cmdlet(VerbsCommon.Split, "AudioChunk")]
[OutputType(typeof(AudioChunk))]
public sealed class SplitAudioChunkCommand : PSCmdlet
{
    /// <summary>The tracks, from <c>Import-AudioTrack</c>.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public AudioTrack[] Track { get; set; } = [];

    /// <summary>Share of a chunk that neighbors have in common, 0 to 0.99.</summary>
    [Parameter]
    public double Overlap { get; set; } = 0.05;

    /// <summary>Frames of a chunk: what the model takes. htdemucs: 343,980.</summary>
    [Parameter]
    public int Length { get; set; } = AudioChunk.UsualSegmentFrames;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        try
        {
            AudioTrack.CheckSplit(Overlap, Length);
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(null));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (AudioTrack track in Track)
        {
            bool first = true;
            foreach (AudioChunk chunk in track.Split(Overlap, Length))
            {
                if (first)
                    WriteVerbose(
                        FormattableString.Invariant(
                            $"{track}: {chunk.Count} chunks of up to {(double)Length / track.SampleRate:F2} s, overlap {Overlap}."
                        )
                    );
                first = false;
                WriteObject(chunk);
            }
        }
    }
}
