namespace DemucsPS.Engine.Separation;

/// <summary>A separation was canceled. The message says what is kept of it.</summary>
public sealed class SeparationCanceledException : OperationCanceledException
{
    internal SeparationCanceledException(
        string message,
        IReadOnlyList<Remedy> remedies,
        Exception cause,
        CancellationToken cancellationToken
    )
        : base(message, cause, cancellationToken) => Remedies = remedies;

    /// <summary>How it can go on; empty if nothing is kept.</summary>
    public IReadOnlyList<Remedy> Remedies { get; }
}
