using DemucsPS.Engine.Player;

namespace DemucsPS.Tests;

/// <summary><c>Show-StemPlayer</c>: what it takes, writes and says.</summary>
public sealed class StemPlayerTests : IDisposable
{
    private readonly Session _session = new();

    public StemPlayerTests()
    {
        _session.AddNoise("one/bass.wav", 900, 1);
        _session.AddNoise("one/drums.wav", 900, 2);
        _session.AddNoise("two [x]/bass.wav", 900, 3);
    }

    public void Dispose() => _session.Dispose();

    [Fact]
    public void A_folder_that_is_not_there_is_called_one()
    {
        ScriptRun run = _session.Run("Show-StemPlayer nope");
        Assert.Contains("no folder", Assert.Single(run.Errors).Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Results_folders_and_patterns_become_a_page_each_beside_their_stems()
    {
        PlayerPageFile[] pages = _session.Run("Show-StemPlayer one, 'two [x]' -Sound Linked -PassThru").All<PlayerPageFile>();
        Assert.Equal(["one", "two [x]"], pages.Select(p => p.Title));
        Assert.Equal([_session["one", "player.html"], _session["two [x]", "player.html"]], pages.Select(p => p.FilePath));
        Assert.Equal(["StemExists"], _session.Run("Show-StemPlayer one").ErrorIds("ShowStemPlayerCommand"));
        Assert.Equal(
            2,
            _session.Run("Get-ChildItem -Directory | Show-StemPlayer -Sound Linked -PassThru -Force").AssertNoErrors().Output.Length
        );

        _session.AddNoise("mix.wav", 9000);
        PlayerPageFile page = _session
            .Run("Invoke-DemucsSeparation mix.wav -Model $args[0] | Show-StemPlayer -Sound Linked -PassThru", Session.Small)
            .Single<PlayerPageFile>();
        Assert.Equal((_session["separated", "small", "mix", "player.html"], "mix", true), (page.FilePath, page.Title, page.HasMix));
        Assert.Equal(["drums", "bass", "other", "vocals"], page.Stems);
    }

    [Fact]
    public void Without_PassThru_it_says_where_the_page_is_and_gives_nothing()
    {
        Assert.Empty(_session.Run("Show-StemPlayer one -Sound Linked").AssertNoErrors().Output);
        Assert.Contains(_session["one", "player.html"], string.Join('\n', Session.Host.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIf_names_the_page_and_writes_none()
    {
        string[] before = _session.Files();
        Assert.Empty(_session.Run("Show-StemPlayer one -DestinationPath new/page.html -WhatIf").AssertNoErrors().Output);
        Assert.Matches(@"^What if: .*""Write player page \(bass, drums\)"".*page\.html", Assert.Single(Session.Host.Lines));
        Assert.Equal(before, _session.Files());
    }

    [Fact]
    public void One_page_is_made_of_several_separations_where_that_is_asked_for()
    {
        PlayerPageFile page = _session
            .Run("Show-StemPlayer one, 'two [x]' -Compare -Sound Linked -DestinationPath both.html -Title 'This & that' -PassThru")
            .Single<PlayerPageFile>();
        Assert.Equal((2, "This & that", _session["both.html"]), (page.Variants, page.Title, page.FilePath));
        Assert.Equal(
            ["AudioTrackNotFound"],
            _session.Run("Show-StemPlayer one, missing -Compare -DestinationPath none.html").ErrorIds("ShowStemPlayerCommand")
        );
        Assert.DoesNotContain("none.html", _session.Files());
        _session
            .Run("Show-StemPlayer one, 'two [x]' -Sound Linked -DestinationPath first.html")
            .AssertFailed("ParameterInvalid,DemucsPS.Cmdlets.ShowStemPlayerCommand");
        Assert.Contains("first.html", _session.Files());
    }

    [Fact]
    public void What_is_served_is_there_until_the_command_ends()
    {
        // The address is asked while the command waits; then the pipeline is stopped, as Ctrl+C does.
        Uri address = _session
            .Run(
                """
                Show-StemPlayer one -Serve -PassThru | ForEach-Object { $_; (Invoke-WebRequest $_ -UseBasicParsing).StatusCode } | Select-Object -First 2
                """
            )
            .AssertNoErrors()
            .Output
            is [Uri uri, 200]
            ? uri
            : throw new InvalidOperationException("It was not served.");
        using HttpClient client = new();
        Assert.Throws<HttpRequestException>(() => client.Send(new HttpRequestMessage(HttpMethod.Get, address)));
        Assert.DoesNotContain(_session.Files(), f => f.EndsWith(".html", StringComparison.Ordinal));
    }
}
