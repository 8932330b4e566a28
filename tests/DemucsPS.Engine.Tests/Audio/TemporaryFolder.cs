namespace DemucsPS.Engine.Tests.Audio;

/// <summary>A new folder that is deleted with everything in it at the end of a test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string FullName { get; } = Directory.CreateTempSubdirectory("demucsps-tests-").FullName;

    public string File(string name) => Path.Combine(FullName, name);

    public string Write(string name, byte[] content)
    {
        string path = File(name);
        System.IO.File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>Writes a file that may be executed, where there is such a permission.</summary>
    public string WriteProgram(string name, byte[] content)
    {
        if (OperatingSystem.IsWindows())
            return Write(name, content);
        // Another process writes it: a file that this one has open for writing is so, for a moment, in whatever a test beside this one
        // starts, and could not be executed ("text file busy").
        ExternalTool.Filter("/bin/sh", content, "-c", "cat > \"$0\" && chmod 500 \"$0\"", File(name));
        return File(name);
    }

    public void Dispose() => Directory.Delete(FullName, recursive: true);
}
