using System.Runtime.InteropServices;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Levels;

namespace DemucsPS.Engine.Stems;

/// <summary>
/// The samples of one stem as they come out of the separation: 32-bit floats at 44,100 Hz, left and right in turn, without a header, in the
/// machine's own byte order. Such a file can be cut at any frame and continued, which is what resuming needs. Not thread-safe.
/// </summary>
internal sealed class StemSampleFile : IDisposable
{
    /// <summary>Bytes of one frame.</summary>
    public const int BytesPerFrame = 2 * sizeof(float);

    private readonly FileStream _stream;

    private StemSampleFile(string path, FileStream stream, long frames, float peak)
    {
        FilePath = path;
        _stream = stream;
        Frames = frames;
        Peak = peak;
    }

    /// <summary>Full path.</summary>
    public string FilePath { get; }

    /// <summary>Frames written.</summary>
    public long Frames { get; private set; }

    /// <summary>Greatest absolute sample so far.</summary>
    public float Peak { get; private set; }

    /// <summary>Begins a stem; what the file may hold is dropped.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static StemSampleFile Create(string path) => Open(path, 0, 0);

    /// <summary>Opens a stem to continue it after so many frames; later ones are dropped.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="frames">Frames to keep; the file has at least as many.</param>
    /// <param name="peak">Their greatest absolute sample.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static StemSampleFile Open(string path, long frames, float peak)
    {
        try
        {
            // Blocks are handed over whole, so a second buffer would only copy.
            FileStream stream = new(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
            try
            {
                stream.SetLength(frames * BytesPerFrame);
                stream.Seek(0, SeekOrigin.End);
                return new StemSampleFile(path, stream, frames, peak);
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(path, e);
        }
    }

    /// <summary>Appends frames.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public void Write(ReadOnlySpan<float> interleaved)
    {
        try
        {
            _stream.Write(MemoryMarshal.AsBytes(interleaved));
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(FilePath, e);
        }
        Peak = Math.Max(Peak, SamplePeak.Of(interleaved));
        Frames += interleaved.Length / 2;
    }

    /// <summary>Waits until the disk has all frames.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public void Flush()
    {
        try
        {
            _stream.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(FilePath, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
