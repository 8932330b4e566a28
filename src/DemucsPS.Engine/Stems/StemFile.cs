namespace DemucsPS.Engine.Stems;

/// <summary>A written stem.</summary>
/// <param name="StemName">Such as <c>vocals</c> or <c>no_vocals</c>.</param>
/// <param name="FilePath">Full path of the file.</param>
/// <param name="Peak">Greatest absolute sample before any rescaling; 1 is full scale.</param>
/// <param name="ClippedSamples">Samples that were limited to the range of the file.</param>
public sealed record StemFile(string StemName, string FilePath, float Peak, long ClippedSamples)
{
    /// <summary>The file's path.</summary>
    public override string ToString() => FilePath;
}
