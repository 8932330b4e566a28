using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Naming;

namespace DemucsPS.Engine.Tests.Naming;

public sealed class StemNamesTests
{
    private static readonly string Root = Path.GetFullPath("/stems");

    private static readonly Dictionary<string, string> NoTags = [];

    [Fact]
    public void Files_go_to_model_track_stem()
    {
        StemNames names = new(Root);
        Assert.Equal([Path.Combine(Root, "m", "song", "drums.wav"), Path.Combine(Root, "m", "song", "bass.wav")], names.For("m", Track("song.mp3"), NoTags, ["drums", "bass"], ".wav"));
        Assert.Equal([Path.Combine(Root, "m", "song.stem.mp4")], names.For("m", Track("song.mp3"), NoTags, ["stems"], ".stem.mp4", oneFile: true));
    }

    [Theory]
    [InlineData("{title}")]
    [InlineData("{stem}", "Vocals", "vocals")]
    [InlineData("{stem}", "a:", "a?")]
    public void Two_stems_of_a_track_never_share_a_file(string template, params string[] stems)
    {
        if (stems.Length == 0)
            stems = ["drums", "bass"];
        DemucsException error = Assert.Throws<DemucsException>(() => new StemNames(Root, FileNameTemplate.Parse(template)).For("m", Track("song.mp3"), NoTags, stems, ".wav"));
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains("{stem}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tracks_of_a_batch_do_not_share_files()
    {
        StemNames names = new(Root, FileNameTemplate.Parse("{title} ({stem})"));
        TrackSource one = Track("one.mp3"), two = Track("two.mp3");
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

    private static TrackSource Track(string name) => new(Path.GetFullPath("/music/" + name));
}
