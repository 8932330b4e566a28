using System.Text;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Naming;

namespace DemucsPS.Engine.Tests.Naming;

public sealed class FileNameTemplateTests
{
    private static readonly TrackSource s_source = new(Path.GetFullPath("/music/some song.flac"));

    private static readonly Dictionary<string, string> s_tags = new(StringComparer.OrdinalIgnoreCase)
    {
        ["artist"] = "Queen",
        ["albumartist"] = "Various",
        ["album"] = "Hits",
        ["title"] = "One Vision",
        ["track"] = "3/12",
        ["disc"] = "2",
        ["date"] = "1986-05-31",
        ["genre"] = "Rock",
    };

    [Theory]
    [InlineData("{artist}/{album}/{track:00} {title} ({stem})", "Queen/Hits/03 One Vision (vocals)")]
    [InlineData("{albumartist}\\{disc}-{track} {genre} {year}", "Various/2-3 Rock 1986")]
    [InlineData("{MODEL}/{ Name }/{Stem}", "htdemucs/some song/vocals")]
    [InlineData("{{{stem}}}", "{vocals}")]
    [InlineData("{name}.{ext}/{stem}", "some song.flac/vocals")]
    [InlineData("{folder} - {name}/{EXT}", "music - some song/flac")]
    [InlineData("{track:0000}", "0003")]
    [InlineData("{title}...", "One Vision")]
    [InlineData("...{title} .{stem}", "...One Vision .vocals")]
    public void Fields_are_replaced(string template, string expected) => Assert.Equal(expected, Expand(template, s_tags));

    [Theory]
    [InlineData("/music/song", "song ()/music")]
    [InlineData("/music/a.b.tar.GZ", "a.b.tar (GZ)/music")]
    [InlineData("/song.wav", "song (wav)/_")]
    [InlineData("/disc: 1/.wav", ".wav (wav)/disc_ 1")]
    public void Extension_and_folder_are_those_of_the_path(string path, string expected) =>
        Assert.Equal(
            expected,
            FileNameTemplate
                .Parse("{name} ({ext})/{folder}")
                .Expand("m", new TrackSource(path), new Dictionary<string, string>(), "vocals")
                .Replace('\\', '/')
        );

    [Fact]
    public void Missing_tags_have_substitutes()
    {
        Assert.Equal(
            "Unknown Artist/Unknown Artist/Unknown Album/some song 00 1 0000 Unknown Genre",
            Expand("{artist}/{albumartist}/{album}/{title} {track:00} {disc} {year} {genre}", [])
        );
        Assert.Equal("Queen/Queen", Expand("{artist}/{albumartist}", new() { ["artist"] = "Queen" }));
        Assert.Equal("Various/Various", Expand("{artist}/{albumartist}", new() { ["albumartist"] = "Various", ["artist"] = " \u202E " }));
    }

    [Theory]
    [InlineData("12", "12")]
    [InlineData("007", "07")]
    [InlineData("0", "00")]
    [InlineData("4 of 9", "04")]
    [InlineData("A1", "A1")]
    [InlineData("1/../../x", "01")]
    [InlineData("../x", ".._x")]
    public void Tracks_are_numbers_where_they_are_some(string tag, string expected) =>
        Assert.Equal(expected, Expand("{track:00}", new() { ["track"] = tag }));

    [Theory]
    [InlineData("../../etc/passwd", ".._.._etc_passwd")]
    [InlineData("..\\..\\x", ".._.._x")]
    [InlineData("C:\\Windows", "C__Windows")]
    [InlineData("/etc", "_etc")]
    [InlineData("..", "_")]
    [InlineData(".", "_")]
    [InlineData(" ", "some song")]
    [InlineData("CON", "_CON")]
    [InlineData("nul", "_nul")]
    [InlineData("nul .txt", "_nul .txt")]
    [InlineData("Com1.tar.gz", "_Com1.tar.gz")]
    [InlineData("LPT\u00B2", "_LPT\u00B2")]
    [InlineData("CONIN$", "_CONIN$")]
    [InlineData("Condor", "Condor")]
    [InlineData("COM10", "COM10")]
    [InlineData("What? <a> \"b\" |c* : d", "What_ _a_ _b_ _c_ _ d")]
    [InlineData("a\0b\u0007c\u001B[31md\u0085e\u007F", "a_b_c_[31md_e_")]
    [InlineData("two\nlines\tand\u2028more", "two lines and more")]
    [InlineData("\u202Egpj.exe\u2066\u200F", "gpj.exe")]
    [InlineData("\u05E9\u05DC\u05D5\u05DD \u0645\u0631\u062D\u0628\u0627", "\u05E9\u05DC\u05D5\u05DD \u0645\u0631\u062D\u0628\u0627")]
    [InlineData("trailing. . .", "trailing")]
    [InlineData("-rf *", "-rf _")]
    [InlineData("$HOME `x` %PATH%", "$HOME `x` %PATH%")]
    [InlineData("{stem}", "{stem}")]
    public void Hostile_titles_are_made_harmless(string title, string expected)
    {
        Assert.Equal(expected, Expand("{title}", new() { ["title"] = title }));
        // The same text as anything else that comes from outside.
        string root = Path.GetFullPath("/stems");
        FileNameTemplate template = FileNameTemplate.Parse("{artist}/{album}/{model}/{name}/{track:00}{year}/{genre}/{stem}");
        string path = Path.GetFullPath(
            Path.Combine(
                root,
                template.Expand(
                    title,
                    new TrackSource(s_source.Path),
                    new Dictionary<string, string>
                    {
                        ["artist"] = title,
                        ["album"] = title,
                        ["track"] = title,
                        ["date"] = title,
                        ["genre"] = title,
                    },
                    title
                )
            )
        );
        Assert.StartsWith(root + Path.DirectorySeparatorChar, path, StringComparison.Ordinal);
        Assert.Equal(7, Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar).Length);
    }

    [Fact]
    public void Lone_surrogates_are_replaced() => Assert.Equal("a\uFFFDb", Expand("{title}", new() { ["title"] = "a\uD83Db" }));

    [Theory]
    [InlineData("x")]
    [InlineData("é")]
    [InlineData("音")]
    [InlineData("🎸")]
    public void Long_names_are_cut_between_characters_and_keep_the_stem(string character)
    {
        string title = string.Concat(Enumerable.Repeat(character, 300)),
            artist = string.Concat(Enumerable.Repeat(character, 90));
        string name = Expand(
            "{track:00} {artist} - {title} ({stem})",
            new()
            {
                ["title"] = title,
                ["artist"] = artist,
                ["track"] = "7",
            }
        );
        Assert.StartsWith("07 " + character, name, StringComparison.Ordinal);
        Assert.EndsWith($"{character} (vocals)", name, StringComparison.Ordinal);
        Assert.InRange(Encoding.UTF8.GetByteCount(name), 190, 200);
        Assert.DoesNotContain('\uFFFD', name);
        // With the longest extension and the name of an unfinished file.
        Assert.InRange(Encoding.UTF8.GetByteCount(name + ".stem.mp4") + 1 + 32 + ".partial".Length, 0, 255);
    }

    [Fact]
    public void A_stem_that_is_too_long_by_itself_is_cut_too() =>
        Assert.Equal(
            200,
            FileNameTemplate.Default.Expand("m", s_source, s_tags, new string('s', 500)).Split(Path.DirectorySeparatorChar)[^1].Length
        );

    [Theory]
    [InlineData("", "empty")]
    [InlineData("/{stem}", "empty")]
    [InlineData("{artist}//{stem}", "empty")]
    [InlineData("{stem}/", "empty")]
    [InlineData("../{stem}", "dots")]
    [InlineData("{artist}/../{stem}", "dots")]
    [InlineData(" . /{stem}", "dots")]
    [InlineData("C:/{stem}", "':'")]
    [InlineData("C:\\{stem}", "':'")]
    [InlineData("{artist}: {stem}", "':'")]
    [InlineData("{stem}\u0000", "U+0000")]
    [InlineData("{stem", "not closed")]
    [InlineData("stem}", "no opening brace")]
    [InlineData("{kazoo}", "no field 'kazoo'. The fields are: artist, albumartist")]
    [InlineData("{}", "no field ''")]
    [InlineData("{title:00}", "take a format, of zeros")]
    [InlineData("{track:D2}", "take a format, of zeros")]
    [InlineData("{track:}", "take a format, of zeros")]
    public void Templates_that_lead_elsewhere_or_say_nothing_are_refused(string template, string because)
    {
        DemucsException error = Assert.Throws<DemucsException>(() => FileNameTemplate.Parse(template));
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains(because, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "A; B - x")]
    [InlineData(" & ", "A & B - x")]
    [InlineData("", "AB - x")]
    public void Several_values_of_a_tag_are_joined_as_is_asked_for(string? separator, string expected)
    {
        AudioTagBuilder tags = new();
        tags.Add("artist", "A");
        tags.Add("artist", "B");
        Assert.Equal(
            expected,
            FileNameTemplate
                .Parse("{artist} - {stem}", separator)
                .Expand("model", new TrackSource(Path.GetFullPath("song.wav")), tags.Build(), "x")
        );
        foreach (string wrong in (string[])["/", "\\", ":", "\n", new string('x', 17)])
            Assert.Equal(
                EngineParameter.ValueSeparator,
                Assert.Throws<DemucsException>(() => FileNameTemplate.Parse("{artist} - {stem}", wrong)).Parameter
            );
    }

    [Fact]
    public void Long_literals_are_refused() =>
        Assert.Throws<DemucsException>(() => FileNameTemplate.Parse(new string('x', 101) + "{stem}"));

    private static string Expand(string template, Dictionary<string, string> tags) =>
        FileNameTemplate.Parse(template).Expand("htdemucs", s_source, tags, "vocals").Replace(Path.DirectorySeparatorChar, '/');
}
