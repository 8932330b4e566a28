namespace DemucsPS.Engine.Models.Installation;

/// <summary>How a model is installed.</summary>
public sealed record ModelInstallOptions
{
    /// <summary>
    /// Where to take files from in place of the catalog's addresses: the full path of a file or of a folder, or an https address (one that
    /// ends in / stands for a folder; http only for this machine). Hashes are checked anyway. Null for the catalog's addresses.
    /// </summary>
    public string? Source { get; init; }

    /// <summary>Whether the user accepts the model's license notice.</summary>
    public bool AcceptLicense { get; init; }

    /// <summary>Whether a model that is installed is fetched again.</summary>
    public bool Force { get; init; }

    /// <summary>Whether the prepared copy is made at once; else at first use.</summary>
    public bool Prepare { get; init; } = true;

    /// <summary>Receives messages for the user, on any thread; null to go without.</summary>
    public Action<string>? Warn { get; init; }
}
