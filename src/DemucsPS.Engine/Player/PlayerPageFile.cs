namespace DemucsPS.Engine.Player;

/// <summary>A written player page.</summary>
/// <param name="Title">What its track is called.</param>
/// <param name="FilePath">Full path of the page.</param>
/// <param name="Variants">How many separations of the track it compares.</param>
/// <param name="Stems">Names of the stems, of all variants.</param>
/// <param name="HasMix">Whether the mix can be heard against the sum of the stems.</param>
/// <param name="Duration">Length of the longest track.</param>
/// <param name="Audio">Where the sound is: <see cref="PlayerAudio.Embedded"/> or <see cref="PlayerAudio.Linked"/>.</param>
/// <param name="Bytes">Length of the page.</param>
/// <param name="Warnings">What the user should know, in sentences.</param>
public sealed record PlayerPageFile(
    string Title,
    string FilePath,
    int Variants,
    IReadOnlyList<string> Stems,
    bool HasMix,
    TimeSpan Duration,
    PlayerAudio Audio,
    long Bytes,
    IReadOnlyList<string> Warnings
)
{
    /// <summary>The page's path.</summary>
    public override string ToString() => FilePath;
}
