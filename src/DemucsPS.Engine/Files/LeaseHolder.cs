namespace DemucsPS.Engine.Files;

/// <summary>Who has a lease.</summary>
/// <param name="Note">What it says; null if that cannot be read.</param>
/// <param name="FreeAfter">How long it has to stay as it is to count as expired; null if its process is known to live.</param>
internal sealed record LeaseHolder(LeaseNote? Note, TimeSpan? FreeAfter)
{
    /// <summary>For people: <c>process 1234 on node7</c>.</summary>
    public override string ToString() =>
        Note is null ? "another process" : FormattableString.Invariant($"process {Note.Process} on {Note.Host}");
}
