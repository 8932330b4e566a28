namespace DemucsPS.Engine.Encoders;

/// <summary>What a file of a stem says about its music.</summary>
/// <param name="Tags">Fields under the names of <see cref="Audio.AudioReader.Tags"/>.</param>
/// <param name="Cover">The picture, if there is one.</param>
internal sealed record StemLabels(IReadOnlyDictionary<string, string> Tags, CoverArt? Cover)
{
    /// <summary>Nothing.</summary>
    public static StemLabels None { get; } = new(new Dictionary<string, string>(), null);
}
