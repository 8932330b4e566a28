using System.Collections;
using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Cmdlets;

/// <summary>Common parameters of cmdlets that write stems: which stems, where to, and in which format.</summary>
public abstract class StemOutputCommand : PSCmdlet
{
    /// <summary>Write this stem, and everything else as <c>no_NAME</c>.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(StemCompleter))]
    public string? TwoStems { get; set; }

    /// <summary>Make <c>no_NAME</c> of the other stems, or of the mix minus the stem.</summary>
    [Parameter]
    public TwoStemsMethod TwoStemsMethod { get; set; }

    /// <summary>Write the mix minus the written stems as <c>residual</c>.</summary>
    [Parameter]
    public SwitchParameter Residual { get; set; }

    /// <summary>Write all stems, each with its gain in dB, as <c>mixdown</c>.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [StemGains]
    public Hashtable? Mixdown { get; set; }

    /// <summary>Folder for the stems.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string DestinationPath { get; set; } = "separated";

    /// <summary>How files are called below the folder.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(FileNameTemplateCompleter))]
    public string? FileNameTemplate { get; set; }

    /// <summary>What is between several values of a tag in names of files.</summary>
    [Parameter]
    [ValidateNotNull]
    public string ValueSeparator { get; set; } = TrackTags.Separator;

    /// <summary>The kind of file.</summary>
    [Parameter]
    public StemFileFormat Format { get; set; }

    /// <summary>16 or 24 (integers), or 32 (float).</summary>
    [Parameter]
    [ValidateSet("16", "24", "32")]
    public int BitDepth { get; set; } = 24;

    /// <summary>In kbit/s, of formats with losses.</summary>
    [Parameter]
    public int BitRate { get; set; }

    /// <summary>0 (best) to 9, of MP3 with a variable bit rate.</summary>
    [Parameter]
    public int Quality { get; set; }

    /// <summary>Frames per second of the files, or <c>Source</c> for those of each track's source.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string SampleRate { get; set; } = "44100";

    /// <summary>Write mono stems for mono sources.</summary>
    [Parameter]
    public SwitchParameter KeepMono { get; set; }

    /// <summary>What happens beyond full scale.</summary>
    [Parameter]
    public ClipMode Clip { get; set; }

    /// <summary>Add triangular dither before rounding to 16 or 24 bits.</summary>
    [Parameter]
    public SwitchParameter Dither { get; set; }

    /// <summary>Do not copy tags and cover art.</summary>
    [Parameter]
    public SwitchParameter NoTags { get; set; }

    /// <summary>Overwrite existing stems.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Whether nothing will be done, whatever the answer: then it may be looked at more closely what would be.</summary>
    private protected bool IsWhatIf => this.IsWhatIf();

    /// <summary>Where and how stems are to be written. Whether that can be done here, <see cref="StemOutput.Check"/> says.</summary>
    /// <exception cref="DemucsException">A parameter is out of range.</exception>
    private protected StemOutput Output()
    {
        StemFormat format = StemFormat.Create(
            Format,
            Given(nameof(BitDepth), BitDepth),
            Given(nameof(BitRate), BitRate),
            Given(nameof(Quality), Quality),
            Given(nameof(Clip), Clip),
            Dither,
            SampleRate,
            KeepMono
        );
        Engine.Naming.FileNameTemplate.CheckValueSeparator(ValueSeparator);
        FileNameTemplate? template = FileNameTemplate is null
            ? null
            : Engine.Naming.FileNameTemplate.Parse(FileNameTemplate, ValueSeparator);
        return new StemOutput(new StemNames(this.ResolveLiteral(DestinationPath, DemucsError.StemWriteFailed), template), format)
        {
            Overwrite = Force,
            CopyTags = !NoTags,
        };
    }

    /// <summary>What is to be made of a model's stems.</summary>
    /// <param name="stems">Names of the stems to write; null for all.</param>
    /// <exception cref="DemucsException">Parameters contradict each other.</exception>
    private protected StemRequest Choice(string[]? stems = null)
    {
        StemRequest choice = new()
        {
            Stems = stems,
            TwoStems = TwoStems,
            TwoStemsMethod = TwoStemsMethod,
            Residual = Residual,
            Mixdown = Mixdown is null
                ? null
                : new StemGains(
                    Mixdown
                        .Cast<DictionaryEntry>()
                        .OrderBy(e => (string)e.Key, StringComparer.Ordinal)
                        .Select(e => new KeyValuePair<string, double>((string)e.Key, (double)e.Value!))
                ),
            StemMp4 = Format == StemFileFormat.StemMp4,
        };
        choice.Check();
        return choice;
    }

    private T? Given<T>(string parameter, T value)
        where T : struct => MyInvocation.BoundParameters.ContainsKey(parameter) ? value : null;
}
