using System.Collections.Frozen;
using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Encoders;

/// <summary>What the source of a track says about its music, and how that is said of its stems.</summary>
/// <param name="source">The track.</param>
/// <param name="tags">Its tags.</param>
/// <param name="cover">Its picture; null for none.</param>
internal sealed class TrackLabels(TrackSource source, IReadOnlyDictionary<string, string> tags, CoverArt? cover)
{
    // What holds for the samples of the source only: its encoder, loudness, gaps, checksums, sections, and which recording it is.
    private static readonly FrozenSet<string> OfTheSource = FrozenSet.ToFrozenSet(
        ["encoder", "encoded_by", "encodersettings", "encoding", "isrc", "itunsmpb", "itunnorm", "cuesheet", "log", "accuraterip", "acoustid_id", "acoustid_fingerprint", "md5", "tlen", "length"], StringComparer.OrdinalIgnoreCase);

    /// <summary>No tags and no picture.</summary>
    /// <param name="source">The track.</param>
    public static TrackLabels None(TrackSource source) => new(source, new Dictionary<string, string>(), null);

    /// <summary>The labels of one stem: those of the track, with the stem's name behind the title. A source without tags has stems without tags.</summary>
    /// <param name="stem">The stem's name; null for a file with all stems.</param>
    public StemLabels Of(string? stem)
    {
        Dictionary<string, string> labels = tags
            .Where(t => !OfTheSource.Contains(t.Key) && !t.Key.StartsWith("replaygain_", StringComparison.OrdinalIgnoreCase) && !t.Key.StartsWith("r128_", StringComparison.OrdinalIgnoreCase))
            .ToDictionary(StringComparer.OrdinalIgnoreCase);
        if (labels.Count > 0)
        {
            string title = labels.GetValueOrDefault("title", source.Name);
            labels["title"] = stem is null ? title : $"{title} ({stem})";
        }
        return new StemLabels(labels, cover);
    }
}
