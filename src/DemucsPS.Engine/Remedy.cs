namespace DemucsPS.Engine;

/// <summary>
/// What can be done against an error, or continue after it, by repeating the command with another parameter. Each front end calls its
/// parameters by their own names.
/// </summary>
public enum Remedy
{
    /// <summary>What exists is replaced.</summary>
    Replace,

    /// <summary>An interrupted separation is discarded, and starts over.</summary>
    StartAnew,

    /// <summary>An interrupted separation is continued.</summary>
    Resume,

    /// <summary>Tracks that are done are skipped; in a batch that was interrupted, <see cref="Resume"/> goes with it.</summary>
    SkipExisting,

    /// <summary>Folders are taken with the folders in them.</summary>
    Recurse,

    /// <summary>A stem is joined although chunks are missing; they are silent.</summary>
    JoinIncomplete,

    /// <summary>A stem is joined although chunks came more than once, from the first ones.</summary>
    JoinFirst,

    /// <summary>A model's license notice is accepted.</summary>
    AcceptLicense,

    /// <summary>An installed model is fetched again.</summary>
    Reinstall,

    /// <summary>The model is run without preparation.</summary>
    NoPreparation,

    /// <summary>A track that has lost some of its sound is read anyway.</summary>
    PassOverDamage,

    /// <summary>A picture is written to whatever is there, which is not asked whether it shows pictures.</summary>
    ShowUnasked,

    /// <summary>A job's folder is created but not submitted.</summary>
    PrepareOnly,

    /// <summary>An execution provider is used without comparing what it computes with the CPU.</summary>
    SkipProviderCheck,

    /// <summary>An execution provider is installed from its vendor's package.</summary>
    InstallProvider,

    /// <summary>Tracks that are done are skipped; <see cref="Resume"/> was requested, which continues only others.</summary>
    SkipFinished,
}
