namespace DemucsPS.Engine;

/// <summary>What can be done against an error, or go on after it, by asking for the same again with a parameter more. Each front end calls its parameters by their own names.</summary>
public enum Remedy
{
    /// <summary>What exists is replaced.</summary>
    Replace,

    /// <summary>What is done of an interrupted separation is thrown away, and it is begun anew.</summary>
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

    /// <summary>What a model's license notice says is accepted.</summary>
    AcceptLicense,

    /// <summary>An installed model is fetched again.</summary>
    Reinstall,

    /// <summary>A model is run as it is, not its prepared copy.</summary>
    NoPreparation,

    /// <summary>A track that has lost some of its sound is read all the same.</summary>
    PassOverDamage,

    /// <summary>A picture is written to whatever is there, which is not asked whether it shows pictures.</summary>
    ShowUnasked,

    /// <summary>A job's folder is made and handed to nobody.</summary>
    PrepareOnly,

    /// <summary>An execution provider is used without comparing what it computes with the processor.</summary>
    SkipProviderCheck,
}
