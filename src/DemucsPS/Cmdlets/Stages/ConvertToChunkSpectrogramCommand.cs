using System.Management.Automation;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Cmdlets;

/// <summary><c>ConvertTo-ChunkSpectrogram</c>: chunks in, the spectrograms that a model would get out.</summary>
[Cmdlet(VerbsData.ConvertTo, "ChunkSpectrogram")]
[OutputType(typeof(ChunkSpectrogram))]
public sealed class ConvertToChunkSpectrogramCommand : PSCmdlet
{
    /// <summary>The chunks, from <c>Split-AudioChunk</c>.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public AudioChunk[] Chunk { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (AudioChunk chunk in Chunk)
            WriteObject(ChunkSpectrogram.Compute(chunk));
    }
}
