using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Pictures;

namespace DemucsPS.Cmdlets;

/// <summary><c>Show-Spectrogram</c>: audio in, a picture of the spectrograms in the terminal, as Sixel.</summary>
[Cmdlet(VerbsCommon.Show, "Spectrogram", DefaultParameterSetName = PathSet)]
[OutputType(typeof(void))]
public sealed class ShowSpectrogramCommand : SpectrogramCommand
{
    /// <summary>As for any cmdlet; the picture is narrower than a file's, since terminals are.</summary>
    public ShowSpectrogramCommand() => Width = 800;

    /// <summary>Write the picture wherever it goes, and ask no terminal whether it shows pictures.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    private protected override void Prepare()
    {
        if (!Force && SixelTerminal.Refusal() is { } refusal)
            throw new DemucsException(
                DemucsError.SixelUnsupported,
                $"The picture cannot be shown here: {refusal}. Export-Spectrogram writes it to a file."
            )
            {
                Remedies = [Remedy.ShowUnasked],
            };
    }

    // By the host, as text that is not to be wrapped, formatted or caught.
    private protected override void Give(SpectrogramPicture picture) =>
        Host.UI.Write(Sixel.Encode(picture.ToPixels()) + Environment.NewLine);
}
