using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Pictures;

/// <summary>A file that a picture is written to.</summary>
public sealed class PictureFile
{
    private readonly bool _overwrite;

    /// <param name="path">Full path; its name ends in .png or .svg.</param>
    /// <param name="overwrite">Whether it may replace a file.</param>
    /// <exception cref="ArgumentException">The path is not absolute.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the name ends in something else.</exception>
    public PictureFile(string path, bool overwrite)
    {
        if (!System.IO.Path.IsPathFullyQualified(path))
            throw new ArgumentException($"'{path}' is not a full path.", nameof(path));
        Path = path;
        _overwrite = overwrite;
        IsSvg = System.IO.Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".png" => false,
            ".svg" => true,
            _ => throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{path}' is not a name for a picture. Give a name that ends in .png or .svg.",
                path
            ),
        };
    }

    /// <summary>Full path.</summary>
    public string Path { get; }

    /// <summary>Whether it is SVG; PNG otherwise.</summary>
    public bool IsSvg { get; }

    /// <summary>Finds out whether it could be written, before hours of audio are read.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.PictureExists"/>; <see cref="DemucsError.PictureWriteFailed"/>: there is no
    /// such folder, or a folder of that name.</exception>
    public void Check()
    {
        if (Directory.Exists(Path))
            throw Failed("It is a folder.", null);
        if (!Directory.Exists(System.IO.Path.GetDirectoryName(Path)))
            throw Failed("Its folder does not exist. Create it, or give another.", null);
        if (!_overwrite && System.IO.Path.Exists(Path))
            throw Exists();
    }

    /// <summary>Writes it whole or not at all: at any moment its name has what was there before, or all of it.</summary>
    internal void Write(ReadOnlySpan<byte> content)
    {
        Check();
        string temporary = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, $".{Guid.NewGuid():N}.partial");
        try
        {
            DurableFiles.Write(Path, temporary, _overwrite, content, static (stream, bytes) => stream.Write(bytes));
        }
        catch (IOException) when (!_overwrite && System.IO.Path.Exists(Path))
        {
            throw Exists();
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw Failed($"{e.Message} {RefusalPatience.System.RemedyFor(e)}", e);
        }
    }

    private DemucsException Exists() => new(DemucsError.PictureExists, $"'{Path}' already exists.", Path) { Remedies = [Remedy.Replace] };

    private DemucsException Failed(string why, Exception? cause) =>
        new(DemucsError.PictureWriteFailed, $"The picture '{Path}' cannot be written: {why}", Path, cause);
}
