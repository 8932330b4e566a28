using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Naming;

namespace DemucsPS.Engine.Stems;

/// <summary>Where and how the stems of a batch are written.</summary>
/// <param name="Names">Where to; one for a batch.</param>
/// <param name="Format">How they are written.</param>
public sealed record StemOutput(StemNames Names, StemFormat Format)
{
    /// <summary>What the one file is called that holds all stems.</summary>
    private const string AllStems = "stems";

    /// <summary>Whether existing stems are replaced, and whether an interrupted separation that cannot be resumed starts over.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Whether interrupted separations are continued.</summary>
    public bool Resume { get; init; }

    /// <summary>Whether tracks are skipped whose stems are there, unchanged, and of the same source, models and parameters.</summary>
    public bool SkipExisting { get; init; }

    /// <summary>
    /// Whether stems get the tags of their source, with the stem's name in the title, and where the format has it its picture.
    /// </summary>
    public bool CopyTags { get; init; } = true;

    /// <summary>Finds out whether files of this format can be made here, before any work is done.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the format contradicts itself.
    /// <see cref="DemucsError.FFmpegNotFound"/>: it needs an ffmpeg that is not there.</exception>
    public void Check()
    {
        Format.Check();
        if (Format.File != StemFileFormat.Wav)
            FFmpegEncoders.Find(Format.File);
    }

    /// <summary>What the files are called for messages and results: as the outputs, or one name for all.</summary>
    internal IReadOnlyList<string> FileNames(IReadOnlyList<string> outputs) => Format.IsOneFile ? [AllStems] : outputs;

    /// <summary>Full paths of the files, in the order of <see cref="FileNames"/>.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="source">The track.</param>
    /// <param name="tags">Its tags.</param>
    /// <param name="outputs">Names of the outputs.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: two outputs would go to one file.</exception>
    internal IReadOnlyList<string> PathsOf(
        string model,
        TrackSource source,
        IReadOnlyDictionary<string, string> tags,
        IReadOnlyList<string> outputs
    ) => Names.For(model, source, tags, FileNames(outputs), Format.Extension, Format.IsOneFile);

    /// <summary>Where the files of a track lie, and what belongs to them.</summary>
    /// <param name="paths">As <see cref="PathsOf"/> gives them.</param>
    internal TrackPlace PlaceOf(IReadOnlyList<string> paths) =>
        new(paths, Format.Extension, isOwn: Names.Template is null && !Format.IsOneFile);

    /// <summary>What files say about the music of a track.</summary>
    /// <param name="source">The track.</param>
    /// <param name="tags">Its tags.</param>
    /// <param name="picture">Where its picture is: <see cref="AudioReader.Picture"/>.</param>
    internal TrackLabels LabelsOf(TrackSource source, IReadOnlyDictionary<string, string> tags, string? picture)
    {
        if (!CopyTags)
            return TrackLabels.None(source);
        bool isWanted = Format.File != StemFileFormat.Wav && File.Exists(source.Path);
        CoverArt? cover = isWanted ? CoverArt.Read(source.Path, picture, FFmpegEncoders.Find(Format.File)) : null;
        return cover?.Obstacle(Format.File) is { } obstacle
            ? new TrackLabels(source, tags, null, $"The cover of '{source.Path}' {obstacle}. The stems have no cover.")
            : new TrackLabels(source, tags, cover);
    }
}
