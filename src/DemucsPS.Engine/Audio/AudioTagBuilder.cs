using System.Collections.Frozen;
using System.Collections.ObjectModel;
using System.Text;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// Collects the tags of a file under the names that <see cref="AudioReader.Tags"/> promises, within the limits of
/// <see cref="AudioLimits"/>. What does not fit is left out: a tag is never a reason not to read a track.
/// </summary>
internal sealed class AudioTagBuilder
{
    // Fields that Vorbis comments, ffmpeg or older programs call otherwise. DESCRIPTION is the comment to ffmpeg, too, so a FLAC file and
    // an Ogg file of it agree.
    private static readonly FrozenDictionary<string, string> s_canonical = new Dictionary<string, string>
    {
        ["album artist"] = "albumartist",
        ["album_artist"] = "albumartist",
        ["tracknumber"] = "track",
        ["discnumber"] = "disc",
        ["year"] = "date",
        ["description"] = "comment",
    }.ToFrozenDictionary();

    // What is not text about the music: pictures in base 64, and what MP4 and Matroska say about themselves.
    private static readonly FrozenSet<string> s_ignored = FrozenSet.Create(
        "metadata_block_picture",
        "coverart",
        "major_brand",
        "minor_version",
        "compatible_brands",
        "handler_name",
        "vendor_id",
        "duration"
    );

    private readonly Dictionary<string, List<string>> _fields = new(StringComparer.OrdinalIgnoreCase);
    private HashSet<string> _sealed = [];
    private int _count;
    private int _bytes;

    /// <summary>True when the tags read so far were not stored as their format demands.</summary>
    public bool IsDamaged { get; set; }

    /// <summary>True if the file may contain pictures.</summary>
    public bool MayHavePicture { get; set; }

    /// <summary>True when no more tags are taken, so that reading on is of no use.</summary>
    public bool IsFull => _count >= AudioLimits.MaxTags;

    /// <summary>Whether a value and its name may still be taken. Who asks first need not make a text of what is left out anyway.</summary>
    /// <param name="bytes">Bytes of both together.</param>
    public bool HasRoomFor(long bytes) => bytes <= AudioLimits.MaxTagBytes - _bytes;

    /// <summary>Adds a value to a field.</summary>
    /// <param name="name">The field in any case, by any of its names.</param>
    /// <param name="value">The text as stored.</param>
    public void Add(string name, string value)
    {
        name = Clean(name).ToLowerInvariant();
        name = s_canonical.GetValueOrDefault(name, name);
        value = Clean(value);
        if (
            IsFull
            || name.Length is 0 or > AudioLimits.MaxTagNameChars
            || value.Length == 0
            || s_ignored.Contains(name)
            || _sealed.Contains(name)
        )
            return;
        int bytes = Encoding.UTF8.GetByteCount(value);
        if (bytes > AudioLimits.MaxTagValueBytes || !HasRoomFor(bytes + name.Length))
            return;

        // One field often comes under two names (WAV: ITRK and IPRT) with one value.
        if (!_fields.TryGetValue(name, out List<string>? values))
            _fields[name] = values = [];
        if (values.Contains(value))
            return;
        values.Add(value);
        _count++;
        _bytes += bytes + name.Length + TrackTags.Separator.Length;
    }

    /// <summary>Takes the values of fields of which other tags of the same file have several, in place of those that are here.</summary>
    /// <param name="other">The other tags.</param>
    public void TakeSeveral(AudioTagBuilder other)
    {
        foreach ((string name, List<string> values) in other._fields)
        {
            if (values.Count < 2)
                continue;
            _fields.Remove(name);
            _sealed.Remove(name);
            foreach (string value in values)
                Add(name, value);
        }
    }

    /// <summary>From here on, only fields that have no value yet are taken.</summary>
    public void Seal() => _sealed = [.. _fields.Keys];

    /// <summary>The tags: a copy that does not change, in the order of the fields' first values.</summary>
    public IReadOnlyDictionary<string, string> Build()
    {
        if (_fields.Count == 0)
            return ReadOnlyDictionary<string, string>.Empty;

        // Of a type whose entries scripts see as properties: $track.Tags.title.
        return TrackTags.OfValues(_fields.Select(field => new KeyValuePair<string, IReadOnlyList<string>>(field.Key, [.. field.Value])));
    }

    /// <summary>
    /// Takes control characters out, which could steer a terminal that shows the text. Line breaks of any kind become a line feed and tabs
    /// a space, so that words stay apart.
    /// </summary>
    private static string Clean(string text)
    {
        if (text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            StringBuilder clean = new(text.Length);
            for (int i = 0; i < text.Length; i++)
            {
                char c = text[i];
                if (c == '\n' || (c == '\r' && (i + 1 == text.Length || text[i + 1] != '\n')))
                    clean.Append('\n');
                else if (c == '\t')
                    clean.Append(' ');
                else if (!char.IsControl(c))
                    clean.Append(c);
            }

            text = clean.ToString();
        }

        return text.Trim();
    }
}
