namespace DemucsPS.Engine;

/// <summary>
/// Anything that can go wrong for a reason a user can act on: a file, a model, the native runtime, a destination. The message names the
/// file, the fault and the remedy. Remedies by parameters, whose names differ between front ends, are in <see cref="Remedies"/>.
/// </summary>
public sealed class DemucsException : Exception
{
    /// <summary>Creates an error.</summary>
    /// <param name="error">The stable identity of the error.</param>
    /// <param name="message">A sentence for the user: what is wrong with which file, and what to do.</param>
    /// <param name="path">The file or folder concerned, if any.</param>
    /// <param name="innerException">The cause, if another exception was caught.</param>
    public DemucsException(DemucsError error, string message, string? path = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Error = error;
        Path = path;
    }

    /// <summary>The stable identity of the error; its name is the error id that PowerShell and the console show.</summary>
    public DemucsError Error { get; }

    /// <summary>The file or folder concerned, if any.</summary>
    public string? Path { get; }

    /// <summary>The parameter that is wrong; null if it is none, or more than one.</summary>
    public EngineParameter? Parameter { get; init; }

    /// <summary>What parameters can do against it, the likeliest first; empty for nothing.</summary>
    public IReadOnlyList<Remedy> Remedies { get; init; } = [];

    /// <summary>
    /// Where another process that may be dead has what is needed: how long it has to stay silent to count as that. Null for all other
    /// errors.
    /// </summary>
    internal TimeSpan? MayPass { get; init; }
}
