using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Pictures;

namespace DemucsPS.Cmdlets;

/// <summary><c>Export-Spectrogram</c>: audio in, one picture of the spectrograms as a PNG or SVG file out.</summary>
[Cmdlet(VerbsData.Export, "Spectrogram", SupportsShouldProcess = true, DefaultParameterSetName = PathSet)]
[OutputType(typeof(FileInfo))]
public sealed class ExportSpectrogramCommand : SpectrogramCommand
{
    private PictureFile? _file;

    /// <summary>File for the picture; the name ends in .png or .svg.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string DestinationPath { get; set; } = "";

    /// <summary>Overwrite an existing picture.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Give the written file.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void Prepare()
    {
        _file = new PictureFile(this.ResolveLiteral(DestinationPath, DemucsError.PictureWriteFailed), Force);
        _file.Check();
    }

    private protected override bool IsWanted(IReadOnlyList<SpectrogramPanel> panels) =>
        ShouldProcess(
            _file!.Path,
            $"Draw {(panels.Count == 1 ? "the spectrogram" : $"{panels.Count} spectrograms")} of {string.Join(", ", panels.Select(p => p.Name))}"
        );

    private protected override void Give(SpectrogramPicture picture)
    {
        picture.Write(_file!);
        WriteVerbose($"Wrote '{_file!.Path}'.");
        if (PassThru)
            // From the provider, as Get-Item gives them: with owner, mode and PSPath.
            WriteObject(InvokeProvider.Item.Get([_file.Path], force: true, literalPath: true), enumerateCollection: true);
    }
}
