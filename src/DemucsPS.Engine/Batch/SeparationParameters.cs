using System.Globalization;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Batch;

/// <summary>
/// The parameters of a separation in words, for its journal and its provenance. Whatever can change a single bit of the stems belongs here;
/// what cannot (jobs, retries, overwriting) does not, so that an interrupted separation may be continued with fewer jobs.
/// </summary>
internal static class SeparationParameters
{
    /// <summary>The name of a track that is all of its file.</summary>
    public const string WholeFile = "the file";

    /// <summary>All parameters by name, in alphabetical order.</summary>
    /// <param name="source">What of its file the track is; the file itself is known by its content.</param>
    /// <param name="bag">The models' weights and precision.</param>
    /// <param name="selection">The outputs.</param>
    /// <param name="options">How to cut, shift and blend.</param>
    /// <param name="output">How stems are written. Where to does not matter: what is there is found by its place.</param>
    /// <param name="silence">Frames of silence in front of the track, which is what <see cref="TrackSource.LateStart"/> comes to.</param>
    public static SortedDictionary<string, string> Describe(
        TrackSource source,
        ModelBag bag,
        StemMatrix selection,
        SeparationOptions options,
        StemOutput output,
        long silence = 0
    )
    {
        IReadOnlyList<string> stems = bag.Contract.Stems;
        StemFormat format = output.Format;
        SortedDictionary<string, string> parameters = new(StringComparer.Ordinal)
        {
            ["stream"] = Number(source.StreamIndex),
            ["channels"] = source.Channels is { } pair ? $"{Number(pair.Left)} and {Number(pair.Right)}" : "the first two",
            ["range"] =
                source.Range is not { } range ? "all"
                : range.Length is { } length ? $"{Number(length)} frames from {Number(range.Start)}"
                : $"all from {Number(range.Start)}",
            [SeparationIdentity.Silence] = Number(silence),
            ["track"] = source.TrackName ?? WholeFile,
            ["outputs"] = string.Join(", ", selection.Rows.Select(row => $"{row.Name} = {Sum(row, stems)}")),
            [SeparationIdentity.Precision] = bag.Precision.ToString(),
            ["weights"] = string.Join(
                "; ",
                Enumerable
                    .Range(0, bag.Sources.Count)
                    .Select(m => string.Join(',', Enumerable.Range(0, stems.Count).Select(s => Number(bag.Weight(m, s)))))
            ),
            ["overlap"] = Number(options.Overlap),
            ["shifts"] = Number(options.Shifts),
            ["shift offsets"] = string.Join(',', options.DrawShifts()),
            ["seed"] = Number(options.Seed),
            ["transition power"] = Number(options.TransitionPower),
            ["format"] = format.File.ToString(),
            ["clip"] = format.ClipInEffect.ToString(),
            ["sample rate"] = format.SampleRate is { } rate ? Number(rate) : "as the source",
            ["mono"] = format.KeepMono ? "kept" : "two channels",
            ["tags"] = output.CopyTags
                ? string.Join("; ", source.Tags.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key}={t.Value}").Prepend("on"))
                : "off",
        };
        // Records of separations without it, and of older versions, say nothing of it.
        if (options.Segment is not null)
            parameters["segment"] = $"{Number(options.SegmentFrames(bag.Contract))} frames";
        if (format.IsLossless)
        {
            parameters["sample format"] = format.Sample.ToString();
            parameters["dither"] = format.Dither ? "on" : "off";
        }
        else if (format.Quality is { } quality)
        {
            parameters["quality"] = Number(quality);
        }
        else
        {
            parameters["bit rate"] = Number(format.BitRateInEffect);
        }
        return parameters;
    }

    private static string Sum(StemRow row, IReadOnlyList<string> stems)
    {
        IEnumerable<(string Name, float Weight)> terms = row.Stems.Select(s => (stems[s.Stem], s.Weight));
        if (row.Mix != 0)
            terms = terms.Prepend(("mix", row.Mix));
        return string.Join('+', terms.Select(t => t.Weight == 1 ? t.Name : $"{Number(t.Weight)}*{t.Name}"));
    }

    private static string Number<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
