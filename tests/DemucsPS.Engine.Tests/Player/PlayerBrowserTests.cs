using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Player;

namespace DemucsPS.Engine.Tests.Player;

/// <summary>
/// The page in a real browser. What is heard is measured: an analyzer of the browser's is put behind the player's last node. Times are the
/// audio clock's, so that a busy machine changes nothing.
/// </summary>
public sealed class PlayerBrowserTests(Chromium browser, ITestOutputHelper output) : IClassFixture<Chromium>
{
    private const int Frames = 6 * PlayerStems.Rate;

    // The greatest sample and the part of a tone of 1,000 Hz in the last 46 ms, once a fifth of a second was played since.
    private const string Ear = """
        window.ear = new AnalyserNode(stemPlayer.sound.context, { fftSize: 2048 });
        stemPlayer.sound.output.connect(ear);
        window.heard = async () => {
          const since = ear.context.currentTime;
          while (ear.context.currentTime < since + 0.2)
            await new Promise(resolve => setTimeout(resolve, 5));
          const samples = new Float32Array(2048);
          ear.getFloatTimeDomainData(samples);
          let peak = 0, real = 0, imaginary = 0;
          samples.forEach((x, i) => {
            peak = Math.max(peak, Math.abs(x));
            real += x * Math.cos(2 * Math.PI * 1000 * i / ear.context.sampleRate);
            imaginary += x * Math.sin(2 * Math.PI * 1000 * i / ear.context.sampleRate);
          });
          return { peak, tone: 2 * Math.hypot(real, imaginary) / 2048 };
        };
        window.only = (...names) => { stemPlayer.reset(); names.forEach(name => stemPlayer.toggle(name, 'solo')); };
        """;

    [Fact]
    public async Task A_page_opened_as_a_file_plays_what_is_soloed_muted_and_chosen()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        await using Chromium.Tab tab = await OpenAsync(folder);
        Assert.Equal(0, await tab.NumberAsync("stemPlayer.position()"));

        await tab.ClickAsync("#play");
        await PlayingAsync(tab);
        await tab.EvaluateAsync(Ear);
        await tab.EvaluateAsync("stemPlayer.setLoop(true, null)");
        (double all, double tone) = await HeardAsync(tab);
        Assert.InRange(tone, 0.2, 0.3);
        Assert.InRange(all, 0.4, 1);

        await tab.ClickAsync("button[aria-label='Solo tone']");
        (all, tone) = await HeardAsync(tab);
        Assert.InRange(all, 0.24, 0.26);
        Assert.InRange(tone, 0.24, 0.26);
        Assert.Equal(
            "true",
            (
                await tab.EvaluateAsync("document.querySelector(\"button[aria-label='Solo tone']\").getAttribute('aria-pressed')")
            )!.GetValue<string>()
        );

        // The gain of −12 dB is 0.2512.
        await tab.EvaluateAsync("stemPlayer.setGain('tone', -12)");
        Assert.InRange((await HeardAsync(tab)).Peak, 0.0610, 0.0645);

        await tab.ClickAsync("#reset");
        await tab.ClickAsync("button[aria-label='Mute tone']");
        Assert.InRange((await HeardAsync(tab)).Tone, 0, 0.05);

        // The mix is heard whatever is done to the stems; its own samples are those of the sum.
        await tab.EvaluateAsync("only('noise', 'opposite')");
        Assert.InRange((await HeardAsync(tab)).Peak, 0, 1e-4);
        await tab.EvaluateAsync("document.activeElement.blur()");
        await tab.PressAsync("x", "KeyX", 88);
        Assert.InRange((await HeardAsync(tab)).Tone, 0.2, 0.3);
        await tab.PressAsync("x", "KeyX", 88);
        Assert.InRange((await HeardAsync(tab)).Peak, 0, 1e-4);

        await tab.PressAsync(" ", "Space", 32);
        Assert.False((await tab.EvaluateAsync("stemPlayer.sound.playing"))!.GetValue<bool>());
        Assert.InRange((await HeardAsync(tab)).Peak, 0, 0);
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task Stems_are_in_step_to_the_sample_wherever_one_seeks_and_in_loops()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        await using Chromium.Tab tab = await OpenAsync(folder);
        await tab.ClickAsync("#play");
        await PlayingAsync(tab);
        await tab.EvaluateAsync(Ear);

        // What is one millisecond late does not cancel: this would be found.
        await tab.EvaluateAsync("only('noise', 'late')");
        Assert.InRange((await HeardAsync(tab)).Peak, 0.4, 1);
        await tab.EvaluateAsync("only('noise', 'opposite')");
        foreach (string place in (string[])["0", "1.2345678", "3.9999", "0.5"])
        {
            await tab.EvaluateAsync($"stemPlayer.seek({place})");
            Assert.InRange((await HeardAsync(tab)).Peak, 0, 1e-4);
            Assert.True(
                await tab.NumberAsync("stemPlayer.position()") >= double.Parse(place, System.Globalization.CultureInfo.InvariantCulture)
            );
        }
        await tab.ClickAsync(".lane:nth-of-type(3) .wave", 0.25);
        Assert.InRange((await HeardAsync(tab)).Peak, 0, 1e-4);

        // A loop of 0.1 s was gone through when the ear has listened, and is still in step.
        await tab.EvaluateAsync("stemPlayer.setLoop(true, [2, 2.1])");
        Assert.InRange((await HeardAsync(tab)).Peak, 0, 1e-4);
        Assert.InRange(await tab.NumberAsync("stemPlayer.position()"), 2, 2.1);
        await tab.EvaluateAsync("only('noise')");
        Assert.InRange((await HeardAsync(tab)).Peak, 0.3, 0.5);
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task A_remix_has_the_samples_of_the_stems_at_their_gains()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        await using Chromium.Tab tab = await OpenAsync(folder);
        await tab.EvaluateAsync(
            "stemPlayer.toggle('noise', 'mute'); stemPlayer.toggle('opposite', 'mute'); stemPlayer.toggle('late', 'mute'); stemPlayer.setGain('tone', -6)"
        );
        string base64 = (
            await tab.EvaluateAsync(
                "stemPlayer.render().then(({ bytes }) => { let text = ''; for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768)); return btoa(text); })"
            )
        )!.GetValue<string>();
        File.WriteAllBytes(folder["remix.wav"], Convert.FromBase64String(base64));
        using AudioReader remix = AudioFile.Open(folder["remix.wav"]);
        Assert.Equal(("PCM 24 bit", PlayerStems.Rate, 2, Frames), (remix.Codec, remix.SampleRate, remix.Channels, remix.FrameCount));
        float[] samples = new float[2 * Frames],
            tone = PlayerStems.Sine(Frames, 1000);
        Assert.Equal(Frames, remix.Read(samples));
        double gain = Math.Pow(10, -0.3);
        for (int i = 0; i < Frames; i++)
        {
            Assert.InRange(samples[2 * i] - gain * tone[i], -2e-5, 2e-5);
            Assert.Equal(samples[2 * i], samples[2 * i + 1]);
        }
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task Six_stems_fit_a_phone_in_both_themes_and_axe_finds_nothing_serious()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        foreach (string name in (string[])["bass", "drums", "guitar", "other", "piano", "vocals with a name that is too long for a lane"])
            PlayerStems.Write(folder["stems", name + ".wav"], PlayerStems.Noise(4410, name.Length));
        await using Chromium.Tab tab = await browser.OpenAsync();
        await tab.ResizeAsync(360, 740);
        await tab.GoAsync(new Uri(PageOf(folder["stems"]).FilePath).AbsoluteUri);
        Assert.Equal(360, await tab.NumberAsync("document.documentElement.scrollWidth"));
        await tab.EvaluateAsync("for (const details of document.querySelectorAll('details')) details.open = true");
        Assert.Equal(360, await tab.NumberAsync("document.documentElement.scrollWidth"));
        // Each control is as large as a finger needs it.
        Assert.Equal(
            0,
            await tab.NumberAsync(
                "[...document.querySelectorAll('button, input[type=range], select')].filter(e => e.checkVisibility() && (e.clientHeight < 24 || e.clientWidth < 24)).length"
            )
        );

        string? axe = Axe(folder["axe"]);
        if (axe is not null)
            await tab.EvaluateAsync(axe + ";0");
        List<string> backs = [];
        foreach (string theme in (string[])["light", "dark"])
        {
            await tab.PreferAsync(theme);
            backs.Add((await tab.EvaluateAsync("getComputedStyle(document.body).backgroundColor"))!.GetValue<string>());
            if (axe is not null)
                Assert.Equal(
                    "[]",
                    (
                        await tab.EvaluateAsync(
                            "axe.run().then(found => found.violations.filter(v => v.impact === 'serious' || v.impact === 'critical').map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ')))"
                        )
                    )!.ToJsonString()
                );
        }
        // The switch goes over what the system prefers.
        await tab.EvaluateAsync(
            "(() => { const theme = document.querySelector('#theme'); theme.value = 'light'; theme.dispatchEvent(new Event('change')); })()"
        );
        backs.Add((await tab.EvaluateAsync("getComputedStyle(document.body).backgroundColor"))!.GetValue<string>());
        Assert.Equal(["rgb(255, 255, 255)", "rgb(20, 23, 28)", "rgb(255, 255, 255)"], backs);
        Assert.Empty(tab.Complaints);
        Assert.SkipWhen(axe is null, "axe-core cannot be had: npm is not installed, or reaches no registry. The rest has passed.");
    }

    [Fact]
    public async Task What_files_say_is_text_whatever_it_is()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        string hostile = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>\"'&amp;../\u2028{{data}}</script>";
        string name = "a&b'\"<img src=x onerror=hacked=1>{{style}}\u2028";
        PlayerStems.Write(folder["in", name.Replace("/", "_", StringComparison.Ordinal) + ".wav"], PlayerStems.Sine(4410, 440));
        TrackSource source = new(Directory.GetFiles(folder["in"])[0]);
        PlayerPage page = new()
        {
            Title = hostile,
            Variants =
            [
                new PlayerVariant(hostile, [new PlayerStem(hostile, source)]),
                new PlayerVariant("b" + hostile, [new PlayerStem(hostile, source)]),
            ],
            Audio = PlayerAudio.Linked,
        };
        await using Chromium.Tab tab = await browser.OpenAsync();
        await tab.GoAsync(new Uri(page.Write(folder["out", "player.html"]).FilePath).AbsoluteUri);
        Assert.Equal(hostile, (await tab.EvaluateAsync("document.querySelector('#title').textContent"))!.GetValue<string>());
        Assert.Equal(hostile, (await tab.EvaluateAsync("document.querySelector('.lane .name span').textContent"))!.GetValue<string>());
        Assert.Equal("undefined", (await tab.EvaluateAsync("typeof window.hacked"))!.GetValue<string>());
        Assert.Equal(0, await tab.NumberAsync("document.querySelectorAll('img').length"));
        // Nor would a script run that got into the page all the same: the policy knows one.
        await tab.EvaluateAsync(
            "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.hacked = 1' }))"
        );
        Assert.Equal("undefined", (await tab.EvaluateAsync("typeof window.hacked"))!.GetValue<string>());
        Assert.Single(tab.Complaints, c => c.Contains("Content Security Policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Separations_are_heard_one_against_another_at_the_same_level()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        PlayerStems.Write(folder["loud", "tone.wav"], PlayerStems.Sine(Frames, 1000, 0.5));
        PlayerStems.Write(folder["quiet", "tone.wav"], PlayerStems.Sine(Frames, 1000, 0.125));
        PlayerPage page = PlayerPage.Comparing([StemFolder.Find(folder["loud"])[0], StemFolder.Find(folder["quiet"])[0]]);
        await using Chromium.Tab tab = await browser.OpenAsync();
        await tab.GoAsync(new Uri(page.Write(folder["player.html"]).FilePath).AbsoluteUri);
        await tab.ClickAsync("#play");
        await PlayingAsync(tab);
        await tab.EvaluateAsync(Ear);
        await tab.EvaluateAsync("stemPlayer.setLoop(true, null); document.activeElement.blur()");
        Assert.InRange((await HeardAsync(tab)).Tone, 0.12, 0.13);
        await tab.PressAsync("v", "KeyV", 86);
        Assert.Equal(1, await tab.NumberAsync("stemPlayer.state.hear"));
        Assert.InRange((await HeardAsync(tab)).Tone, 0.12, 0.13);
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task Linked_files_play_beside_each_other_and_served_ones_as_if_they_were_in_the_page()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        PlayerStems.WriteStepTest(folder["a & b#?"], Frames);
        PlayerPage page = PlayerPage.Create(StemFolder.Find(folder["a & b#?"])[0]);
        await using (Chromium.Tab tab = await browser.OpenAsync())
        {
            await tab.GoAsync(
                new Uri((page with { Audio = PlayerAudio.Linked }).Write(folder["page", "player.html"]).FilePath).AbsoluteUri
            );
            await tab.ClickAsync("#play");
            await PlayingAsync(tab);
            await tab.EvaluateAsync("stemPlayer.toggle('tone', 'solo')");
            await tab.EvaluateAsync(
                "(async () => { while (stemPlayer.position() < 1) await new Promise(resolve => setTimeout(resolve, 20)); })()"
            );
            Assert.Equal(
                """["late","mix","noise","opposite"]""",
                (
                    await tab.EvaluateAsync(
                        "[...stemPlayer.sound.players].filter(([, player]) => player.muted).map(([track]) => track.name).sort()"
                    )
                )!.ToJsonString()
            );
            Assert.Equal(
                5,
                await tab.NumberAsync(
                    "[...stemPlayer.sound.players.values()].filter(player => !player.paused && player.currentTime > 0).length"
                )
            );
            output.WriteLine(
                "Players apart, in ms: "
                    + (
                        await tab.EvaluateAsync(
                            "(() => { const times = [...stemPlayer.sound.players.values()].map(p => p.currentTime); return 1000 * (Math.max(...times) - Math.min(...times)); })()"
                        )
                    )!.ToJsonString()
            );
            Assert.Empty(tab.Complaints);
        }
        using PlayerServer server = page.Serve();
        await using (Chromium.Tab tab = await browser.OpenAsync())
        {
            await tab.GoAsync(server.Address.AbsoluteUri);
            await tab.ClickAsync("#play");
            await PlayingAsync(tab);
            await tab.EvaluateAsync(Ear);
            await tab.EvaluateAsync("only('noise', 'opposite')");
            Assert.InRange((await HeardAsync(tab)).Peak, 0, 1e-4);
            await tab.EvaluateAsync("only('tone')");
            Assert.InRange((await HeardAsync(tab)).Tone, 0.24, 0.26);
            Assert.Empty(tab.Complaints);
        }
    }

    // What is heard, against the samples of a track as the page has fetched them: where in the track the last 0.7 s are, and the greatest
    // difference there. Loops are gone through.
    private const string Comparison = """
        window.recorder = new AnalyserNode(stemPlayer.sound.context, { fftSize: 32768, channelCount: 1, channelCountMode: 'explicit', channelInterpretation: 'discrete' });
        stemPlayer.sound.output.connect(recorder);
        window.samplesOf = async name => {
          const track = stemPlayer.data.variants[0].stems.find(t => t.name === name), answer = await fetch(track.url);
          return new Float32Array(await answer.arrayBuffer()).filter((_, i) => i % 2 === 0);
        };
        window.compared = async (samples, seconds, loop) => {
          const since = recorder.context.currentTime;
          while (recorder.context.currentTime < since + seconds)
            await new Promise(resolve => setTimeout(resolve, 5));
          const heard = new Float32Array(32768), rate = recorder.context.sampleRate;
          recorder.getFloatTimeDomainData(heard);
          const [from, to] = loop ? loop.map(s => Math.round(s * rate)) : [0, samples.length];
          const next = at => at + 1 === to ? from : at + 1;
          const end = Math.round(stemPlayer.position() * rate);
          let best = { at: -1, difference: Infinity };
          for (let start = Math.max(from, end - (loop ? to - from : 60000)); start < Math.min(to, end + (loop ? to - from : 0)) && best.difference > 1e-4; start++) {
            let difference = 0;
            for (let i = 0, at = start; i < heard.length && difference < best.difference; i++, at = next(at))
              difference = Math.max(difference, Math.abs(heard[i] - samples[at]));
            if (difference < best.difference)
              best = { at: start / rate, difference };
          }
          return best;
        };
        """;

    [Fact]
    public async Task Served_parts_are_heard_to_the_sample_over_their_seams_after_seeks_and_in_loops()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        float[] noise = PlayerStems.Noise(Frames, 1),
            opposite = Array.ConvertAll(noise, n => -n);
        PlayerStems.Write(folder["song", "noise.wav"], noise);
        PlayerStems.Write(folder["song", "opposite.wav"], opposite, format: DemucsPS.Engine.Audio.Wav.WavSampleFormat.Float32);
        PlayerStems.Write(folder["song", "24.wav"], opposite, format: DemucsPS.Engine.Audio.Wav.WavSampleFormat.Pcm24);
        PlayerStems.Write(folder["song", "late.wav"], [.. new float[PlayerStems.Late], .. opposite[..^PlayerStems.Late]]);
        // 0.3 s shorter than the others.
        PlayerStems.Write(folder["song", "tone.wav"], PlayerStems.Sine(Frames - 13_230, 1000));
        using PlayerServer server = (PlayerPage.Create(StemFolder.Find(folder["song"])[0]) with { Audio = PlayerAudio.Linked }).Serve();
        await using Chromium.Tab tab = await browser.OpenAsync();
        await tab.GoAsync(server.Address.AbsoluteUri);
        Assert.Equal("FetchedSound", (await tab.EvaluateAsync("stemPlayer.sound.constructor.name"))!.GetValue<string>());
        await tab.ClickAsync("#play");
        await PlayingAsync(tab);
        await tab.EvaluateAsync(Ear + Comparison);
        await tab.EvaluateAsync("(async () => { window.noise = await samplesOf('noise'); only('noise'); })()");
        // The parts of the file meet each 1.486 s, and what is given to the browser as long after its beginning: both are in the last 0.7
        // of 1.8 s.
        foreach (string place in (string[])["0.6", "2.1", "2.654321", "0"])
            Assert.InRange(await DifferenceAsync($"stemPlayer.seek({place})", "compared(noise, 1.8)"), 0, 1e-6);
        // So they are in step: what is one sample off is heard.
        foreach (string other in (string[])["opposite", "24"])
        {
            await tab.EvaluateAsync($"only('noise', '{other}')");
            foreach (string place in (string[])["0", "1.2345678", "3.9999", "0.5"])
            {
                await tab.EvaluateAsync($"stemPlayer.seek({place})");
                Assert.InRange((await HeardAsync(tab)).Peak, 0, 1e-6);
            }
        }
        await tab.EvaluateAsync("only('noise', 'late')");
        Assert.InRange((await HeardAsync(tab)).Peak, 0.4, 1);
        await tab.EvaluateAsync("only('noise')");
        // A loop shorter than a part, and one over a seam; the next frame behind its end is that of its start.
        foreach ((string from, string to) in new[] { ("2", "2.1"), ("1.3", "2.55") })
        {
            Assert.InRange(
                await DifferenceAsync($"stemPlayer.setLoop(true, [{from}, {to}])", $"compared(noise, 1.8, [{from}, {to}])"),
                0,
                1e-6
            );
            Assert.InRange(
                await tab.NumberAsync("stemPlayer.position()"),
                double.Parse(from, System.Globalization.CultureInfo.InvariantCulture),
                double.Parse(to, System.Globalization.CultureInfo.InvariantCulture)
            );
        }
        // Gains are those of nodes, so that stems can be made louder.
        await tab.EvaluateAsync("only('tone'); stemPlayer.setGain('tone', 6)");
        Assert.InRange((await HeardAsync(tab)).Tone, 0.497, 0.5);
        Assert.False((await tab.EvaluateAsync("stemPlayer.setLoop(false), stemPlayer.sound.canRender"))!.GetValue<bool>());
        // It ends by itself, and begins anew.
        await tab.EvaluateAsync(
            "(async () => { await stemPlayer.seek(5.7); while (stemPlayer.sound.playing) await new Promise(resolve => setTimeout(resolve, 20)); })()"
        );
        Assert.InRange(await tab.NumberAsync("stemPlayer.position()"), 5.99, 6);
        await tab.EvaluateAsync("stemPlayer.play()");
        await tab.EvaluateAsync(
            "(async () => { while (stemPlayer.position() < 0.1) await new Promise(resolve => setTimeout(resolve, 5)); })()"
        );
        Assert.InRange(await tab.NumberAsync("stemPlayer.position()"), 0.1, 5);
        Assert.Empty(tab.Complaints);

        // The best of five: a machine that has too much else to do makes gaps. What is wrong is wrong each time.
        async Task<double> DifferenceAsync(string begin, string compare)
        {
            double least = double.MaxValue;
            for (int i = 0; i < 5 && least > 1e-6; i++)
            {
                // A slow machine has come to the end meanwhile, and stands still.
                await tab.EvaluateAsync($"(async () => {{ await {begin}; if (!stemPlayer.sound.playing) await stemPlayer.play(); }})()");
                JsonNode found = (await tab.EvaluateAsync(compare))!;
                output.WriteLine($"{begin}: {found.ToJsonString()}");
                // Null where nothing was played yet.
                least = Math.Min(least, found["difference"]?.GetValue<double>() ?? double.PositiveInfinity);
            }
            return least;
        }
    }

    [Fact]
    public async Task Parts_that_come_late_are_waited_for_by_all_and_those_that_do_not_come_are_told()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        float[] noise = PlayerStems.Noise(Frames, 1);
        PlayerStems.Write(folder["song", "noise.wav"], noise);
        PlayerStems.Write(folder["song", "opposite.wav"], Array.ConvertAll(noise, n => -n));
        using PlayerServer server = (PlayerPage.Create(StemFolder.Find(folder["song"])[0]) with { Audio = PlayerAudio.Linked }).Serve();
        await using Chromium.Tab tab = await browser.OpenAsync();
        await tab.GoAsync(server.Address.AbsoluteUri);
        // The third part of one track comes when it is called for.
        await tab.EvaluateAsync(
            """
            (() => {
              const sound = stemPlayer.sound, fetchPart = sound.fetchPart;
              const wait = new Promise(resolve => { window.release = resolve; });
              sound.fetchPart = async function (track, number) {
                if (track.name === 'opposite' && number === 2)
                  await wait;
                return fetchPart.call(this, track, number);
              };
            })()
            """
        );
        await tab.ClickAsync("#play");
        await PlayingAsync(tab);
        await tab.EvaluateAsync(Ear);
        double seam = 2.0 * 65_536 / PlayerStems.Rate;
        await tab.EvaluateAsync(
            $"(async () => {{ while (stemPlayer.sound.context.currentTime < stemPlayer.sound.scheduledTo + 0.3) await new Promise(resolve => setTimeout(resolve, 5)); }})()"
        );
        // It stands where the part is missing, with nothing to hear.
        await tab.EvaluateAsync("only('noise')");
        Assert.InRange((await HeardAsync(tab)).Peak, 0, 0);
        Assert.Equal(seam, await tab.NumberAsync("stemPlayer.position()"), 1e-4);
        await tab.EvaluateAsync(
            $"(async () => {{ release(); while (stemPlayer.position() < {(seam + 0.3).ToString(System.Globalization.CultureInfo.InvariantCulture)}) await new Promise(resolve => setTimeout(resolve, 5)); }})()"
        );
        Assert.InRange((await HeardAsync(tab)).Peak, 0.3, 0.5);
        await tab.EvaluateAsync("only('noise', 'opposite')");
        Assert.InRange((await HeardAsync(tab)).Peak, 0, 1e-6);
        Assert.Empty(tab.Complaints);

        await tab.EvaluateAsync(
            "(async () => { stemPlayer.sound.fetchPart = async track => { throw new Error(`'${track.file}' is away`); }; stemPlayer.sound.parts.forEach(held => held.clear()); await stemPlayer.seek(0.5); })()"
        );
        Assert.False((await tab.EvaluateAsync("stemPlayer.sound.playing"))!.GetValue<bool>());
        Assert.Equal(
            "'noise.wav' is away.",
            (await tab.EvaluateAsync("document.querySelector('#status').textContent"))!.GetValue<string>()
        );
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task Linked_files_of_unlike_lengths_follow_the_longest()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        PlayerStems.Write(folder["stems", "a.wav"], PlayerStems.Sine(Frames / 6, 441));
        PlayerStems.Write(folder["stems", "b.wav"], PlayerStems.Sine(Frames / 2, 441));
        PlayerStems.Write(folder["stems", "mix.wav"], PlayerStems.Sine(Frames / 6, 441));
        await using Chromium.Tab tab = await browser.OpenAsync();
        await tab.GoAsync(
            new Uri(
                (PlayerPage.Create(StemFolder.Find(folder["stems"])[0]) with { Audio = PlayerAudio.Linked })
                    .Write(folder["player.html"])
                    .FilePath
            ).AbsoluteUri
        );
        await tab.EvaluateAsync(
            """
            (async () => {
              await stemPlayer.ready;
              const player = name => [...stemPlayer.sound.players].find(([track]) => track.name === name)[1];
              window.longest = player('b');
              window.short = [player('a'), player('mix')];
              window.moved = async () => { for (let i = 0; i < 3; i++) await new Promise(resolve => longest.addEventListener('timeupdate', resolve, { once: true })); };
            })()
            """
        );
        await tab.ClickAsync("#play");
        await PlayingAsync(tab);
        // What has ended is not begun anew by a seek, nor by playing again.
        foreach (string begin in (string[])["stemPlayer.seek(2)", "(stemPlayer.pause(), stemPlayer.seek(2), stemPlayer.play())"])
        {
            await tab.EvaluateAsync($"(async () => {{ await {begin}; await moved(); }})()");
            Assert.InRange(await tab.NumberAsync("stemPlayer.position()"), 2.0001, 3);
            Assert.Equal(
                2,
                await tab.NumberAsync("short.filter(player => player.paused && Math.abs(player.currentTime - 1) < 0.1).length")
            );
        }
        // Behind a loop's end there is nothing.
        Assert.InRange(
            await tab.NumberAsync(
                "(async () => { stemPlayer.setLoop(true, null); await stemPlayer.seek(stemPlayer.data.duration); return stemPlayer.position(); })()"
            ),
            0,
            1
        );
        Assert.Equal(
            0,
            await tab.NumberAsync(
                """
                (async () => {
                  const resting = () => [longest, ...short].filter(player => player.paused).length;
                  for (const end = performance.now() + 10000; resting() > 0 && performance.now() < end;) await new Promise(resolve => setTimeout(resolve, 20));
                  return resting();
                })()
                """
            )
        );
        await tab.EvaluateAsync(
            "(async () => { stemPlayer.setLoop(false); await stemPlayer.seek(2.8); while (stemPlayer.sound.playing) await new Promise(resolve => setTimeout(resolve, 20)); })()"
        );
        Assert.InRange(await tab.NumberAsync("stemPlayer.position()"), 2.9, 3.01);
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task Behind_a_loops_end_the_loop_begins_anew()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        await using Chromium.Tab tab = await OpenAsync(folder);
        await tab.ClickAsync("#play");
        await PlayingAsync(tab);
        await tab.EvaluateAsync(
            "(async () => { stemPlayer.pause(); stemPlayer.setLoop(true, [2, 2.5]); stemPlayer.seek(5); await stemPlayer.play(); })()"
        );
        Assert.InRange(await tab.NumberAsync("stemPlayer.position()"), 2, 2.5);
        await tab.EvaluateAsync(Ear);
        Assert.InRange((await HeardAsync(tab)).Peak, 0.3, 1);
        Assert.InRange(await tab.NumberAsync("stemPlayer.position()"), 2, 2.5);
        await HeardAsync(tab);
        await HeardAsync(tab);
        // Where the loop ends, it goes on from where it is, not from where it would be without one.
        Assert.InRange(await tab.NumberAsync("(stemPlayer.setLoop(false), stemPlayer.position())"), 2, 2.5);
        await tab.EvaluateAsync("stemPlayer.setLoop(true, null); document.activeElement.blur()");
        await tab.PressAsync("End", "End", 35);
        Assert.InRange(await tab.NumberAsync("stemPlayer.position()"), 0, 1);
        Assert.True((await tab.EvaluateAsync("stemPlayer.sound.playing"))!.GetValue<bool>());
        Assert.Empty(tab.Complaints);
    }

    private static PlayerPageFile PageOf(string folder)
    {
        StemFolder stems = Assert.Single(StemFolder.Find(folder));
        return PlayerPage.Create(stems).Write(stems.PagePath);
    }

    private static async Task PlayingAsync(Chromium.Tab tab) =>
        await tab.EvaluateAsync(
            "(async () => { while (!stemPlayer.sound.playing || stemPlayer.position() === 0) await new Promise(resolve => setTimeout(resolve, 5)); })()"
        );

    private static async Task<(double Peak, double Tone)> HeardAsync(Chromium.Tab tab)
    {
        JsonNode heard = (await tab.EvaluateAsync("heard()"))!;
        return (heard["peak"]!.GetValue<double>(), heard["tone"]!.GetValue<double>());
    }

    /// <summary>The script of axe-core, by npm; null where that cannot be had. Its license (MPL-2.0) is not this repository's.</summary>
    private static string? Axe(string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            ProcessStartInfo start = new("npm")
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (
                string argument in (string[])
                    ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, "axe-core@4.10.3"]
            )
                start.ArgumentList.Add(argument);
            using Process npm = Process.Start(start)!;
            npm.BeginOutputReadLine();
            npm.BeginErrorReadLine();
            if (!npm.WaitForExit(TimeSpan.FromMinutes(1)))
                npm.Kill(entireProcessTree: true);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
        string script = Path.Combine(folder, "node_modules", "axe-core", "axe.min.js");
        return File.Exists(script) ? File.ReadAllText(script, Encoding.UTF8) : null;
    }

    private async Task<Chromium.Tab> OpenAsync(TemporaryFolder folder)
    {
        PlayerStems.WriteStepTest(folder["step"], Frames);
        Chromium.Tab tab = await browser.OpenAsync();
        await tab.GoAsync(new Uri(PageOf(folder["step"]).FilePath).AbsoluteUri);
        return tab;
    }
}
