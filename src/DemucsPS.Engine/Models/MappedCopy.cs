using System.Buffers;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace DemucsPS.Engine.Models;

/// <summary>
/// A file's bytes as memory: the system reads what is looked at, and may forget it again. A copy of some hundred megabytes is so loaded
/// without being in memory twice.
/// </summary>
internal sealed unsafe class MappedCopy : MemoryManager<byte>, IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly int _length;

    /// <summary>Maps a file from its beginning to its end.</summary>
    /// <param name="file">An open file that is not empty; it may be closed afterwards.</param>
    /// <param name="length">Its length.</param>
    /// <exception cref="IOException">The system cannot do it.</exception>
    /// <exception cref="UnauthorizedAccessException">The file is not open for reading.</exception>
    public MappedCopy(SafeFileHandle file, int length)
    {
        _length = length;
        _file = MemoryMappedFile.CreateFromFile(
            file,
            mapName: null,
            capacity: 0,
            MemoryMappedFileAccess.Read,
            HandleInheritability.None,
            leaveOpen: true
        );
        _view = _file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    /// <summary>Where the bytes begin. They stay there until this is disposed.</summary>
    public nint Address => (nint)_start;

    /// <inheritdoc/>
    public void Dispose() => Dispose(disposing: true);

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(_start, _length);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    /// <inheritdoc/>
    public override void Unpin() { }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
