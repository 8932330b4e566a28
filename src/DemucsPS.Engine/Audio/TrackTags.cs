using System.Collections.ObjectModel;

namespace DemucsPS.Engine.Audio;

/// <summary>Tags of a track: field to value, as in <see cref="AudioReader.Tags"/>. Immutable; equal when fields and values are, whatever their order.</summary>
public sealed class TrackTags : ReadOnlyDictionary<string, string>, IEquatable<TrackTags>
{
    /// <summary>Copies tags.</summary>
    /// <param name="tags">Fields, in any case, and their values.</param>
    public TrackTags(IEnumerable<KeyValuePair<string, string>> tags)
        : base(new Dictionary<string, string>(tags, StringComparer.OrdinalIgnoreCase))
    {
    }

    /// <summary>No tags.</summary>
    public static new TrackTags Empty { get; } = new([]);

    /// <summary>A file's tags, in which these replace those of the same fields.</summary>
    /// <param name="tags">The file's.</param>
    public IReadOnlyDictionary<string, string> Over(IReadOnlyDictionary<string, string> tags)
    {
        if (Count == 0)
            return tags;
        Dictionary<string, string> joined = new(tags, StringComparer.OrdinalIgnoreCase);
        foreach ((string field, string value) in this)
            joined[field] = value;
        return new ReadOnlyDictionary<string, string>(joined);
    }

    /// <inheritdoc/>
    public bool Equals(TrackTags? other) => other is not null && Count == other.Count && this.All(tag => other.TryGetValue(tag.Key, out string? value) && value == tag.Value);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TrackTags);

    /// <inheritdoc/>
    public override int GetHashCode() => this.Aggregate(Count, (hash, tag) => hash ^ HashCode.Combine(StringComparer.OrdinalIgnoreCase.GetHashCode(tag.Key), tag.Value));
}
