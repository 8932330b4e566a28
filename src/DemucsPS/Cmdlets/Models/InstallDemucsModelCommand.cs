using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using DemucsPS.Engine;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Installation;

namespace DemucsPS.Cmdlets;

/// <summary><c>Install-DemucsModel</c>: installs models from the catalog, or a user's own model.</summary>
[Cmdlet(VerbsLifecycle.Install, "DemucsModel", SupportsShouldProcess = true)]
[OutputType(typeof(ModelInfo))]
public sealed class InstallDemucsModelCommand : ModelCommand
{
    /// <summary>Names in the catalog; or, with a local source, a new name for a user's own model.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>A file, a folder, a share or an https address to take files from.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Source { get; set; }

    /// <summary>Accept the license notice.</summary>
    [Parameter]
    public SwitchParameter AcceptLicense { get; set; }

    /// <summary>Install again what is already installed.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Leave the prepared copy to the first use.</summary>
    [Parameter]
    public SwitchParameter NoPreparation { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEach(Name, Install);

    private void Install(string name)
    {
        ModelInstallDisplay display = new(this);
        ModelInstallOptions options = new()
        {
            Source = ResolveSource(),
            AcceptLicense = AcceptLicense,
            Force = Force,
            Prepare = !NoPreparation,
            Warn = display.Warn,
        };
        ModelInstaller installer = new(Library);
        IReadOnlyList<ModelInfo> planned = installer.Plan(name, options);
        if (planned.Count == 0)
        {
            WriteVerbose($"{name} is installed already.");
            WriteObject(Library.Describe(name));
            return;
        }
        if (!ShouldProcess(Path.Combine(Library.Folder, planned.Count == 1 ? planned[0].Name : ""), Describe(planned)))
            return;
        bool asked = false;
        if (!options.AcceptLicense && planned.Select(m => m.LicenseNotice).FirstOrDefault(n => n is not null) is { } notice)
            options = options with { AcceptLicense = Ask(name, notice, out asked) };
        try
        {
            WriteObject(display.Watch(Task.Run(() => installer.InstallAsync(name, options, display, Stop.Token)), Stop));
        }
        catch (DemucsException e) when (e.Error == DemucsError.LicenseNotAccepted && !asked)
        {
            // Nobody would answer for the next one, either.
            ThrowTerminatingError(e.ToRecord(name));
        }
    }

    private string Describe(IReadOnlyList<ModelInfo> planned)
    {
        string size = planned.Sum(m => m.Size) is > 0 and long bytes
            ? string.Create(CultureInfo.InvariantCulture, $", {bytes / 1e6:F0} MB")
            : "";
        string notice =
            !AcceptLicense && planned.Select(m => m.LicenseNotice).FirstOrDefault(n => n is not null) is { } said
                ? $"; its license notice must be accepted first (-AcceptLicense): {said}"
                : "";
        return $"Install {string.Join(", ", planned.Select(m => m.Name))} from {(Source is null ? "the addresses of the catalog" : $"'{Source}'")}{size}{notice}";
    }

    /// <summary>Asks the user. Without a user to answer, the license is not accepted.</summary>
    /// <param name="name">The model.</param>
    /// <param name="notice">What is to be accepted.</param>
    /// <param name="asked">Whether there was a user to ask.</param>
    private bool Ask(string name, string notice, out bool asked)
    {
        asked = false;
        // The console takes an empty line of a pipe or a file for yes, and fails at its end. Other hosts ask elsewhere than at the standard
        // input.
        if (Host.Name == "ConsoleHost" && Console.IsInputRedirected)
            return false;
        try
        {
            bool accepted = ShouldContinue($"{notice}\n\nInstall it?", $"License notice of {name}");
            asked = true;
            return accepted;
        }
        catch (Exception e) when (e is PSInvalidOperationException or HostException or PSNotImplementedException or NullReferenceException)
        {
            // The last is what the console throws at the end of its input, such as Ctrl+D.
            return false;
        }
    }

    private string? ResolveSource()
    {
        if (
            Source is null
            || (
                Uri.TryCreate(Source, UriKind.Absolute, out Uri? address)
                && address.Scheme is "http" or "https" or "file"
                && Source.Contains("://", StringComparison.Ordinal)
            )
        )
            return Source;
        return this.ResolveLiteral(Source, DemucsError.ModelDownloadFailed);
    }
}
