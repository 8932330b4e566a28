using System.Globalization;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Player;

/// <summary>
/// Makes one page: reads all tracks, decides where the sound is, encodes it if it is in the page, and writes. Memory does not depend on the
/// length.
/// </summary>
internal sealed class PageWork : IDisposable
{
    private const int LeastRate = 8_000,
        GreatestRate = 96_000;

    // Encoders add some hundredths of a second; another track is another length.
    private const double MostUnlikeSeconds = 1;

    private readonly PlayerPage _page;
    private readonly string _path;
    private readonly (string Folder, Dictionary<string, ServedFile> Files)? _served;
    private readonly IProgress<PlayerProgress>? _progress;
    private readonly CancellationToken _cancellationToken;
    private readonly List<VariantMeter> _meters = [];
    private readonly List<string> _warnings = [];
    private readonly DirectoryInfo _folder = NewFolder();
    private double _done,
        _total;
    private string _audio = PageData.Linked;
    private long _frames;

    /// <param name="page">What it is of.</param>
    /// <param name="path">Full path that the page will have.</param>
    /// <param name="served">Where files for a server can be put, and which there are; null for a page that is opened as a file.</param>
    /// <param name="progress">Receives how far it is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public PageWork(
        PlayerPage page,
        string path,
        (string Folder, Dictionary<string, ServedFile> Files)? served,
        IProgress<PlayerProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        _page = page;
        _path = path;
        _served = served;
        _progress = progress;
        _cancellationToken = cancellationToken;
    }

    /// <summary>Writes the page.</summary>
    /// <returns>What it is; its length is not known yet.</returns>
    public PlayerPageFile Write(Stream stream)
    {
        int rate = RateOf(_page.Variants[0].Stems[0].Source);
        MeterAll(rate);
        MeteredTrack? mix = _meters[0].Mix;
        MeteredTrack[] tracks = [.. _meters.SelectMany(m => m.Stems), .. mix is null ? (ReadOnlySpan<MeteredTrack>)[] : [mix]];
        Warn(rate);
        if (tracks.All(t => t.Frames == 0))
            throw new DemucsException(
                DemucsError.AudioTrackCorrupt,
                $"The stems of '{_page.Title}' are empty (0 frames). Separate the track again.",
                tracks[0].Source.Path
            );

        PageSound? sound = ChooseSound(tracks.Sum(t => (double)t.Frames / rate), rate);
        _frames = tracks.Max(t => t.Frames);
        double[] levels = Levels(out double mixLevel);
        if (sound is null && _served is null && mix is not null && PageSound.PlayableType(mix) is null)
        {
            _warnings.Add(
                $"The mix is shown but cannot be played: browsers do not support the format of '{Path.GetFileName(mix.Source.Path)}', and the tracks are too long to embed."
            );
        }

        List<(string Name, Func<Stream> Open)> blocks = [];
        PageTrack? mixTrack = mix is null ? null : TrackOf(mix, "mix", sound, blocks, mixLevel);
        PageVariant[] variants = [.. _page.Variants.Select((variant, v) => VariantOf(variant, v, sound, blocks, levels[v]))];
        double duration = (double)_frames / rate;
        string? artist = (mix ?? tracks[0]).Reader.Tags.GetValueOrDefault("artist");
        PageTemplate.WriteHead(stream, new PageData(_page.Title, artist, _audio, rate, duration, mixTrack, variants, _warnings));
        foreach ((string name, Func<Stream> open) in blocks)
        {
            using Stream content = open();
            PageTemplate.WriteBlock(stream, name, content, _cancellationToken);
        }
        PageTemplate.WriteEnd(stream);
        return new PlayerPageFile(
            _page.Title,
            _path,
            variants.Length,
            [.. variants.SelectMany(v => v.Stems.Select(s => s.Name)).Distinct()],
            mixTrack is { Url: not null } or { Block: not null },
            TimeSpan.FromSeconds(duration),
            sound is null ? PlayerAudio.Linked : PlayerAudio.Embedded,
            0,
            _warnings
        );
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (VariantMeter meter in _meters)
            meter.Dispose();
        try
        {
            _folder.Delete(recursive: true);
        }
        catch (Exception e) when (e.IsFileError())
        {
            // The system's temporary folder is swept by the system.
        }
    }

    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: there is no place for temporary files.</exception>
    private static DirectoryInfo NewFolder()
    {
        try
        {
            return Directory.CreateTempSubdirectory("demucsps-player-");
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"No temporary folder can be created in '{Path.GetTempPath()}': {e.Message} Check the folder that TMPDIR or TEMP names.",
                Path.GetTempPath(),
                e
            );
        }
    }

    private static int RateOf(TrackSource source)
    {
        using AudioReader reader = AudioFile.Open(source);
        return Math.Clamp(reader.SampleRate, LeastRate, GreatestRate);
    }

    /// <summary>The mix, if it can be read. A page without it is a page anyway.</summary>
    private TrackSource? UsableMix(int rate)
    {
        if (_page.Mix is not null)
            return _page.Mix;
        if (_page.Variants.Select(v => v.Mix).FirstOrDefault(m => m is not null) is not { } mix)
        {
            if (_page.Variants.Any(v => v.ProvenancePath is not null))
                _warnings.Add("The mix cannot be played: the separated file has moved or changed. The sum of the stems can be played.");
            return null;
        }
        try
        {
            using StereoTrackReader reader = StereoTrackReader.Open(mix, rate);
            return mix;
        }
        catch (DemucsException e)
        {
            _warnings.Add($"The mix cannot be played: {e.Message}");
            return null;
        }
    }

    private void MeterAll(int rate)
    {
        TrackSource? mix = UsableMix(rate);
        foreach (PlayerVariant variant in _page.Variants)
            _meters.Add(new VariantMeter(variant, mix, rate));
        // Everything is read once, and what is embedded once more.
        _total = _meters.All(m => m.DeclaredSeconds > 0) ? _meters.Sum(m => m.DeclaredSeconds) : 0;
        foreach (VariantMeter meter in _meters)
            meter.Read(Report, _cancellationToken);
    }

    /// <summary>Notes what the variants and their files have to say, and lengths that do not fit each other.</summary>
    private void Warn(int rate)
    {
        _warnings.AddRange(_page.Variants.SelectMany(v => v.Warnings));
        double[] lengths = [.. _meters.Select(m => (double)m.Stems.Max(s => s.Frames) / rate)];
        if (lengths.Max() - lengths.Min() > MostUnlikeSeconds)
        {
            int shortest = Array.IndexOf(lengths, lengths.Min()),
                longest = Array.IndexOf(lengths, lengths.Max());
            _warnings.Add(
                FormattableString.Invariant(
                    $"The compared separations differ in length: '{_page.Variants[shortest].Name}' {lengths[shortest]:0.0} s, '{_page.Variants[longest].Name}' {lengths[longest]:0.0} s. They may be of different tracks."
                )
            );
        }
        IEnumerable<MeteredTrack> tracks = _meters.SelectMany(m => m.Mix is null ? m.Stems : m.Stems.Append(m.Mix));
        _warnings.AddRange(tracks.SelectMany(t => t.Reader.Warnings).Distinct());
    }

    /// <summary>Decides where the sound is.</summary>
    /// <param name="seconds">Length of all tracks together.</param>
    /// <param name="rate">Their sample rate.</param>
    /// <returns>What encodes it into the page; null if it is not there.</returns>
    private PageSound? ChooseSound(double seconds, int rate)
    {
        PageSound? sound = _served is null ? PageSound.Choose(_page.Audio, seconds, rate, FFmpegLocator.Find(), _path) : null;
        _audio =
            sound is not null ? PageData.Embedded
            : _served is null ? PageData.Linked
            : _page.Audio != PlayerAudio.Linked && PageSound.IsHeldAtOnce(seconds, rate) ? PageData.Served
            : PageData.Parts;
        if (sound is not null)
            _total = _done + seconds;
        return sound;
    }

    /// <summary>
    /// Factors that make the variants equally loud, none above 1; and that of the mix, which makes it as loud as they are.
    /// </summary>
    private double[] Levels(out double mixLevel)
    {
        double?[] factors = [.. _meters.Select(m => m.FactorOfMix)];
        double[] loudness = [.. factors.All(f => f is not null) ? factors.Select(f => f!.Value) : _meters.Select(m => m.Rms)];
        double least = loudness.Where(l => l > 0).DefaultIfEmpty(1).Min();
        double[] levels = Array.ConvertAll(loudness, l => l > 0 ? least / l : 1);
        mixLevel = factors[0] is { } factor ? factor * levels[0] : 1;
        return levels;
    }

    private PageVariant VariantOf(
        PlayerVariant variant,
        int v,
        PageSound? sound,
        List<(string Name, Func<Stream> Open)> blocks,
        double level
    ) =>
        new(
            variant.Name,
            level,
            [.. _meters[v].Stems.Select((stem, s) => TrackOf(stem, FormattableString.Invariant($"{v}-{s}"), sound, blocks, 1))],
            ProvenanceOf(variant)
        );

    private PageTrack TrackOf(MeteredTrack track, string id, PageSound? sound, List<(string Name, Func<Stream> Open)> blocks, double gain)
    {
        string peaks = "peaks-" + id;
        blocks.Add((peaks, () => new MemoryStream(track.Peaks.ToBytes())));
        string? block = null,
            url = null;
        if (sound is not null)
        {
            (string path, _, float scale) = sound.FileOf(track, _folder.FullName, track.Reader.SampleRate, Report, _cancellationToken);
            gain /= scale;
            block = "sound-" + id;
            blocks.Add((block, () => RegularFile.OpenRead(path)));
        }
        else if (_served is { } served)
        {
            url = "sound/" + id;
            int rate = track.Reader.SampleRate;
            TrackSource source = track.Source;
            string? type =
                _audio == PageData.Served ? PageSound.PlayableType(track)
                : track.Reader.CanJump ? "application/octet-stream"
                : null;
            if (type is null)
            {
                PageSound encoder = PageSound.Choose(PlayerAudio.Embedded, 0, rate, FFmpegLocator.Find(), _path)!;
                (string path, type, float scale) = encoder.FileOf(track, served.Folder, rate, Report, _cancellationToken);
                gain /= scale;
                source = new TrackSource(path);
            }
            served.Files[url] =
                _audio == PageData.Served
                    ? ServedFile.Create(source.Path, type)
                    : new ServedFile(() => new SampleStream(source, rate, _frames), type);
        }
        else if (PageSound.PlayableType(track) is not null)
        {
            url = Link(track.Source.Path);
        }
        else if (track != _meters[0].Mix)
        {
            throw new DemucsException(
                DemucsError.AudioFormatUnsupported,
                $"'{track.Source.Path}' cannot be linked: browsers do not support its format ({track.Reader.Codec}). Embed the sound, or serve the page.",
                track.Source.Path
            );
        }
        return new PageTrack(
            track.Name,
            Path.GetFileName(track.Source.Path),
            peaks,
            track.Peaks.BucketFrames,
            block,
            url,
            gain,
            track.IsMixdown
        );
    }

    /// <summary>How the page names a file: relative to its folder, so that both can be moved; by its full path on another drive.</summary>
    private string Link(string file)
    {
        string relative = Path.GetRelativePath(Path.GetDirectoryName(_path)!, file);
        return Path.IsPathFullyQualified(relative)
            ? new Uri(relative).AbsoluteUri
            : string.Join('/', relative.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar).Select(Uri.EscapeDataString));
    }

    private static List<string[]> ProvenanceOf(PlayerVariant variant)
    {
        if (variant.ProvenancePath is null)
            return [];
        SeparationProvenance provenance = SeparationProvenance.Read(variant.ProvenancePath);
        SeparationIdentity separation = provenance.Separation;
        List<string[]> facts =
        [
            // Readers of the page need not know where it was.
            ["Source", Path.GetFileName(separation.Source.Path.Replace('\\', '/'))],
            ["Source SHA-256", separation.Source.Sha256],
            ["Model", string.Join(" + ", separation.Models.Select(m => m.Prepared ? $"{m.Name} (prepared)" : m.Name))],
            .. separation.Models.SelectMany(m => m.Files.Select(f => (string[])["Model file", $"{f.Name}, SHA-256 {f.Sha256}"])),
            ["Separated", provenance.Date.ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture)],
            ["DemucsPS", separation.Version],
            ["Runtime", separation.Runtime],
            .. separation.Parameters.Where(p => p.Key is not "tags" && p.Value.Length > 0).Select(p => (string[])[Capital(p.Key), p.Value]),
            ["Gain of all stems", string.Create(CultureInfo.InvariantCulture, $"{20 * Math.Log10(provenance.Gain):0.##} dB")],
        ];
        if (provenance.NullTestDb is { } residual)
            facts.Add([
                "Sum of the stems against the mix",
                double.IsNegativeInfinity(residual)
                    ? "equal"
                    : string.Create(CultureInfo.InvariantCulture, $"{residual:0.0} dB difference"),
            ]);
        facts.AddRange(provenance.Warnings.Select(w => (string[])["Warning", w]));
        facts.AddRange(provenance.Stems.Select(s => (string[])[$"Stem {s.Name}", $"{s.File}, SHA-256 {s.Sha256}"]));
        return facts;
    }

    private static string Capital(string words) => char.ToUpperInvariant(words[0]) + words[1..];

    private void Report(double seconds)
    {
        _done += seconds;
        _progress?.Report(new PlayerProgress(_done, _total > 0 ? Math.Max(_total, _done) : 0));
    }
}
