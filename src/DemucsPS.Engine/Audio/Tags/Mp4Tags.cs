using System.Buffers.Binary;
using System.Text;

namespace DemucsPS.Engine.Audio.Tags;

/// <summary>
/// What an MP4 file says about its music as iTunes stores it: <c>moov/udta/meta/ilst</c>, a box for each field, in it one or more values.
/// </summary>
internal static class Mp4Tags
{
    private const int MaxItems = 10_000;

    /// <summary>Reads the items.</summary>
    /// <param name="movie">The content of the 'moov' box.</param>
    /// <param name="tags">Receives the texts.</param>
    /// <returns>The first picture; null for none.</returns>
    public static EmbeddedPicture? Read(ReadOnlySpan<byte> movie, AudioTagBuilder tags)
    {
        ReadOnlySpan<byte> meta = Mp4Length.Box(Mp4Length.Box(movie, "udta"u8), "meta"u8);
        // Its version comes before the boxes in it.
        ReadOnlySpan<byte> items = meta.Length < 4 ? [] : Mp4Length.Box(meta[4..], "ilst"u8);
        EmbeddedPicture? picture = null;
        for (
            int count = 0;
            count < MaxItems && Mp4Length.TryTakeBox(ref items, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> values);
            count++
        )
        {
            string? field = Field(name, values);
            for (
                int number = 0;
                number < MaxItems && Mp4Length.TryTakeBox(ref values, out ReadOnlySpan<byte> box, out ReadOnlySpan<byte> content);
                number++
            )
            {
                if (!box.SequenceEqual("data"u8) || content.Length <= 8)
                    continue;
                // The kind of the value, and an unused language.
                uint kind = BinaryPrimitives.ReadUInt32BigEndian(content) & 0xFF_FFFF;
                ReadOnlySpan<byte> value = content[8..];
                if (name.SequenceEqual("covr"u8))
                    picture ??= value.Length <= EmbeddedPicture.MaxBytes ? new EmbeddedPicture(value.ToArray(), IsFront: true) : null;
                else if (field is not null && kind is 1 or 2 && value.Length <= AudioLimits.MaxTagValueBytes)
                    tags.Add(field, (kind == 1 ? Encoding.UTF8 : Encoding.BigEndianUnicode).GetString(value));
            }
        }

        return picture;
    }

    private static string? Field(ReadOnlySpan<byte> name, ReadOnlySpan<byte> values)
    {
        // Items of other programs have names in words after four bytes of version.
        if (name.SequenceEqual("\u002D\u002D\u002D\u002D"u8))
            return Mp4Length.Box(values, "name"u8) is { Length: > 4 and <= AudioLimits.MaxTagNameChars } words
                ? Encoding.UTF8.GetString(words[4..])
                : null;
        return Encoding.Latin1.GetString(name) switch
        {
            "\u00A9nam" => "title",
            "\u00A9ART" => "artist",
            "aART" => "albumartist",
            "\u00A9alb" => "album",
            "\u00A9gen" => "genre",
            "\u00A9wrt" => "composer",
            "\u00A9day" => "date",
            "\u00A9cmt" => "comment",
            "\u00A9grp" => "grouping",
            "\u00A9lyr" => "lyrics",
            _ => null,
        };
    }
}
