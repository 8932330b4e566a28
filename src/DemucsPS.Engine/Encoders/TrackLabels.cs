using System.Collections.Frozen;
using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Encoders;

/// <summary>What the source of a track says about its music, and how that is said of its stems.</summary>
/// <param name="source">The track.</param>
/// <param name="tags">Its tags.</param>
/// <param name="cover">Its picture; null for none.</param>
/// <param name="warning">What of it the files cannot have, in a sentence; null for nothing.</param>
internal sealed class TrackLabels(TrackSource source, IReadOnlyDictionary<string, string> tags, CoverArt? cover, string? warning = null)
{
    /// <summary>What of it the files cannot have, in a sentence for the user; null for nothing.</summary>
    public string? Warning => warning;

    // What holds for the samples of the source only: its encoder, loudness, gaps, checksums, sections, and which recording it is.
    private static readonly FrozenSet<string> s_ofTheSource = FrozenSet.ToFrozenSet(
        [
            "encoder",
            "encoded_by",
            "encodersettings",
            "encoding",
            "isrc",
            "itunsmpb",
            "itunnorm",
            "cuesheet",
            "log",
            "accuraterip",
            "acoustid_id",
            "acoustid_fingerprint",
            "md5",
            "tlen",
            "length",
        ],
        StringComparer.OrdinalIgnoreCase
    );

    /// <summary>No tags and no picture.</summary>
    /// <param name="source">The track.</param>
    public static TrackLabels None(TrackSource source) => new(source, new Dictionary<string, string>(), null);

    /// <summary>
    /// The labels of one stem: those of the track, with the stem's name after the title. A source without tags has stems without tags.
    /// </summary>
    /// <param name="stem">The stem's name; null for a file with all stems.</param>
    public StemLabels Of(string? stem)
    {
        Dictionary<string, IReadOnlyList<string>> labels = tags
            .Keys.Where(field =>
                !s_ofTheSource.Contains(field)
                && !field.StartsWith("replaygain_", StringComparison.OrdinalIgnoreCase)
                && !field.StartsWith("r128_", StringComparison.OrdinalIgnoreCase)
            )
            .ToDictionary(field => field, field => TrackTags.ValuesOf(tags, field), StringComparer.OrdinalIgnoreCase);
        if (labels.Count > 0)
        {
            string title = tags.GetValueOrDefault("title", source.Name);
            labels["title"] = [stem is null ? title : $"{title} ({stem})"];
        }
        return new StemLabels(TrackTags.OfValues(labels), cover);
    }
}
