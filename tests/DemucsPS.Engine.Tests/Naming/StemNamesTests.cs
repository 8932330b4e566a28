using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Naming;

namespace DemucsPS.Engine.Tests.Naming;

public sealed class StemNamesTests
{
    private static readonly string s_root = Path.GetFullPath("/stems");

    private static readonly Dictionary<string, string> s_noTags = [];

    [Fact]
    public void Files_go_to_model_track_stem()
    {
        StemNames names = new(s_root);
        Assert.Equal(
            [Path.Combine(s_root, "m", "song", "drums.wav"), Path.Combine(s_root, "m", "song", "bass.wav")],
            names.For("m", Track("song.mp3"), s_noTags, ["drums", "bass"], ".wav")
        );
        Assert.Equal(
            [Path.Combine(s_root, "m", "song.stem.mp4")],
            names.For("m", Track("song.mp3"), s_noTags, ["stems"], ".stem.mp4", oneFile: true)
        );
    }

    [Theory]
    [InlineData("{title}")]
    [InlineData("{stem}", "Vocals", "vocals")]
    [InlineData("{stem}", "a:", "a?")]
    public void Two_stems_of_a_track_never_share_a_file(string template, params string[] stems)
    {
        if (stems.Length == 0)
            stems = ["drums", "bass"];
        DemucsException error = Assert.Throws<DemucsException>(() =>
            new StemNames(s_root, FileNameTemplate.Parse(template)).For("m", Track("song.mp3"), s_noTags, stems, ".wav")
        );
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains("{stem}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tracks_of_a_batch_do_not_share_files()
    {
        StemNames names = new(s_root, FileNameTemplate.Parse("{title} ({stem})"));
        TrackSource one = Track("one.mp3"),
            two = Track("two.mp3");
        IReadOnlyList<string> paths = names.For("m", one, new Dictionary<string, string> { ["title"] = "Song?" }, ["drums"], ".wav");
        Assert.Equal(paths, names.For("m", two, new Dictionary<string, string> { ["title"] = "Song*" }, ["drums"], ".wav"));
        Assert.Equal(paths, names.Claim(one, paths));
        Assert.Empty(names.Claim(one, paths));
        DemucsException error = Assert.Throws<DemucsException>(() => names.Claim(two, paths));
        Assert.Equal(DemucsError.StemExists, error.Error);
        Assert.Contains("one.mp3", error.Message, StringComparison.Ordinal);
        names.Release(paths);
        Assert.Equal(paths, names.Claim(two, paths));
    }

    [Theory]
    [InlineData("a/song.flac", "a/song.mp3", "{ext}")]
    [InlineData("a/song", "a/song.mp3", "{ext}")]
    [InlineData("a/song.mp3", "b/song.mp3", "{folder}")]
    [InlineData("a/song.mp3", "b/song.flac", "{ext}")]
    [InlineData("a/x/song.mp3", "b/x/song.mp3", null)]
    public void What_tells_two_files_of_one_name_apart_is_named_and_does(string first, string second, string? field)
    {
        StemNames names = new(s_root);
        names.Claim(Track(first), names.For("m", Track(first), s_noTags, ["drums"], ".wav"));
        DemucsException error = Assert.Throws<DemucsException>(() =>
            names.Claim(Track(second), names.For("m", Track(second), s_noTags, ["drums"], ".wav"))
        );
        Assert.Equal(field is not null, error.Message.Contains("such as '", StringComparison.Ordinal));
        if (field is null)
            return;
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
        string template = error.Message.Split('\'')[^2];
        names = new(s_root, FileNameTemplate.Parse(template));
        foreach (string track in new[] { first, second })
            names.Claim(Track(track), names.For("m", Track(track), s_noTags, ["drums"], ".wav"));
    }

    private static TrackSource Track(string name) => new(Path.GetFullPath("/music/" + name));
}
