using System.Diagnostics;

namespace DemucsPS.Tests.Shared;

/// <summary>
/// A named pipe whose other end lets go of whoever opens it, so that a test that ought not to open it fails and does not hang. Not for
/// Windows.
/// </summary>
internal sealed class NamedPipe : IDisposable
{
    private readonly string _path;
    private readonly Thread _writer;
    private volatile bool _done;
    private volatile bool _opened;

    public NamedPipe(string path)
    {
        _path = path;
        Create(path);
        _writer = new Thread(Write) { IsBackground = true };
        _writer.Start();
    }

    /// <summary>Makes one whose other end nobody has.</summary>
    public static void Create(string path)
    {
        using Process process = Process.Start("mkfifo", [path]);
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new IOException($"mkfifo '{path}' failed.");
    }

    /// <summary>Whether anybody opened it.</summary>
    public bool WasOpened => _opened;

    public void Dispose()
    {
        _done = true;
        // The writer waits for a reader. Whoever opens both ends waits for nobody, should the writer not have come to that yet.
        using FileStream reader = new(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        _writer.Join();
    }

    private void Write()
    {
        while (!_done)
        {
            using FileStream stream = new(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            _opened |= !_done;
        }
    }
}
