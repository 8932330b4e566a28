using System.Text;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Naming;
using SharedFolder = DemucsPS.Tests.Shared.TemporaryFolder;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class TrackListTests : IDisposable
{
    private readonly SharedFolder _folder = new();
    private readonly List<string> _notices = [];
    private readonly List<DemucsException> _errors = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_is_a_track_whether_it_exists_or_not()
    {
        Assert.Equal(
            new TrackSource(_folder["a.xyz"]) { StreamIndex = 2 },
            Assert.Single(Expand(new TrackListOptions { StreamIndex = 2 }, _folder["a.xyz"]))
        );
        Assert.Throws<ArgumentException>(() => Expand(new TrackListOptions(), "a.wav"));
    }

    [Fact]
    public void Of_a_folder_audio_files_are_taken_in_order_without_the_folders_in_it()
    {
        Touch("b.FLAC", "a.wav", "c.txt", "film.mp4", "list.m3u8", "album.cue", "inner/d.wav", ".hidden.wav");
        Assert.Equal(["a.wav", "b.FLAC"], Names(new TrackListOptions(), _folder.Path));
        Assert.Equal(["a.wav", "b.FLAC", "inner/d.wav"], Names(new TrackListOptions { Recurse = true }, _folder.Path));
    }

    [Fact]
    public void Patterns_choose_from_folders_but_not_from_what_is_named()
    {
        Touch("a.wav", "b.mp4", "live a.wav", "inner/e.mp4", "inner/demo/d.mp4");
        TrackListOptions options = new()
        {
            Recurse = true,
            Include = ["*.mp4", "?.wav"],
            Exclude = ["b.*", "DEMO"],
        };
        Assert.Equal(["a.wav", "inner/e.mp4"], Names(options, _folder.Path));
        Assert.Equal(["b.mp4"], Names(options, _folder["b.mp4"]));
    }

    [Fact]
    public void The_folder_of_the_stems_is_left_out_with_a_word()
    {
        Touch("a.wav", "separated/model/a/bass.wav");
        TrackListOptions options = new() { Recurse = true, OutputFolder = _folder["separated"] };
        Assert.Equal(["a.wav"], Names(options, _folder.Path));
        Assert.Contains("it is the folder for stems", Assert.Single(_notices), StringComparison.Ordinal);
        Assert.Empty(Names(options, _folder["separated"]));
    }

    [Fact]
    public void Links_in_circles_end()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Making links needs a privilege on Windows.");
        Touch("inner/a.wav");
        Directory.CreateSymbolicLink(_folder["inner", "again"], _folder.Path);
        Assert.Equal(["inner/a.wav"], Names(new TrackListOptions { Recurse = true }, _folder.Path));
    }

    [Fact]
    public void What_was_named_before_is_left_out_with_a_word()
    {
        Touch("a.wav", "b.wav");
        Write("list.m3u", "a.wav\nb.wav\na.wav\n");
        Assert.Equal(["a.wav", "b.wav"], Names(new TrackListOptions(), _folder["a.wav"], _folder.Path, _folder["list.m3u"]));
        Assert.Equal(4, _notices.Count);
        Assert.All(_notices, n => Assert.Contains("is already on the list", n, StringComparison.Ordinal));
    }

    [Fact]
    public void A_playlist_is_its_files_relative_to_it()
    {
        Touch("inner/a.wav", "outer.wav", "with space & 100% ü.wav", "back/slash.wav");
        string uri = new Uri(_folder["with space & 100% ü.wav"]).AbsoluteUri;
        Write(
            "inner/list.m3u8",
            $"\ufeff#EXTM3U\r\n#EXTINF:12,Someone - Something\r\na.wav\r\n\r\n../outer.wav\r\n{uri}\r\n  ..\\back\\slash.wav  \r\n"
        );
        Assert.Equal(
            ["inner/a.wav", "outer.wav", "with space & 100% ü.wav", "back/slash.wav"],
            Names(new TrackListOptions(), _folder["inner", "list.m3u8"])
        );
        Assert.Empty(_errors);
    }

    [Theory]
    [InlineData("")]
    [InlineData("#EXTM3U\n")]
    public void A_playlist_without_entries_is_told(string content)
    {
        Write("list.m3u8", content);
        Assert.Empty(Names(new TrackListOptions(), _folder["list.m3u8"]));
        DemucsException error = Assert.Single(_errors);
        Assert.Equal(DemucsError.TrackListInvalid, error.Error);
        Assert.Contains("without entries", error.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// As VLC writes them: its export takes paths below the playlist's folder as they are and codes what a URI cannot have
    /// (modules/misc/playlist/m3u.c).
    /// </summary>
    [Theory]
    [InlineData("100%25%20pure.wav", "100% pure.wav")]
    [InlineData("100%20.wav", "100%20.wav", "100 .wav")]
    [InlineData("100%20.wav", "100 .wav")]
    [InlineData("B%C3%A9la%20%231.wav", "B\u00e9la #1.wav")]
    [InlineData("B%E9la.wav", "B\u00e9la.wav")]
    [InlineData("inner%2Fa.wav", "inner/a.wav")]
    [InlineData("inner\\a%20b.wav", "inner/a b.wav")]
    [InlineData("50%.wav", "50%.wav")]
    [InlineData("50%zz%2.wav", "50%zz%2.wav")]
    [InlineData("missing%20.wav", "missing%20.wav", "-")]
    [InlineData("file://{folder}/a%20b.wav", "a b.wav")]
    [InlineData("file://localhost{folder}/a%20b.wav", "a b.wav", "a%20b.wav")]
    [InlineData("FILE:{folder}/a b.wav", "a b.wav")]
    [InlineData("file://{folder}/100%20.wav", "100%20.wav")]
    [InlineData("file://{folder}/C#%20why?.wav", "C# why?.wav")]
    [InlineData("file://{folder}/missing%20.wav", "missing .wav", "-")]
    public void Percent_signs_are_codes_where_a_file_is_found_so_and_characters_where_one_is_called_so(
        string entry,
        string expected,
        string? other = null
    )
    {
        if (
            OperatingSystem.IsWindows()
            && (expected.Contains('?', StringComparison.Ordinal) || entry.Contains("file:", StringComparison.OrdinalIgnoreCase))
        )
            Assert.Skip("Paths of file URIs have another form on Windows, and names no question marks.");
        if (other != "-")
            Touch(expected);
        if (other is not (null or "-"))
            Touch(other);
        Write("list.m3u8", entry.Replace("{folder}", _folder.Path, StringComparison.Ordinal));
        Assert.Equal([expected], Names(new TrackListOptions(), _folder["list.m3u8"]));
        Assert.Empty(_errors);
    }

    [Theory]
    [InlineData("file:///music/%00.wav", "zero character")]
    [InlineData("file:////server/share/a.wav", "not a local file")]
    [InlineData("file://", "not a local file")]
    public void File_URIs_that_lead_nowhere_are_refused(string entry, string words)
    {
        // There a path without a drive leads nowhere for another reason.
        Write("list.m3u8", OperatingSystem.IsWindows() ? entry.Replace("///music", "///C:/music", StringComparison.Ordinal) : entry);
        Assert.Empty(Names(new TrackListOptions(), _folder["list.m3u8"]));
        Assert.Contains(words, Assert.Single(_errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_playlist_in_Latin_1_is_read()
    {
        File.WriteAllBytes(_folder["list.m3u"], Encoding.Latin1.GetBytes("Motörhead.wav\n"));
        Assert.Equal(["Motörhead.wav"], Names(new TrackListOptions(), _folder["list.m3u"]));
    }

    [Theory]
    [InlineData("http://example.org/a.mp3")]
    [InlineData("https://example.org/a.mp3")]
    [InlineData("rtsp://example.org/a")]
    [InlineData("file://server/share/a.wav")]
    [InlineData("file:relative.wav")]
    public void Entries_that_are_no_local_files_are_refused_by_name_and_the_rest_is_taken(string entry)
    {
        Write("list.m3u8", $"{entry}\na.wav\n");
        Assert.Equal(["a.wav"], Names(new TrackListOptions(), _folder["list.m3u8"]));
        DemucsException error = Assert.Single(_errors);
        Assert.Equal(DemucsError.TrackListInvalid, error.Error);
        Assert.Contains($"'{entry}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("list.m3u8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_that_are_none_are_refused()
    {
        Write("hls.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\nsegment.ts\n");
        Write("nested.m3u", "hls.m3u8\n");
        Write("long.m3u", new string('x', 9000) + "\n");
        File.WriteAllBytes(_folder["binary.m3u"], new byte[100]);
        File.WriteAllBytes(_folder["big.m3u"], new byte[(8 << 20) + 1]);
        foreach (
            (string file, string words) in new[]
            {
                ("hls.m3u8", "HLS"),
                ("nested.m3u", "inside another playlist"),
                ("long.m3u", "9000 characters (line 1)"),
                ("binary.m3u", "not a text file"),
                ("big.m3u", "8 MiB"),
                ("missing.m3u", "cannot be read"),
            }
        )
        {
            _errors.Clear();
            Assert.Empty(Names(new TrackListOptions(), _folder[file]));
            Assert.Contains(words, Assert.Single(_errors).Message, StringComparison.Ordinal);
            Assert.Equal(file == "missing.m3u" ? DemucsError.AudioTrackNotFound : DemucsError.TrackListInvalid, _errors[0].Error);
        }
    }

    [Fact]
    public void A_CUE_sheet_is_the_parts_of_its_file()
    {
        const int Sector = 588;
        File.WriteAllBytes(_folder["album.wav"], WavBytes.Pcm16(44100, 1, [.. Enumerable.Range(0, 1000 * Sector).Select(i => i % 30_011)]));
        Write(
            "album.cue",
            """
            REM GENRE "Krautrock"
            REM DATE 1973
            PERFORMER "The Band"
            TITLE "The Album"
            FILE "album.wav" WAVE
              TRACK 01 AUDIO
                TITLE "First: a/b?"
                INDEX 01 00:00:00
              TRACK 02 AUDIO
                TITLE "Second"
                PERFORMER "A Guest"
                ISRC ABCDE1234567
                INDEX 00 00:03:70
                INDEX 01 00:04:05
              TRACK 03 AUDIO
                INDEX 01 00:10:00
            """
        );
        TrackSource[] tracks = Expand(new TrackListOptions(), _folder["album.cue"]);
        Assert.Equal(["01 First: a/b?", "02 Second", "03"], tracks.Select(t => t.Name));
        Assert.Equal(
            [new FrameRange(0, 305 * Sector), new FrameRange(305 * Sector, 445 * Sector), new FrameRange(750 * Sector, null)],
            tracks.Select(t => t.Range)
        );
        Assert.Equal(
            ("First: a/b?", "The Band", "The Album", "1", "1973", "Krautrock"),
            (
                tracks[0].Tags["title"],
                tracks[0].Tags["artist"],
                tracks[0].Tags["album"],
                tracks[0].Tags["track"],
                tracks[0].Tags["date"],
                tracks[0].Tags["genre"]
            )
        );
        Assert.Equal(
            ("Second", "A Guest", "The Band", "2", "ABCDE1234567"),
            (
                tracks[1].Tags["title"],
                tracks[1].Tags["artist"],
                tracks[1].Tags["albumartist"],
                tracks[1].Tags["track"],
                tracks[1].Tags["isrc"]
            )
        );

        // All parts together are the file.
        List<float> joined = [];
        foreach (TrackSource track in tracks)
        {
            using StereoTrackReader reader = StereoTrackReader.Open(track);
            joined.AddRange(reader.ReadAll().Left);
            Assert.Equal(track.Tags["track"], reader.Tags["track"]);
        }
        using StereoTrackReader whole = StereoTrackReader.Open(new TrackSource(_folder["album.wav"]));
        Assert.Equal(whole.ReadAll().Left, joined);
    }

    /// <summary>
    /// What is before INDEX 01 of the first track is on the CD, and in the file, though a player comes there only by going back.
    /// </summary>
    [Theory]
    [InlineData(
        "TRACK 01 AUDIO\nINDEX 00 00:00:00\nINDEX 01 00:06:00\nTRACK 02 AUDIO\nINDEX 01 00:10:00",
        "00 Hidden track|01|02",
        "0+264600|264600+176400|441000+"
    )]
    [InlineData("TRACK 01 AUDIO\nINDEX 01 00:04:00", "00 Hidden track|01", "0+176400|176400+")]
    [InlineData("TRACK 05 AUDIO\nINDEX 01 00:04:00", "05 Before track 5|05", "0+176400|176400+")]
    [InlineData("TRACK 01 MODE1/2352\nINDEX 01 00:05:00\nTRACK 02 AUDIO\nINDEX 01 00:08:00", "02", "352800+")]
    [InlineData("TRACK 01 AUDIO\nINDEX 01 00:03:74", "01", "175812+", "the 3.99 s before track 1")]
    [InlineData(
        "TRACK 01 AUDIO\nINDEX 00 00:00:00\nINDEX 01 00:00:33\nTRACK 02 AUDIO\nINDEX 01 00:10:00",
        "01|02",
        "19404+421596|441000+",
        "the 0.44 s before track 1"
    )]
    public void What_is_before_the_first_track_is_a_hidden_one_or_said(string tracks, string names, string ranges, string? notice = null)
    {
        File.WriteAllBytes(_folder["album.wav"], WavBytes.Pcm16(44100, 1, new int[500_000]));
        Write("album.cue", $"PERFORMER \"The Band\"\nTITLE \"The Album\"\nFILE album.wav WAVE\n{tracks}\n");
        TrackSource[] found = Expand(new TrackListOptions(), _folder["album.cue"]);
        Assert.Equal(names.Split('|'), found.Select(t => t.Name));
        Assert.Equal(ranges.Split('|'), found.Select(t => $"{t.Range!.Value.Start}+{t.Range.Value.Length}"));
        Assert.All(found, t =>
            Assert.Equal(
                ("The Band", "The Album", t.Name[..2].TrimStart('0').PadLeft(1, '0')),
                (t.Tags["artist"], t.Tags["album"], t.Tags["track"])
            )
        );
        if (notice is null)
            Assert.Empty(_notices);
        else
            Assert.Contains(notice, Assert.Single(_notices), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_before_a_track_that_begins_another_file_is_said_or_a_track_too()
    {
        foreach (string file in new[] { "1.wav", "2.wav", "3.wav" })
            File.WriteAllBytes(_folder[file], WavBytes.Pcm16(44100, 1, new int[300_000]));
        Write(
            "album.cue",
            "FILE 1.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nFILE 2.wav WAVE\nTRACK 02 AUDIO\nINDEX 00 00:00:00\nINDEX 01 00:02:00\nFILE 3.wav WAVE\nTRACK 03 AUDIO\nINDEX 00 00:00:00\nINDEX 01 00:05:00\n"
        );
        Assert.Equal(["01", "02", "03 Before track 3", "03"], Expand(new TrackListOptions(), _folder["album.cue"]).Select(t => t.Name));
        Assert.Contains("the 2.00 s before track 2", Assert.Single(_notices), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PRE", true)]
    [InlineData("DCP pre 4CH", true)]
    [InlineData("DCP", false)]
    [InlineData("PREP", false)]
    public void Pre_emphasis_is_said_of_the_tracks_that_have_it(string flags, bool isSaid)
    {
        File.WriteAllBytes(_folder["album.wav"], WavBytes.Pcm16(44100, 1, new int[100_000]));
        Write("album.cue", $"FILE album.wav WAVE\nTRACK 01 AUDIO\nFLAGS {flags}\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 01 00:01:00\n");
        TrackSource[] tracks = Expand(new TrackListOptions(), _folder["album.cue"]);
        using StereoTrackReader first = StereoTrackReader.Open(tracks[0]),
            second = StereoTrackReader.Open(tracks[1]);
        Assert.Empty(second.Warnings);
        if (isSaid)
            Assert.Contains(
                "'01' of",
                Assert.Single(first.Warnings, w => w.Contains("pre-emphasis", StringComparison.Ordinal)),
                StringComparison.Ordinal
            );
        else
            Assert.Empty(first.Warnings);
    }

    [Theory]
    [InlineData("TITLE \"The \"Best\" Song\"", "The \"Best\" Song")]
    [InlineData("TITLE \"12\" Mix\"", "12\" Mix")]
    [InlineData("TITLE \"She said \"Yes\"\"", "She said \"Yes\"")]
    [InlineData("TITLE \"Live at \"\"Wembley\"\"\"", "Live at \"Wembley\"")]
    [InlineData("TITLE \"a \\\"b\\\" c\"", "a \"b\" c")]
    [InlineData("TITLE Two words", "Two words")]
    [InlineData("TITLE 12\" Mix", "12\" Mix")]
    [InlineData("title \t \"  spaced  out \" ", "spaced  out")]
    [InlineData("TITLE \"open", "open")]
    [InlineData("TITLE 'single'", "'single'")]
    public void Titles_have_the_quotation_marks_that_they_have(string line, string expected)
    {
        File.WriteAllBytes(_folder["a.wav"], WavBytes.Pcm16(44100, 1, new int[100]));
        Write(
            "a.cue",
            $"{line.Replace("title", "PERFORMER", StringComparison.OrdinalIgnoreCase)}\nFILE a.wav WAVE\nTRACK 01 AUDIO\n{line}\nINDEX 01 00:00:00\n"
        );
        TrackSource track = Assert.Single(Expand(new TrackListOptions(), _folder["a.cue"]));
        Assert.Equal((expected, expected), (track.Tags["title"].Trim(), track.Tags["artist"].Trim()));
    }

    [Theory]
    [InlineData("FILE My Album.wav WAVE", "My Album.wav")]
    [InlineData("FILE My Album.wav", "My Album.wav")]
    [InlineData("FILE \"My Album.wav\"", "My Album.wav")]
    [InlineData("FILE \"My%20Album.wav\" WAVE", "My Album.wav")]
    [InlineData("FILE \"a \"b\" c.wav\" WAVE", "a \"b\" c.wav")]
    public void Files_of_a_sheet_are_found_however_they_are_written(string line, string expected)
    {
        if (OperatingSystem.IsWindows() && expected.Contains('"', StringComparison.Ordinal))
            Assert.Skip("Windows has no quotes in file names.");
        File.WriteAllBytes(_folder[expected], WavBytes.Pcm16(44100, 1, new int[100]));
        Write("a.cue", $"{line}\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n");
        Assert.Equal([expected], Names(new TrackListOptions(), _folder["a.cue"]));
    }

    [Fact]
    public void Times_of_a_CUE_sheet_are_rounded_at_other_rates()
    {
        File.WriteAllBytes(_folder["album.wav"], WavBytes.Pcm16(8000, 1, new int[8000]));
        Write("album.cue", "FILE album.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:01\nTRACK 02 AUDIO\nINDEX 01 00:00:02\n");
        // 106.67 and 213.33 frames.
        Assert.Equal(
            [new FrameRange(107, 106), new FrameRange(213, null)],
            Expand(new TrackListOptions(), _folder["album.cue"]).Select(t => t.Range)
        );
    }

    [Fact]
    public void A_sheet_of_several_files_whose_names_were_changed_by_a_conversion_is_understood()
    {
        File.WriteAllBytes(_folder["one.wav"], WavBytes.Pcm16(44100, 1, new int[1000]));
        File.Copy(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "song", "bass.flac"), _folder["two.flac"]);
        File.WriteAllBytes(
            _folder["album.cue"],
            [
                0xFF,
                0xFE,
                .. Encoding.Unicode.GetBytes(
                    "FILE \"one.wav\" WAVE\r\n TRACK 1 AUDIO\r\n  TITLE \"Ω\"\r\n  INDEX 01 00:00:00\r\nFILE \"two.wav\" WAVE\r\n TRACK 2 AUDIO\r\n  INDEX 01 00:00:00\r\n"
                ),
            ]
        );
        TrackSource[] tracks = Expand(new TrackListOptions(), _folder["album.cue"]);
        Assert.Equal(["01 Ω", "02"], tracks.Select(t => t.Name));
        Assert.Equal([_folder["one.wav"], _folder["two.flac"]], tracks.Select(t => t.Path));
        Assert.All(tracks, t => Assert.Null(t.Range));
        Assert.Contains("two.flac' is used instead", Assert.Single(_notices), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TRACK 01 AUDIO\nINDEX 01 00:00:00", "TRACK before any FILE (line 1)")]
    [InlineData("FILE a.wav WAVE\nINDEX 01 00:00:00", "INDEX before any TRACK (line 2)")]
    [InlineData("FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00", "raw CD image")]
    [InlineData("FILE a.wav WAVE\nTRACK 00 AUDIO\nINDEX 01 00:00:00", "track number '00'")]
    [InlineData("FILE a.wav WAVE\nTRACK 100 AUDIO\nINDEX 01 00:00:00", "track number '100'")]
    [InlineData("FILE a.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:60:00", "time '00:60:00'")]
    [InlineData("FILE a.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:75", "time '00:00:75'")]
    [InlineData("FILE a.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 -1:00:00", "time '-1:00:00'")]
    [InlineData("FILE a.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 99999999999:00:00", "time '99999999999:00:00'")]
    [InlineData(
        "FILE a.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:10:00\nTRACK 02 AUDIO\nINDEX 01 00:10:00",
        "track 2 does not begin after track 1"
    )]
    [InlineData("FILE http://example.org/a.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:10:00", "network addresses are not supported")]
    [InlineData("FILE a.wav WAVE\nTRACK 01 MODE1/2352\nINDEX 01 00:00:00", "not a CUE sheet with audio tracks")]
    [InlineData("", "not a CUE sheet with audio tracks")]
    public void Sheets_that_make_no_sense_are_refused(string sheet, string words)
    {
        Write("album.cue", sheet);
        Assert.Empty(Expand(new TrackListOptions(), _folder["album.cue"]));
        DemucsException error = Assert.Single(_errors);
        Assert.Equal(DemucsError.TrackListInvalid, error.Error);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Equal(_folder["album.cue"], error.Path);
    }

    [Fact]
    public void A_data_track_ends_the_one_before_it()
    {
        File.WriteAllBytes(_folder["a.wav"], WavBytes.Pcm16(44100, 1, new int[200_000]));
        Write("a.cue", "FILE a.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 MODE1/2352\nINDEX 01 00:02:00\n");
        Assert.Equal(new FrameRange(0, 88_200), Assert.Single(Expand(new TrackListOptions(), _folder["a.cue"])).Range);
    }

    [Theory]
    [InlineData("../../../etc/passwd", "01 .._.._.._etc_passwd")]
    [InlineData("C:\\Windows", "01 C__Windows")]
    [InlineData("dots...", "01 dots")]
    public void Titles_lead_nowhere(string title, string expected)
    {
        File.WriteAllBytes(_folder["a.wav"], WavBytes.Pcm16(44100, 1, new int[100]));
        Write("a.cue", $"FILE a.wav WAVE\nTRACK 01 AUDIO\nTITLE \"{title}\"\nINDEX 01 00:00:00\n");
        TrackSource track = Assert.Single(Expand(new TrackListOptions(), _folder["a.cue"]));
        Assert.Equal($"01 {title}", track.Name);
        Assert.Equal(
            _folder[Path.Combine("out", "model", expected, "vocals.wav")],
            Assert.Single(new StemNames(_folder["out"]).For("model", track, track.Tags, ["vocals"], ".wav"))
        );
    }

    [Fact]
    public void A_sheet_whose_file_is_missing_is_an_error_of_that_file()
    {
        Write("a.cue", "FILE a.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n");
        Assert.Empty(Expand(new TrackListOptions(), _folder["a.cue"]));
        Assert.Equal((DemucsError.AudioTrackNotFound, _folder["a.wav"]), (Assert.Single(_errors).Error, _errors[0].Path));
    }

    [Fact]
    public void Stereo_files_stay_whole_where_pairs_are_wanted_and_bad_files_are_errors()
    {
        File.WriteAllBytes(_folder["a.wav"], WavBytes.Pcm16(44100, 2, 1, 2));
        File.WriteAllBytes(_folder["b.wav"], []);
        File.WriteAllBytes(_folder["c.wav"], WavBytes.Pcm16(44100, 4, 1, 2, 3, 4));
        Assert.Equal(
            ["a", "c (FL FR)", "c (BL BR)"],
            Expand(new TrackListOptions { ChannelLayout = ChannelLayout.Pairs }, _folder.Path).Select(t => t.Name)
        );
        Assert.Equal(DemucsError.AudioTrackCorrupt, Assert.Single(_errors).Error);
    }

    private TrackSource[] Expand(TrackListOptions options, params string[] paths)
    {
        TrackList list = new(options, _notices.Add, _errors.Add);
        return [.. paths.SelectMany(list.Expand)];
    }

    private string[] Names(TrackListOptions options, params string[] paths) =>
        [.. Expand(options, paths).Select(t => Path.GetRelativePath(_folder.Path, t.Path).Replace('\\', '/'))];

    private void Touch(params string[] names)
    {
        foreach (string name in names)
            Write(name, "");
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllText(_folder[name], text, new UTF8Encoding(false));
    }
}
