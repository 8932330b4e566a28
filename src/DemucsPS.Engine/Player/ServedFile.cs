using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Player;

/// <summary>What a server gives under one address.</summary>
/// <param name="Open">Its bytes, which can be gone through at will. Fails as a file does that is not there.</param>
/// <param name="Type">Its media type.</param>
internal sealed record ServedFile(Func<Stream> Open, string Type)
{
    /// <summary>An unchanged file.</summary>
    public static ServedFile Create(string path, string type) =>
        new(() => RegularFile.OpenRead(path, bufferSize: 0, options: FileOptions.Asynchronous), type);
}
