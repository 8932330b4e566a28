using System.Globalization;
using System.Text;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Quality;

/// <summary>Figures as comma-separated values: a line a stem, with medians and figures of the whole track.</summary>
public static class QualityCsv
{
    /// <summary>The first line.</summary>
    public const string Header = "track,model,stem,sdr,isr,sir,sar,nSdr,siSdr,frames,estimate";

    /// <summary>The lines of a track.</summary>
    public static IEnumerable<string> Lines(TrackQuality quality) =>
        quality.Stems.Select(s =>
            string.Join(
                ',',
                Text(quality.Track),
                Text(quality.Model ?? ""),
                Text(s.StemName),
                Number(s.Sdr),
                Number(s.Isr),
                Number(s.Sir),
                Number(s.Sar),
                Number(s.NSdr),
                Number(s.SiSdr),
                s.Frames.Count.ToString(CultureInfo.InvariantCulture),
                Text(s.EstimatePath)
            )
        );

    /// <summary>Makes a file's folder and finds out whether the file may be written, before hours of audio are read.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="overwrite">Whether it may replace one.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/>: there is one, and it may not be replaced.
    /// <see cref="DemucsError.StemWriteFailed"/>: there is a folder of that name, or nothing can be written to its folder.</exception>
    public static void Prepare(string path, bool overwrite)
    {
        if (Directory.Exists(path))
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"The table '{path}' cannot be written: it is a folder. Give the name of a file.",
                path
            );
        string folder = Path.GetDirectoryName(path)!,
            probe = Path.Combine(folder, $".{Guid.NewGuid():N}.partial");
        try
        {
            Directory.CreateDirectory(folder);
            // Only writing tells: permissions are not all that can forbid it.
            File.Create(probe).Dispose();
            DurableFiles.Delete(probe);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"The table '{path}' cannot be written: its folder is not writable. {e.Message} Check the folder's name and permissions, or give another.",
                path,
                e
            );
        }
        RefuseToReplace(path, overwrite);
    }

    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">Full path, for which <see cref="Prepare"/> was called.</param>
    /// <param name="content">All of it.</param>
    /// <param name="overwrite">Whether it may replace one.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static void Write(string path, string content, bool overwrite)
    {
        RefuseToReplace(path, overwrite);
        DurableFiles.Replace(path, Encoding.UTF8.GetBytes(content), path + ".partial");
    }

    private static void RefuseToReplace(string path, bool overwrite)
    {
        if (!overwrite && File.Exists(path))
            throw new DemucsException(DemucsError.StemExists, $"'{path}' already exists.", path) { Remedies = [Remedy.Replace] };
    }

    private static string Number(double? figure) => figure?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    private static string Text(string text) =>
        text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
