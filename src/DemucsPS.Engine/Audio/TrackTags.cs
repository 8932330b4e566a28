using System.Collections.ObjectModel;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// Tags of a track: field to value, as in <see cref="AudioReader.Tags"/>, where several values of a field are joined by "; ".
/// <see cref="ValuesOf"/> returns the single values. Immutable; equal when fields and values are, whatever their order.
/// </summary>
public sealed class TrackTags : ReadOnlyDictionary<string, string>, IEquatable<TrackTags>
{
    /// <summary>The separator of several values in one text.</summary>
    public const string Separator = "; ";

    // Only of fields that have more than one.
    private Dictionary<string, IReadOnlyList<string>> _several = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Copies tags.</summary>
    /// <param name="tags">Fields, in any case, and their values.</param>
    public TrackTags(IEnumerable<KeyValuePair<string, string>> tags)
        : base(new Dictionary<string, string>(tags, StringComparer.OrdinalIgnoreCase)) { }

    /// <summary>No tags.</summary>
    public static new TrackTags Empty { get; } = new([]);

    /// <summary>Tags of which some have several values.</summary>
    /// <param name="tags">Fields, in any case, and their values, at least one each.</param>
    internal static TrackTags OfValues(IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> tags)
    {
        KeyValuePair<string, IReadOnlyList<string>>[] all = [.. tags];
        return new TrackTags(all.Select(tag => new KeyValuePair<string, string>(tag.Key, string.Join(Separator, tag.Value))))
        {
            _several = all.Where(tag => tag.Value.Count > 1).ToDictionary(StringComparer.OrdinalIgnoreCase),
        };
    }

    /// <summary>The values of a field of any tags.</summary>
    /// <param name="tags">The tags.</param>
    /// <param name="field">The field, in any case.</param>
    /// <returns>Empty if there is none.</returns>
    public static IReadOnlyList<string> ValuesOf(IReadOnlyDictionary<string, string> tags, string field) =>
        (tags as TrackTags)?._several.GetValueOrDefault(field) ?? (tags.TryGetValue(field, out string? value) ? [value] : []);

    /// <summary>Merges these tags into a file's tags; these replace those of the same fields.</summary>
    /// <param name="tags">The file's.</param>
    public IReadOnlyDictionary<string, string> Over(IReadOnlyDictionary<string, string> tags)
    {
        if (Count == 0)
            return tags;
        Dictionary<string, IReadOnlyList<string>> joined = tags.Keys.ToDictionary(
            field => field,
            field => ValuesOf(tags, field),
            StringComparer.OrdinalIgnoreCase
        );
        foreach (string field in Keys)
            joined[field] = ValuesOf(this, field);
        return OfValues(joined);
    }

    /// <inheritdoc/>
    public bool Equals(TrackTags? other) =>
        other is not null && Count == other.Count && Keys.All(field => ValuesOf(this, field).SequenceEqual(ValuesOf(other, field)));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TrackTags);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        this.Aggregate(Count, (hash, tag) => hash ^ HashCode.Combine(StringComparer.OrdinalIgnoreCase.GetHashCode(tag.Key), tag.Value));
}
