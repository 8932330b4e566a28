namespace DemucsPS.Engine.Audio;

/// <summary>What is separated as one track: a file, and what of it.</summary>
/// <param name="Path">Full path of the audio file.</param>
public sealed record TrackSource(string Path)
{
    /// <summary>The track's name, for messages and for the folder of its stems: the file's, without its extension.</summary>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path) is { Length: > 0 } name ? name : System.IO.Path.GetFileName(Path);
}
