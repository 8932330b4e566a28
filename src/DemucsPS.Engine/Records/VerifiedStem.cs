namespace DemucsPS.Engine.Records;

/// <summary>A stem that was compared with its provenance.</summary>
/// <param name="StemName">Such as <c>vocals</c>.</param>
/// <param name="FilePath">Full path of the file.</param>
/// <param name="State">What happened to it.</param>
public sealed record VerifiedStem(string StemName, string FilePath, StemFileState State)
{
    /// <summary>The stem and its state.</summary>
    public override string ToString() => $"{StemName}: {State}";
}
