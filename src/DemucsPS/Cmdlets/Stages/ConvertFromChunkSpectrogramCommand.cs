using System.Management.Automation;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Cmdlets;

/// <summary><c>ConvertFrom-ChunkSpectrogram</c>: spectrograms in, the samples of their chunks out.</summary>
[Cmdlet(VerbsData.ConvertFrom, "ChunkSpectrogram")]
[OutputType(typeof(SegmentSamples))]
public sealed class ConvertFromChunkSpectrogramCommand : PSCmdlet
{
    /// <summary>The spectrograms, from <c>ConvertTo-ChunkSpectrogram</c>, edited or not.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public ChunkSpectrogram[] Spectrogram { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (ChunkSpectrogram spectrogram in Spectrogram)
            WriteObject(spectrogram.ToSamples());
    }
}
