using System.Management.Automation;

namespace DemucsPS.Cmdlets;

/// <summary>
/// What cmdlets that take audio files, or folders of stems, have in common: how they are named, and that they are taken one by one.
/// </summary>
public abstract class AudioFileCommand : PSCmdlet
{
    private protected const string PathSet = "Path",
        LiteralPathSet = "LiteralPath";

    /// <summary>Audio files; wildcards are allowed.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [FileToPath]
    public string[] Path { get; set; } = [];

    /// <summary>Audio files, by literal names.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>What is looked for, for messages.</summary>
    private protected virtual string Kind => "file";

    /// <inheritdoc/>
    protected sealed override void ProcessRecord()
    {
        if (ParameterSetName is not (PathSet or LiteralPathSet))
        {
            ProcessOther();
            return;
        }
        bool literal = ParameterSetName == LiteralPathSet;
        foreach ((string file, string target) in this.ResolveFiles(literal ? LiteralPath : Path, literal, Missed, Kind))
            ProcessFile(file, target);
    }

    /// <summary>Works on what comes by a parameter set of the cmdlet's own.</summary>
    private protected virtual void ProcessOther() { }

    /// <summary>A name leads nowhere; the error is written.</summary>
    private protected virtual void Missed() { }

    /// <summary>Works on one file.</summary>
    /// <param name="file">Full path.</param>
    /// <param name="target">What errors should name.</param>
    private protected abstract void ProcessFile(string file, string target);
}
