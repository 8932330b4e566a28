using System.Globalization;
using System.Text.RegularExpressions;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Player;

/// <summary>One separation of a track: what a <see cref="PlayerPage"/> plays, alone or against others.</summary>
/// <param name="Name">What tells it from others: the model's name, or a setting.</param>
/// <param name="Stems">Its stems, at least one, of different names.</param>
public sealed partial record PlayerVariant(string Name, IReadOnlyList<PlayerStem> Stems)
{
    /// <summary>The mix that was separated; null if unknown.</summary>
    public TrackSource? Mix { get; init; }

    /// <summary>Full path of the file that says where the stems come from; null if there is none.</summary>
    public string? ProvenancePath { get; init; }

    /// <summary>What the user should know of it, in sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>That of a separation.</summary>
    /// <param name="result">Its result; its files are where it says.</param>
    /// <param name="name">What to call it; null for the model's name.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProvenanceInvalid"/>.</exception>
    public static PlayerVariant Create(SeparationResult result, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(result);
        PlayerVariant variant = OfProvenance(result.ProvenancePath);
        return name is null ? variant : variant with { Name = name };
    }

    /// <summary>That of a provenance.</summary>
    /// <param name="path">Full path.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProvenanceInvalid"/>.</exception>
    internal static PlayerVariant OfProvenance(string path) => OfProvenance(path, out _);

    /// <summary>The same, and the name of the file that was separated, without its extension.</summary>
    internal static PlayerVariant OfProvenance(string path, out string sourceName)
    {
        SeparationProvenance provenance = SeparationProvenance.Read(path);
        string folder = Path.GetDirectoryName(path)!;
        IReadOnlyDictionary<string, string> parameters = provenance.Separation.Parameters;
        PlayerStem[] stems = [.. provenance.Sources(folder).Select(stem => new PlayerStem(stem.Name, stem.Source))];
        SourceIdentity source = provenance.Separation.Source;
        // It may come from a system with other separators.
        sourceName = Path.GetFileNameWithoutExtension(source.Path[(source.Path.LastIndexOfAny(['/', '\\']) + 1)..]);
        return new PlayerVariant(string.Join('+', provenance.Separation.Models.Select(m => m.Name)), stems)
        {
            ProvenancePath = path,
            // A file that is another by now is not what was separated. Reading all of it for its hash would take longer than the page.
            Mix =
                Path.IsPathFullyQualified(source.Path) && File.Exists(source.Path) && RegularFile.Info(source.Path).Length == source.Bytes
                    ? MixOf(source.Path, parameters)
                    : null,
        };
    }

    /// <summary>That of files beside each other, of whatever program.</summary>
    /// <param name="files">Full paths; one that is called after a mix is not a stem.</param>
    internal static PlayerVariant OfFiles(IReadOnlyList<string> files)
    {
        string[] mixes = [.. files.Where(f => MixNames.Contains(Path.GetFileNameWithoutExtension(f)))];
        // Where there is nothing else, what is called so is what there is to hear.
        if (mixes.Length == files.Count)
            mixes = [.. mixes.Skip(1)];
        return new PlayerVariant(
            "stems",
            [.. files.Except(mixes).Select(f => new PlayerStem(Path.GetFileNameWithoutExtension(f), new TrackSource(f)))]
        )
        {
            Mix = mixes.Length == 0 ? null : new TrackSource(mixes[0]),
            Warnings =
            [
                .. mixes
                    .Skip(1)
                    .Select(f =>
                        $"'{Path.GetFileName(f)}' is ignored: the mix is '{Path.GetFileName(mixes[0])}', and a mix is not a stem."
                    ),
            ],
        };
    }

    /// <summary>What of its file was separated, as <see cref="SeparationParameters.Describe"/> has put it into words.</summary>
    private static TrackSource MixOf(string path, IReadOnlyDictionary<string, string> parameters)
    {
        TrackSource mix = new(path)
        {
            LateStart = SeparationIdentity.ValueOf(parameters, "silence in front") == "0" ? LateStart.Cut : LateStart.Silence,
        };
        if (int.TryParse(parameters.GetValueOrDefault("stream"), NumberStyles.None, CultureInfo.InvariantCulture, out int stream))
            mix = mix with { StreamIndex = stream };
        if (Pair().Match(parameters.GetValueOrDefault("channels", "")) is { Success: true } pair)
            mix = mix with { Channels = new ChannelPair((int)Number(pair.Groups[1]), (int)Number(pair.Groups[2]), "") };
        if (Part().Match(parameters.GetValueOrDefault("range", "")) is { Success: true } part)
            mix = mix with { Range = new FrameRange(Number(part.Groups[2]), part.Groups[1].Success ? Number(part.Groups[1]) : null) };
        return mix;
    }

    private static long Number(Group digits) => long.Parse(digits.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(\d{1,3}) and (\d{1,3})$")]
    private static partial Regex Pair();

    [GeneratedRegex(@"^(?:([1-9]\d{0,15}) frames|all) from (\d{1,15})$")]
    private static partial Regex Part();
}
