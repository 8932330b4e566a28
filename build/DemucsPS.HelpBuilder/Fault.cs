namespace DemucsPS.HelpBuilder;

/// <summary>What is wrong in a page.</summary>
/// <param name="File">The page.</param>
/// <param name="Line">Counted from 1.</param>
/// <param name="Message">A sentence.</param>
internal sealed record Fault(string File, int Line, string Message)
{
    /// <summary>As MSBuild reads errors of tools.</summary>
    public override string ToString() => $"{File}({Line}): error HELP: {Message}";
}
