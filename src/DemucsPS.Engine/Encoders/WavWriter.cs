using System.Buffers.Binary;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Pcm;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Encoders;

/// <summary>
/// Writes a WAV file of 16 or 24 bit integers or 32-bit floats, one or two channels. Files beyond 4 GiB become RF64 (EBU Tech
/// 3306) in place: the room for the 64-bit lengths is reserved in every file as a JUNK chunk.
/// </summary>
/// <remarks>
/// The file declares no samples until <see cref="Complete"/>. Disposing without it leaves the file unfinished; whoever created
/// the writer deletes it.
/// </remarks>
internal sealed class WavWriter : IStemEncoder
{
    private const int BufferBytes = 64 * 1024;
    private const int LengthsBytes = 28;

    private readonly string _path;
    private readonly FileStream _stream;
    private readonly int _sampleRate;
    private readonly int _channels;
    private readonly WavSampleFormat _format;
    private readonly long _riffSizeLimit;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly PcmPacker _packer;
    private readonly byte[] _info;
    private int _buffered;
    private long _samples;
    private bool _completed;
    private bool _disposed;

    /// <summary>Writes into an open file, without a header yet.</summary>
    /// <param name="path">For messages.</param>
    /// <param name="stream">The new, empty file; closed with this writer.</param>
    /// <param name="sampleRate">Frames per second.</param>
    /// <param name="channels">1 or 2.</param>
    /// <param name="format">How samples are stored.</param>
    /// <param name="ditherSeed">Null for none.</param>
    /// <param name="riffSizeLimit">The RIFF size from which on the file becomes RF64: 0xFFFFFFFF, smaller only in tests.</param>
    /// <param name="tags">Null for none.</param>
    internal WavWriter(
        string path,
        FileStream stream,
        int sampleRate,
        int channels,
        WavSampleFormat format,
        int? ditherSeed,
        long riffSizeLimit,
        IReadOnlyDictionary<string, string>? tags = null
    )
    {
        _path = path;
        _stream = stream;
        _sampleRate = sampleRate;
        _channels = channels;
        _format = format;
        _riffSizeLimit = riffSizeLimit;
        _packer = new PcmPacker(
            path,
            format switch
            {
                WavSampleFormat.Pcm16 => PcmPacking.Int16,
                WavSampleFormat.Pcm24 => PcmPacking.Int24,
                _ => PcmPacking.Float32,
            },
            ditherSeed
        );
        _info = tags is null ? [] : WavInfo.Write(tags);
    }

    /// <summary>Frames written so far.</summary>
    public long FramesWritten => _samples / _channels;

    /// <summary>
    /// Samples (not frames) that lay beyond full scale after rounding and were set to it; always 0 for floats. Full scale is
    /// -32,768 … 32,767 for 16 bits and -8,388,608 … 8,388,607 for 24, so a sample of exactly 1.0 counts.
    /// </summary>
    public long ClippedSamples => _packer.ClippedSamples;

    /// <summary>Creates a new file. An existing one is never touched.</summary>
    /// <param name="path">The full path; its folder exists.</param>
    /// <param name="sampleRate">Frames per second, 1 to 768,000.</param>
    /// <param name="channels">1 or 2.</param>
    /// <param name="format">How samples are stored.</param>
    /// <param name="ditherSeed">
    /// With a seed, integers get triangular dither of two quantization steps peak to peak before rounding; the same seed gives
    /// the same file. Null, and floats always: no dither.
    /// </param>
    /// <param name="tags">
    /// What the file says about the music, by the names of <see cref="AudioReader.Tags"/>, as a LIST chunk of the type INFO after the
    /// samples; what that has no field for is left out. Null for none.
    /// </param>
    /// <returns>The writer; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The path is not absolute, or another argument is out of range.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.StemExists"/> or <see cref="DemucsError.StemWriteFailed"/>.
    /// </exception>
    public static WavWriter Create(
        string path,
        int sampleRate,
        int channels,
        WavSampleFormat format,
        int? ditherSeed = null,
        IReadOnlyDictionary<string, string>? tags = null
    ) => Create(path, sampleRate, channels, format, ditherSeed, uint.MaxValue, tags);

    /// <summary>As the public one, with the RIFF size from which on the file becomes RF64.</summary>
    internal static WavWriter Create(
        string path,
        int sampleRate,
        int channels,
        WavSampleFormat format,
        int? ditherSeed,
        long riffSizeLimit,
        IReadOnlyDictionary<string, string>? tags = null
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Path.IsPathFullyQualified(path))
            throw new ArgumentException($"'{path}' is not a full path.", nameof(path));
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sampleRate, AudioLimits.MaxSampleRate);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, 2);
        if (!Enum.IsDefined(format))
            throw new ArgumentOutOfRangeException(nameof(format), format, "Not a sample format.");

        FileStream stream;
        try
        {
            // Blocks are handed over whole, so a second buffer would only copy.
            stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (IOException exception) when (File.Exists(path))
        {
            throw new DemucsException(
                DemucsError.StemExists,
                $"'{path}' already exists. Delete it, choose another folder, or allow overwriting.",
                path,
                exception
            );
        }
        catch (Exception exception) when (exception.IsFileError())
        {
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"'{path}' cannot be created: {exception.Message} Check the folder and its permissions.",
                path,
                exception
            );
        }

        WavWriter writer = new(path, stream, sampleRate, channels, format, ditherSeed, riffSizeLimit, tags);
        try
        {
            writer.WriteHeader(dataBytes: 0, frames: 0, infoBytes: 0);
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Appends frames.</summary>
    /// <param name="interleaved">Whole frames, nominal range [-1, 1]; the span is not kept.</param>
    /// <param name="gain">A factor for every sample.</param>
    /// <remarks>
    /// Integers are sample · gain · 2^(bits-1), exactly rounded to nearest, ties to even, and set to full scale beyond it.
    /// </remarks>
    /// <exception cref="ArgumentException">The length is not a multiple of the channel count.</exception>
    /// <exception cref="InvalidOperationException">The file is complete.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.StemWriteFailed"/>: the disk is full or gone, or a sample that is not a number is to become an integer.
    /// </exception>
    public void Write(ReadOnlySpan<float> interleaved, float gain = 1f)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_completed)
            throw new InvalidOperationException("The file is complete.");
        if (interleaved.Length % _channels != 0)
            throw new ArgumentException($"{interleaved.Length} samples are not whole frames of {_channels} channels.", nameof(interleaved));

        int sampleBytes = _packer.SampleBytes;
        while (!interleaved.IsEmpty)
        {
            int room = (BufferBytes - _buffered) / sampleBytes;
            if (room == 0)
            {
                FlushBuffer();
                continue;
            }

            int count = Math.Min(room, interleaved.Length);
            _packer.Pack(interleaved[..count], gain, _buffer.AsSpan(_buffered, count * sampleBytes));
            _buffered += count * sampleBytes;
            _samples += count;
            interleaved = interleaved[count..];
        }
    }

    /// <summary>
    /// Writes what is buffered and the header's lengths, and waits until the disk has it. Nothing can be written afterwards.
    /// </summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_completed)
            return;
        FlushBuffer();
        long dataBytes = _samples * _packer.SampleBytes;
        try
        {
            if ((dataBytes & 1) != 0)
                _stream.WriteByte(0);
            _stream.Write(_info);
            _stream.Position = 0;
            WriteHeader(dataBytes, FramesWritten, _info.Length);
            _stream.Flush(flushToDisk: true);
        }
        catch (Exception exception) when (exception.IsFileError())
        {
            throw WriteFailed(exception);
        }

        _completed = true;
    }

    /// <summary>Closes the file; it is whole only after <see cref="Complete"/>.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            _stream.Dispose();
        }
        catch (IOException)
        {
            // Everything that matters was flushed by Complete; without it the file is to be thrown away.
        }
    }

    private void WriteHeader(long dataBytes, long frames, int infoBytes)
    {
        Span<byte> header = stackalloc byte[96];
        bool isFloat = _format == WavSampleFormat.Float32;
        int sampleBytes = _packer.SampleBytes;

        // The extension size (2 bytes) and the fact chunk (12 bytes) belong to every format but PCM.
        int headerBytes = 12 + 8 + LengthsBytes + (isFloat ? 8 + 18 + 12 : 8 + 16) + 8;
        long riffSize = headerBytes - 8 + dataBytes + (dataBytes & 1) + infoBytes;
        bool is64 = riffSize >= _riffSizeLimit;

        FieldWriter fields = new(header);
        fields.Text(is64 ? "RF64"u8 : "RIFF"u8);
        fields.UInt32(is64 ? uint.MaxValue : (uint)riffSize);
        fields.Text("WAVE"u8);
        fields.Text(is64 ? "ds64"u8 : "JUNK"u8);
        fields.UInt32(LengthsBytes);
        fields.UInt64(is64 ? (ulong)riffSize : 0);
        fields.UInt64(is64 ? (ulong)dataBytes : 0);
        fields.UInt64(is64 ? (ulong)frames : 0);
        fields.UInt32(0);
        fields.Text("fmt "u8);
        fields.UInt32(isFloat ? 18u : 16u);
        fields.UInt16((ushort)(isFloat ? 3 : 1));
        fields.UInt16((ushort)_channels);
        fields.UInt32((uint)_sampleRate);
        fields.UInt32((uint)(_sampleRate * _channels * sampleBytes));
        fields.UInt16((ushort)(_channels * sampleBytes));
        fields.UInt16((ushort)(8 * sampleBytes));
        if (isFloat)
        {
            fields.UInt16(0);
            fields.Text("fact"u8);
            fields.UInt32(4);
            fields.UInt32((uint)Math.Min(frames, uint.MaxValue));
        }

        fields.Text("data"u8);
        fields.UInt32(is64 ? uint.MaxValue : (uint)dataBytes);
        WriteBytes(header[..headerBytes]);
    }

    private void FlushBuffer()
    {
        WriteBytes(_buffer.AsSpan(0, _buffered));
        _buffered = 0;
    }

    private void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream.Write(bytes);
        }
        catch (Exception exception) when (exception.IsFileError())
        {
            throw WriteFailed(exception);
        }
    }

    private DemucsException WriteFailed(Exception exception) =>
        new(
            DemucsError.StemWriteFailed,
            $"Writing '{_path}' failed: {exception.Message} Check that the disk is connected and has free space.",
            _path,
            exception
        );

    /// <summary>Fills a header field after field, little endian.</summary>
    private ref struct FieldWriter(Span<byte> bytes)
    {
        private Span<byte> _rest = bytes;

        public void Text(ReadOnlySpan<byte> name)
        {
            name.CopyTo(_rest);
            _rest = _rest[name.Length..];
        }

        public void UInt16(ushort value)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_rest, value);
            _rest = _rest[2..];
        }

        public void UInt32(uint value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_rest, value);
            _rest = _rest[4..];
        }

        public void UInt64(ulong value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_rest, value);
            _rest = _rest[8..];
        }
    }
}
