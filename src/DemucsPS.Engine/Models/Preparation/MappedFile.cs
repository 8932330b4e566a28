using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>A file's bytes, read by the system as they are used. The file stays what it is meanwhile, whatever becomes of its name.</summary>
internal sealed unsafe class MappedFile : MemoryManager<byte>
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly int _length;
    private byte* _start;

    /// <param name="stream">A file of 1 byte to 2 GB, which is not needed afterwards.</param>
    /// <exception cref="IOException">It cannot be mapped.</exception>
    public MappedFile(FileStream stream)
    {
        _file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            _length = checked((int)stream.Length);
            _view = _file.CreateViewAccessor(0, _length, MemoryMappedFileAccess.Read);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        }
        catch
        {
            _view?.Dispose();
            _file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => _start == null ? throw new ObjectDisposedException(nameof(MappedFile)) : new Span<byte>(_start + _view.PointerOffset, _length);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new((byte*)_start + _view.PointerOffset + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_start == null)
            return;
        _start = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
