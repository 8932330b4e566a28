using System.Text;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Naming;

/// <summary>
/// How the files of stems are called: text with fields in braces, such as <c>{artist}/{album}/{track:00} {title} ({stem})</c>. <c>/</c> and
/// <c>\</c> begin a folder; <c>{{</c> and <c>}}</c>
/// are braces. The extension is added.
/// </summary>
public sealed class FileNameTemplate
{
    private const string Stem = "stem",
        Model = "model",
        Name = "name",
        Ext = "ext",
        Folder = "folder",
        Track = "track",
        Disc = "disc",
        Year = "year";

    private const int MaxSeparatorBytes = 16;

    private readonly List<List<Part>> _components;

    private FileNameTemplate(string text, string valueSeparator, List<List<Part>> components)
    {
        ValueSeparator = valueSeparator;
        Text = text;
        _components = components;
    }

    /// <summary>
    /// The fields: <c>artist</c>, <c>albumartist</c>, <c>album</c>, <c>title</c>, <c>genre</c>, <c>year</c>, <c>track</c> and <c>disc</c>
    /// from the tags (the last three are numbers and take a
    /// format of zeros, <c>{track:00}</c>), <c>stem</c>, <c>model</c>, <c>name</c>, the source's file name without extension, <c>ext</c>,
    /// that extension without its dot, and <c>folder</c>,
    /// the name of the folder that the source is in. The last two tell apart sources of one name.
    /// </summary>
    public static IReadOnlyList<string> Fields { get; } =
    ["artist", "albumartist", "album", "title", Track, Disc, Year, "genre", Stem, Model, Name, Ext, Folder];

    /// <summary>MODEL/TRACK/STEM, as users of the official tool expect.</summary>
    public static FileNameTemplate Default { get; } = Parse("{model}/{name}/{stem}");

    /// <summary>MODEL/TRACK, where one file contains all stems.</summary>
    internal static FileNameTemplate OneFile { get; } = Parse("{model}/{name}");

    /// <summary>The template as it was given.</summary>
    public string Text { get; }

    /// <summary>What is between several values of a tag.</summary>
    public string ValueSeparator { get; }

    /// <summary>Whether it has fields that come from tags.</summary>
    internal bool UsesTags => _components.SelectMany(c => c).Any(p => p.Field is not (null or Stem or Model or Name or Ext or Folder));

    /// <summary>Refuses what cannot stand between values, also where no template is given.</summary>
    /// <param name="valueSeparator">As <see cref="Parse"/> takes it.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: names cannot have it.</exception>
    public static void CheckValueSeparator(string valueSeparator)
    {
        if (
            valueSeparator.Any(SafeFileName.IsForbidden)
            || valueSeparator.AsSpan().ContainsAny('/', '\\')
            || Encoding.UTF8.GetByteCount(valueSeparator) > MaxSeparatorBytes
        )
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The value separator '{valueSeparator}' cannot be used in a file name. Choose other characters, at most {MaxSeparatorBytes}."
            )
            {
                Parameter = EngineParameter.ValueSeparator,
            };
    }

    /// <summary>Reads a template.</summary>
    /// <param name="text">The template.</param>
    /// <param name="valueSeparator">What is between several values of a tag: any text that names can have; null for "; ".</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: a field that does not exist, braces that do not match,
    /// characters that names cannot have, or a path that leads elsewhere.</exception>
    public static FileNameTemplate Parse(string text, string? valueSeparator = null)
    {
        valueSeparator ??= TrackTags.Separator;
        CheckValueSeparator(valueSeparator);
        return new FileNameTemplate(text, valueSeparator, new Parser(text).Parse());
    }

    /// <summary>The template.</summary>
    public override string ToString() => Text;

    /// <summary>The path of a stem's file below the destination, without extension. Whatever tags and names are, it stays below.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="source">The track.</param>
    /// <param name="tags">Its tags.</param>
    /// <param name="stem">The stem's name.</param>
    internal string Expand(string model, TrackSource source, IReadOnlyDictionary<string, string> tags, string stem)
    {
        return Path.Combine([
            .. _components.Select(parts =>
                SafeFileName.Finish(Shorten(parts, [.. parts.Select(p => p.Field is null ? p.Literal : Cut(Clean(p)))]))
            ),
        ]);

        string Cut(string value) => SafeFileName.Cut(value, SafeFileName.MaxBytes);

        string Clean(Part part) =>
            SafeFileName.Clean(
                part.Field switch
                {
                    Stem => stem,
                    Model => model,
                    Name => source.Name,
                    Ext => Path.GetExtension(source.Path).TrimStart('.'),
                    // A file at the root of a drive is in none with a name.
                    Folder => Path.GetFileName(Path.GetDirectoryName(source.Path)) ?? "",
                    "artist" => Tag("artist") ?? Tag("albumartist") ?? "Unknown Artist",
                    "albumartist" => Tag("albumartist") ?? Tag("artist") ?? "Unknown Artist",
                    "album" => Tag("album") ?? "Unknown Album",
                    "title" => Tag("title") ?? source.Name,
                    "genre" => Tag("genre") ?? "Unknown Genre",
                    Track => Number(Tag("track"), "0", part.Digits),
                    Disc => Number(Tag("disc"), "1", part.Digits),
                    _ => Number(Tag("date"), "0", Math.Max(part.Digits, 4)),
                }
            );

        string? Tag(string name) =>
            string.Join(ValueSeparator, TrackTags.ValuesOf(tags, name)) is var value && SafeFileName.Clean(value).Length > 0 ? value : null;
    }

    /// <summary>
    /// The number that a text begins with, such as that of track <c>3/12</c> or the year of <c>2001-05-31</c>; of other text, such as side
    /// <c>A1</c> of a record, the text.
    /// </summary>
    private static string Number(string? text, string otherwise, int digits)
    {
        text = (text ?? otherwise).Trim();
        string number = text[..(text.AsSpan().IndexOfAnyExceptInRange('0', '9') is >= 0 and int end ? end : text.Length)].TrimStart('0');
        return number.Length == 0 && !text.StartsWith('0') ? text : number.PadLeft(Math.Max(1, digits), '0');
    }

    /// <summary>
    /// One component of all its parts. Where it is too long, its longest field is cut, time and again; the stem's name only when nothing
    /// else is left.
    /// </summary>
    private static string Shorten(List<Part> parts, string[] values)
    {
        int[] bytes = Array.ConvertAll(values, Encoding.UTF8.GetByteCount);
        while (bytes.Sum() > SafeFileName.MaxBytes)
        {
            int longest = Enumerable
                .Range(0, parts.Count)
                .Where(i => parts[i].Field is not null && bytes[i] > 0)
                .OrderBy(i => parts[i].Field == Stem)
                .ThenByDescending(i => bytes[i])
                .First();
            values[longest] = SafeFileName.Cut(values[longest], bytes[longest] - 1);
            bytes[longest] = Encoding.UTF8.GetByteCount(values[longest]);
        }
        return string.Concat(values);
    }

    /// <summary>A piece of a component.</summary>
    /// <param name="Literal">Its text, if it is not a field.</param>
    /// <param name="Field">The field's name; null for text.</param>
    /// <param name="Digits">Least digits of a number.</param>
    private sealed record Part(string Literal, string? Field, int Digits);

    /// <summary>Reads one template.</summary>
    private sealed class Parser(string text)
    {
        private readonly List<List<Part>> _components =
        [
            [],
        ];
        private readonly StringBuilder _literal = new();

        public List<List<Part>> Parse()
        {
            for (int i = 0; i < text.Length; i++)
            {
                char c = text[i];
                if (c is '{' or '}' && i + 1 < text.Length && text[i + 1] == c)
                {
                    _literal.Append(c);
                    i++;
                }
                else if (c == '{')
                {
                    int close = text.IndexOf('}', i);
                    if (close < 0)
                        throw Wrong($"the brace at character {i + 1} is not closed");
                    EndLiteral();
                    _components[^1].Add(ParseField(text[(i + 1)..close]));
                    i = close;
                }
                else if (c is '/' or '\\')
                {
                    EndComponent();
                    _components.Add([]);
                }
                else if (c == '}')
                {
                    throw Wrong($"the brace at character {i + 1} has no opening brace; write }}}} for a brace in a name");
                }
                else
                {
                    _literal.Append(
                        SafeFileName.IsForbidden(c)
                            ? throw Wrong($"file names cannot contain the character {(char.IsControl(c) ? $"U+{(int)c:X4}" : $"'{c}'")}")
                            : c
                    );
                }
            }
            EndComponent();
            return _components;
        }

        private void EndLiteral()
        {
            if (_literal.Length > 0)
                _components[^1].Add(new Part(_literal.ToString(), null, 0));
            _literal.Clear();
        }

        private void EndComponent()
        {
            EndLiteral();
            if (_components[^1].All(p => p.Field is null && p.Literal.Trim('.', ' ').Length == 0))
                throw Wrong("a name in it is empty or only dots; it must stay inside the destination, such as {artist}/{title} ({stem})");
            if (Encoding.UTF8.GetByteCount(string.Concat(_components[^1].Select(p => p.Literal))) > SafeFileName.MaxBytes / 2)
                throw Wrong($"a name in it has more than {SafeFileName.MaxBytes / 2} bytes apart from its fields");
        }

        private Part ParseField(string field)
        {
            int colon = field.IndexOf(':', StringComparison.Ordinal);
            string name = (colon < 0 ? field : field[..colon]).Trim().ToLowerInvariant();
            if (!Fields.Contains(name))
                throw Wrong($"there is no field '{name}'. The fields are: {string.Join(", ", Fields)}");
            if (colon < 0)
                return new Part("", name, 0);
            string format = field[(colon + 1)..];
            if (name is not (Track or Disc or Year) || format.Length is 0 or > 9 || format.AsSpan().ContainsAnyExcept('0'))
                throw Wrong(
                    $"'{{{field}}}' has an invalid format; only numbers ({Track}, {Disc}, {Year}) take a format, of zeros, such as {{{Track}:00}}"
                );
            return new Part("", name, format.Length);
        }

        private DemucsException Wrong(string what) =>
            new(DemucsError.ParameterInvalid, $"The file name template '{text}' cannot be used: {what}.")
            {
                Parameter = EngineParameter.FileNameTemplate,
            };
    }
}
