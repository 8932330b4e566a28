using System.Globalization;
using System.Text;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Quality;

/// <summary>Figures as comma-separated values: a line a stem, with medians and figures of the whole track.</summary>
public static class QualityCsv
{
    /// <summary>The first line.</summary>
    public const string Header = "track,model,stem,sdr,isr,sir,sar,nSdr,siSdr,frames,estimate";

    /// <summary>The lines of a track.</summary>
    public static IEnumerable<string> Lines(TrackQuality quality) => quality.Stems.Select(s => string.Join(',',
        Text(quality.Track), Text(quality.Model ?? ""), Text(s.StemName), Number(s.Sdr), Number(s.Isr), Number(s.Sir), Number(s.Sar), Number(s.NSdr), Number(s.SiSdr), s.Frames.Count.ToString(CultureInfo.InvariantCulture), Text(s.EstimatePath)));

    /// <summary>Finds out whether a file may be written.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="overwrite">Whether it may replace one.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/>: there is one, and it may not be replaced.</exception>
    public static void CheckFree(string path, bool overwrite)
    {
        if (!overwrite && File.Exists(path))
            throw new DemucsException(DemucsError.StemExists, $"'{path}' exists.", path) { Remedies = [Remedy.Replace] };
    }

    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="content">All of it.</param>
    /// <param name="overwrite">Whether it may replace one.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static void Write(string path, string content, bool overwrite)
    {
        CheckFree(path, overwrite);
        DurableFiles.Replace(path, Encoding.UTF8.GetBytes(content), path + ".partial");
    }

    private static string Number(double? figure) => figure?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    private static string Text(string text) => text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
