using System.Collections.ObjectModel;
using System.Runtime.InteropServices;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Stems;

/// <summary>Reads a <see cref="StemSampleFile"/> back.</summary>
internal sealed class StemSampleReader : AudioReader
{
    private readonly FileStream _stream;

    /// <param name="path">Full path of a staged stem that is whole.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it cannot be read.</exception>
    public StemSampleReader(string path)
        : base(path)
    {
        try
        {
            _stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(path, e);
        }
    }

    /// <inheritdoc/>
    public override int SampleRate => DemucsAudio.SampleRate;

    /// <inheritdoc/>
    public override int Channels => 2;

    /// <inheritdoc/>
    public override long? FrameCount => _stream.Length / StemSampleFile.BytesPerFrame;

    /// <inheritdoc/>
    public override string Codec => "staged stem";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Tags => ReadOnlyDictionary<string, string>.Empty;

    /// <inheritdoc/>
    public override int Read(Span<float> interleaved)
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(interleaved[..(2 * FramesIn(interleaved))]);
        try
        {
            return _stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) / StemSampleFile.BytesPerFrame;
        }
        catch (IOException e)
        {
            throw DurableFiles.Failed(SourcePath, e);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _stream.Dispose();
}
