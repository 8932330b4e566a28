using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Player;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Player;

/// <summary>What is in a page, without a browser.</summary>
public sealed partial class PlayerPageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_page_draws_and_links_what_lies_in_a_folder()
    {
        PlayerStems.Write(_folder["a & b", "drums.wav"], PlayerStems.Sine(1000, 441, 0.5));
        PlayerStems.Write(_folder["a & b", "b#1?.wav"], PlayerStems.Sine(2000, 441, 0.25));
        PlayerStems.Write(_folder["a & b", "Mixture.WAV"], PlayerStems.Sine(2000, 441, 0.75));
        StemFolder stems = Assert.Single(StemFolder.Find(_folder["a & b"]));
        Assert.Equal(("a & b", _folder["a & b", "player.html"]), (stems.Title, stems.PagePath));
        PlayerPageFile page = (PlayerPage.Create(stems) with { Audio = PlayerAudio.Linked }).Write(_folder["pages", "one.html"]);
        Assert.Equal((_folder["pages", "one.html"], 1, true, PlayerAudio.Linked), (page.FilePath, page.Variants, page.HasMix, page.Audio));
        Assert.Equal(["b#1?", "drums"], page.Stems);
        Assert.Equal(2000.0 / 44100, page.Duration.TotalSeconds, 1e-6);
        Assert.Equal(new FileInfo(page.FilePath).Length, page.Bytes);
        Assert.Equal(
            ["a & b/Mixture.WAV", "a & b/b#1?.wav", "a & b/drums.wav", "pages/one.html"],
            _folder.Files().Select(f => f.Replace('\\', '/'))
        );

        JsonElement data = Data(page);
        Assert.Equal("../a%20%26%20b/b%231%3F.wav", data.GetProperty("variants")[0].GetProperty("stems")[0].GetProperty("url").GetString());
        Assert.Equal("../a%20%26%20b/Mixture.WAV", data.GetProperty("mix").GetProperty("url").GetString());
        // 1,000 frames are four buckets of 256; the sine of 100 frames a period reaches its ends in each.
        byte[] peaks = Block(page, data.GetProperty("variants")[0].GetProperty("stems")[1].GetProperty("peaks").GetString()!);
        Assert.Equal(Enumerable.Repeat(new[] { -64, 64 }, 4).SelectMany(b => b), peaks.Select(b => (int)(sbyte)b));
    }

    [Fact]
    public void What_is_embedded_is_the_sound_itself()
    {
        // Beyond full scale only floats go: what is embedded is smaller, and the page makes it larger again.
        PlayerStems.Write(_folder["song", "loud.wav"], PlayerStems.Sine(4410, 441, 2), format: WavSampleFormat.Float32);
        File.Copy(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "song", "bass.flac"), _folder["song", "bass.flac"]);
        PlayerPageFile page = PlayerPage.Create(StemFolder.Find(_folder["song"])[0]).Write(_folder["song", "player.html"]);
        Assert.Equal((PlayerAudio.Embedded, false), (page.Audio, page.HasMix));
        JsonElement bass = Data(page).GetProperty("variants")[0].GetProperty("stems")[0],
            loud = Data(page).GetProperty("variants")[0].GetProperty("stems")[1];
        Assert.Equal(File.ReadAllBytes(_folder["song", "bass.flac"]), Block(page, bass.GetProperty("block").GetString()!));
        Assert.Equal(2, loud.GetProperty("gain").GetDouble(), 1e-4);
        File.WriteAllBytes(_folder["loud"], Block(page, loud.GetProperty("block").GetString()!));
        using AudioReader reader = AudioFile.Open(_folder["loud"]);
        float[] samples = new float[2 * 4410],
            expected = PlayerStems.Sine(4410, 441, 1);
        Assert.Equal(4410, reader.Read(samples));
        for (int i = 0; i < 4410; i++)
            Assert.InRange(samples[2 * i] - expected[i], -2 / 32768f, 2 / 32768f);
    }

    [Fact]
    public async Task What_is_served_in_parts_is_the_sound_itself_wherever_a_part_begins()
    {
        const int Frames = 150_000;
        float[] noise = PlayerStems.Noise(Frames, 1);
        PlayerStems.Write(_folder["song", "a16.wav"], noise);
        PlayerStems.Write(_folder["song", "a24.wav"], noise[..100_000], format: WavSampleFormat.Pcm24);
        PlayerStems.Write(_folder["song", "a32.wav"], Array.ConvertAll(noise, n => 4 * n), format: WavSampleFormat.Float32);
        File.Copy(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "song", "drums.flac"), _folder["song", "drums.flac"]);
        // What has another rate is made to the page's first.
        PlayerStems.Write(_folder["song", "mix.wav"], PlayerStems.Sine(48_000, 480, 0.25, 48_000), 48_000);
        using PlayerServer server = (PlayerPage.Create(StemFolder.Find(_folder["song"])[0]) with { Audio = PlayerAudio.Linked }).Serve();
        JsonElement data = Data(server.Page),
            stems = data.GetProperty("variants")[0].GetProperty("stems");
        Assert.Equal("parts", data.GetProperty("audio").GetString());
        using HttpClient client = new();
        (string Name, JsonElement Track, float[] Left)[] expected =
        [
            ("a16", stems[0], noise),
            ("a24", stems[1], noise[..100_000]),
            ("a32", stems[2], Array.ConvertAll(noise, n => 4 * n)),
            ("drums", stems[3], Left(_folder["song", "drums.flac"])),
            ("mix", data.GetProperty("mix"), PlayerStems.Sine(44_100, 480)),
        ];
        foreach ((string name, JsonElement track, float[] left) in expected)
        {
            Assert.Equal((name, 1.0), (track.GetProperty("name").GetString(), track.GetProperty("gain").GetDouble()));
            foreach (int at in (int[])[0, 1, 43_000, 65_536, 99_999, 131_072, 881_000])
            {
                using HttpRequestMessage ask = new(HttpMethod.Get, new Uri(server.Address, track.GetProperty("url").GetString()));
                ask.Headers.Range = new System.Net.Http.Headers.RangeHeaderValue(8L * at, (8L * (at + 1000)) - 1);
                using HttpResponseMessage answer = await client.SendAsync(ask, TestContext.Current.CancellationToken);
                Assert.Equal(System.Net.HttpStatusCode.PartialContent, answer.StatusCode);
                Assert.Equal(8 * 882_000, answer.Content.Headers.ContentRange!.Length);
                float[] given = System
                    .Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(
                        await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)
                    )
                    .ToArray();
                Assert.Equal(2000, given.Length);
                for (int i = 0; i < 1000; i++)
                    Assert.Equal(at + i < left.Length ? left[at + i] : 0, given[2 * i], name == "mix" ? 1e-3f : 0);
            }
        }

        static float[] Left(string file)
        {
            using AudioReader reader = AudioFile.Open(file);
            float[] samples = new float[2 * 882_000];
            Assert.Equal(882_000, reader.Read(samples));
            return [.. samples.Where((_, i) => i % 2 == 0)];
        }
    }

    [Fact]
    public void The_policy_allows_the_pages_own_script_and_style_and_nothing_else()
    {
        string page = File.ReadAllText(OneTone(_ => { }).FilePath);
        string policy = Regex.Match(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"([^\"]+)\"").Groups[1].Value;
        string script = Assert.Single(Regex.Matches(page, "<script>(.*?)</script>", RegexOptions.Singleline)).Groups[1].Value,
            style = Assert.Single(Regex.Matches(page, "<style>(.*?)</style>", RegexOptions.Singleline)).Groups[1].Value;
        Assert.StartsWith("default-src 'none'; ", policy, StringComparison.Ordinal);
        Assert.Contains($"script-src '{Hash(script)}';", policy, StringComparison.Ordinal);
        Assert.Contains($"style-src '{Hash(style)}';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', page);
        // Self-contained: no address of anything elsewhere.
        Assert.DoesNotMatch(@"https?://", page);

        static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("</script><img src=x onerror=alert(1)>")]
    [InlineData("\"'&amp;<!--")]
    [InlineData("../../etc/passwd \u2028\u2029")]
    [InlineData("{{data}}{{script}}{{title}}")]
    public void Names_become_text_and_come_back_as_they_were(string hostile)
    {
        PlayerPageFile plain = OneTone(_ => { }),
            page = OneTone(name => name(hostile));
        string text = File.ReadAllText(page.FilePath);
        JsonElement data = Data(page);
        Assert.Equal(hostile, data.GetProperty("title").GetString());
        Assert.Equal(hostile, data.GetProperty("variants")[0].GetProperty("name").GetString());
        Assert.Equal(hostile, data.GetProperty("variants")[0].GetProperty("stems")[0].GetProperty("name").GetString());
        Assert.Equal(hostile, System.Net.WebUtility.HtmlDecode(Regex.Match(text, "<h1[^>]*>(.*?)</h1>").Groups[1].Value));
        Assert.Equal(Count(plain, '<'), Count(page, '<'));
        Assert.Equal(Count(plain, '>'), Count(page, '>'));
        Assert.DoesNotContain('\u2028', text);

        static int Count(PlayerPageFile page, char bracket) => File.ReadAllText(page.FilePath).Count(c => c == bracket);
    }

    [Fact]
    public void Variants_are_as_loud_as_the_quietest_and_the_mix_as_they_are()
    {
        float[] tone = PlayerStems.Sine(4410, 441, 0.25),
            other = PlayerStems.Sine(4410, 882, 0.25);
        PlayerStems.Write(_folder["mix.wav"], [.. tone.Zip(other, (a, b) => a + b)]);
        foreach ((string name, float gain) in new[] { ("half", 0.5f), ("full", 1f) })
        {
            PlayerStems.Write(_folder[name, "a.wav"], Array.ConvertAll(tone, s => s * gain), format: WavSampleFormat.Float32);
            PlayerStems.Write(_folder[name, "b.wav"], Array.ConvertAll(other, s => s * gain), format: WavSampleFormat.Float32);
        }
        PlayerPage page = PlayerPage.Comparing([StemFolder.Find(_folder["half"])[0], StemFolder.Find(_folder["full"])[0]]) with
        {
            Mix = new TrackSource(_folder["mix.wav"]),
            Audio = PlayerAudio.Linked,
        };
        JsonElement data = Data(page.Write(_folder["player.html"]));
        Assert.Equal(2, data.GetProperty("variants").GetArrayLength());
        Assert.Equal(1, data.GetProperty("variants")[0].GetProperty("level").GetDouble(), 1e-3);
        Assert.Equal(0.5, data.GetProperty("variants")[1].GetProperty("level").GetDouble(), 1e-3);
        Assert.Equal(0.5, data.GetProperty("mix").GetProperty("gain").GetDouble(), 1e-3);
    }

    [Theory]
    [InlineData(new[] { "narrow/baseline/song", "wide/baseline/song" }, new[] { "stems (narrow)", "stems (wide)" })]
    [InlineData(new[] { "a/song", "b/song", "b/other" }, new[] { "stems (1)", "stems (2)", "stems (3)" })]
    [InlineData(new[] { "a", "b" }, new[] { "stems (a)", "stems (b)" })]
    public void Separations_of_one_name_are_told_apart_by_their_folders(string[] folders, string[] names) =>
        Assert.Equal(
            names,
            PlayerPage
                .Comparing([
                    .. folders.Select(f => new StemFolder(
                        "song",
                        _folder[[.. f.Split('/'), "player.html"]],
                        new PlayerVariant("stems", [])
                    )),
                ])
                .Variants.Select(v => v.Name)
        );

    [Fact]
    public void Memory_does_not_depend_on_the_length()
    {
        long[] allocated = Array.ConvertAll([1, 20], seconds =>
        {
            PlayerStems.Write(_folder[$"{seconds}", "a.wav"], PlayerStems.Noise(44100 * seconds, 1));
            PlayerPage page = PlayerPage.Create(StemFolder.Find(_folder[$"{seconds}"])[0]) with
            {
                Audio = PlayerAudio.Linked,
                Overwrite = true,
            };
            page.Write(_folder[$"{seconds}", "player.html"]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            page.Write(_folder[$"{seconds}", "player.html"]);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        // Twenty times the sound; two bytes for each 256 frames of it are in the page.
        Assert.InRange(allocated[1] - allocated[0], long.MinValue, 100_000);
    }

    [Fact]
    public void Peaks_become_coarser_instead_of_more()
    {
        WavePeaks peaks = new();
        float[] block = new float[WavePeaks.MaxBuckets * 64];
        for (int i = 0; i < 12; i++)
        {
            Array.Fill(block, i / 20f);
            block[100] = -i / 20f;
            block[2000] = i / 10f;
            peaks.Add(block, new float[block.Length]);
        }
        // 12 · 64 · 65,536 frames: more than 65,536 buckets of 512, at most that many of 1,024.
        Assert.Equal((1024, 49152, 11 / 10f), (peaks.BucketFrames, peaks.Buckets, peaks.Peak));
        byte[] bytes = peaks.ToBytes();
        Assert.Equal(2 * 49152, bytes.Length);
        for (int i = 0; i < 12; i++)
        {
            int bucket = i * 4096;
            Assert.Equal(
                ((int)Math.Floor(-i / 20f * 127), (int)Math.Ceiling(i / 20f * 127)),
                ((sbyte)bytes[2 * bucket], (sbyte)bytes[2 * bucket + 1])
            );
            Assert.Equal(
                (0, Math.Min(127, (int)Math.Ceiling(i / 10f * 127))),
                ((sbyte)bytes[2 * bucket + 2], (sbyte)bytes[2 * bucket + 3])
            );
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Samples_that_are_no_numbers_are_refused(float wrong)
    {
        float[] samples = PlayerStems.Sine(4410, 441);
        samples[1234] = wrong;
        PlayerStems.Write(_folder["song", "a.wav"], samples, format: WavSampleFormat.Float32);
        DemucsException e = Assert.Throws<DemucsException>(() =>
            PlayerPage.Create(StemFolder.Find(_folder["song"])[0]).Write(_folder["song", "player.html"])
        );
        Assert.Equal((DemucsError.AudioTrackCorrupt, _folder["song", "a.wav"]), (e.Error, e.Path));
        Assert.Equal(["a.wav"], _folder.Files().Select(Path.GetFileName));
    }

    [Fact]
    public void A_page_that_exists_is_replaced_only_when_asked_for_and_only_as_a_whole()
    {
        PlayerPage page = new()
        {
            Title = "t",
            Variants = [new PlayerVariant("v", [new PlayerStem("a", new TrackSource(_folder["a.wav"]))])],
            Audio = PlayerAudio.Linked,
        };
        PlayerStems.Write(_folder["a.wav"], PlayerStems.Sine(441, 441));
        File.WriteAllText(_folder["player.html"], "mine");
        DemucsException e = Assert.Throws<DemucsException>(() => page.Write(_folder["player.html"]));
        Assert.Equal((DemucsError.StemExists, Remedy.Replace), (e.Error, Assert.Single(e.Remedies)));
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() =>
            (page with { Overwrite = true }).Write(_folder["player.html"], new Progress(stop.Cancel), stop.Token)
        );
        Assert.Equal("mine", File.ReadAllText(_folder["player.html"]));
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert.Throws<DemucsException>(() => (page with { Overwrite = true }).Write(_folder["a.wav"])).Error
        );
        (page with { Overwrite = true }).Write(_folder["player.html"]);
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(_folder["player.html"]), StringComparison.Ordinal);
        Assert.Equal(["a.wav", "player.html"], _folder.Files());
    }

    [Fact]
    public void Without_stems_it_says_where_to_find_some()
    {
        Assert.Equal(DemucsError.AudioTrackNotFound, Assert.Throws<DemucsException>(() => StemFolder.Find(_folder.Path)).Error);
        Assert.Equal(DemucsError.AudioTrackNotFound, Assert.Throws<DemucsException>(() => StemFolder.Find(_folder["missing"])).Error);
        File.WriteAllText(_folder["demucsps.json"], "{}");
        Assert.Equal(DemucsError.ProvenanceInvalid, Assert.Throws<DemucsException>(() => StemFolder.Find(_folder.Path)).Error);
    }

    [Fact]
    public void Further_files_that_are_called_after_a_mix_are_left_out_with_a_warning()
    {
        foreach (string name in (string[])["bass.wav", "mix.wav", "Mix.flac.wav", "mixture.wav"])
            PlayerStems.Write(_folder["song", name], PlayerStems.Sine(441, 441));
        PlayerPageFile page = (PlayerPage.Create(StemFolder.Find(_folder["song"])[0]) with { Audio = PlayerAudio.Linked }).Write(
            _folder["player.html"]
        );
        Assert.Equal(["Mix.flac", "bass"], page.Stems);
        Assert.True(page.HasMix);
        Assert.Contains("'mixture.wav'", Assert.Single(page.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_track_whose_files_are_named_by_a_template_is_called_after_its_source()
    {
        using InterruptedTrack track = new(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx"), frames: 900);
        SeparationResult result = track.Separate("named", new SeparationOptions(), output =>
            output with
            {
                Names = new StemNames(track.Folder["named"], FileNameTemplate.Parse("{name} ({stem})")),
            }
        );
        StemFolder found = Assert.Single(StemFolder.Find(track.Folder["named"]));
        Assert.Equal(("noise", track.Folder["named", "noise.player.html"]), (found.Title, found.PagePath));
        // With another separation of it beside it, the pages have different names.
        File.Copy(result.ProvenancePath, track.Folder["named", "noise (again).demucsps.json"]);
        Assert.Equal(
            [
                "noise (again).player.html",
                Path.GetFileName(result.ProvenancePath).Replace("demucsps.json", "player.html", StringComparison.Ordinal),
            ],
            StemFolder.Find(track.Folder["named"]).Select(f => Path.GetFileName(f.PagePath))
        );
    }

    [Fact]
    public void Tracks_of_unlike_lengths_are_compared_with_a_warning()
    {
        PlayerStems.Write(_folder["long", "a.wav"], PlayerStems.Sine(100_000, 441));
        PlayerStems.Write(_folder["like", "a.wav"], PlayerStems.Sine(90_000, 441));
        PlayerStems.Write(_folder["short", "a.wav"], PlayerStems.Sine(44_100, 441));
        Assert.Empty(Compared("long", "like"));
        Assert.Contains("differ in length", Assert.Single(Compared("long", "short")), StringComparison.Ordinal);

        IReadOnlyList<string> Compared(params string[] folders) =>
            (
                PlayerPage.Comparing([.. folders.Select(f => StemFolder.Find(_folder[f])[0])]) with
                {
                    Audio = PlayerAudio.Linked,
                    Overwrite = true,
                }
            )
                .Write(_folder["player.html"])
                .Warnings;
    }

    [Fact]
    public void Two_names_that_are_one_are_refused()
    {
        PlayerStem stem = new("a", new TrackSource(_folder["a.wav"]));
        foreach (
            PlayerPage page in (PlayerPage[])
                [
                    new() { Title = "t", Variants = [] },
                    new() { Title = "t", Variants = [new("v", [stem, stem])] },
                    new() { Title = "t", Variants = [new("v", [stem]), new("v", [stem])] },
                ]
        )
            Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(() => page.Write(_folder["player.html"])).Error);
    }

    [Fact]
    public void Without_a_desktop_nothing_is_opened_and_that_is_said()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems always have one.");
        Assert.Contains("no desktop", DesktopBrowser.Open("/page.html", _ => null), StringComparison.Ordinal);
    }

    [Theory]
    // Three minutes of two tracks at 44.1 kHz: 60 MiB of 16-bit samples.
    [InlineData(PlayerAudio.Auto, 180, "Wav")]
    // Without ffmpeg, what is longer is not compressed, and so it is linked unless somebody insists.
    [InlineData(PlayerAudio.Auto, 300, null)]
    [InlineData(PlayerAudio.Embedded, 300, "Wav")]
    [InlineData(PlayerAudio.Linked, 1, null)]
    public void Sound_is_embedded_while_browsers_can_hold_it(PlayerAudio wanted, int seconds, string? format) =>
        Assert.Equal(format, PageSound.Choose(wanted, 2 * seconds, 44100, ffmpeg: null, "page")?.Format);

    [Fact]
    public void More_than_a_browser_holds_is_not_embedded() =>
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert.Throws<DemucsException>(() => PageSound.Choose(PlayerAudio.Embedded, 5 * 3600, 44100, null, "page")).Error
        );

    private PlayerPageFile OneTone(Action<Action<string>> rename)
    {
        string given = "plain";
        rename(name => given = name);
        if (!File.Exists(_folder["tone.wav"]))
            PlayerStems.Write(_folder["tone.wav"], PlayerStems.Sine(441, 441));
        return new PlayerPage
        {
            Title = given,
            Variants = [new PlayerVariant(given, [new PlayerStem(given, new TrackSource(_folder["tone.wav"]))])],
            Audio = PlayerAudio.Linked,
            Overwrite = true,
        }.Write(_folder[given == "plain" ? "plain.html" : "page.html"]);
    }

    private static JsonElement Data(PlayerPageFile page) =>
        JsonDocument
            .Parse(
                Regex.Match(File.ReadAllText(page.FilePath), "<script type=\"application/json\" id=\"data\">(.*?)</script>").Groups[1].Value
            )
            .RootElement;

    private static byte[] Block(PlayerPageFile page, string id) =>
        Convert.FromBase64String(
            Regex
                .Match(File.ReadAllText(page.FilePath), $"<script type=\"application/octet-stream\" id=\"{id}\">([^<]*)</script>")
                .Groups[1]
                .Value
        );

    private sealed class Progress(Action first) : IProgress<PlayerProgress>
    {
        public void Report(PlayerProgress value) => first();
    }
}
