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
        string path = Write(name, content);
        if (!OperatingSystem.IsWindows())
            System.IO.File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    public void Dispose() => Directory.Delete(FullName, recursive: true);
}
