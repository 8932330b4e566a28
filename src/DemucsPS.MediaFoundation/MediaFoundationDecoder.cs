using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using NAudio.Wave;

namespace DemucsPS.MediaFoundation;

/// <summary>The first audio stream of a file as Windows decodes it, from its first frame on: interleaved 32-bit floats.</summary>
[SupportedOSPlatform("windows")]
internal sealed class MediaFoundationDecoder : IDisposable
{
    // Whole frames of any number of channels up to eight, in samples of two to four bytes.
    private const int FirstBytes = 60_480;

    private readonly StreamMediaFoundationReader _reader;
    private readonly Form _form;
    private readonly byte[] _first;
    private int _firstTaken;
    private byte[] _bytes = [];

    private MediaFoundationDecoder(StreamMediaFoundationReader reader)
    {
        _reader = reader;
        // What a file says of itself may be half of what the decoder gives (HE-AAC), and only its first samples tell.
        byte[] first = new byte[FirstBytes];
        _first = first[..ReadBytes(first)];
        _form = Form.Of(reader.WaveFormat);
    }

    /// <summary>Frames per second.</summary>
    public int SampleRate => _form.SampleRate;

    /// <summary>Samples in a frame.</summary>
    public int Channels => _form.Channels;

    /// <summary>Opens a file.</summary>
    /// <param name="file">Its bytes, seekable, at the first one. Left open.</param>
    /// <param name="contentType">What it is, as MIME has it.</param>
    /// <param name="name">A name with the extension that such files have.</param>
    /// <exception cref="DecodingException">Windows does not decode it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static MediaFoundationDecoder Open(Stream file, string contentType, string name)
    {
        for (bool floats = true; ; floats = false)
        {
            try
            {
                file.Position = 0;
                StreamMediaFoundationReader reader = new(
                    file,
                    new MediaFoundationReader.MediaFoundationReaderSettings { RequestFloatOutput = floats, SingleReaderObject = true },
                    contentType,
                    name
                );
                try
                {
                    return new MediaFoundationDecoder(reader);
                }
                catch
                {
                    reader.Dispose();
                    throw;
                }
            }
            // Some decoders give integers only.
            catch (Exception e) when (Refusal(e) is { } refusal)
            {
                if (!floats || refusal.IsMissing)
                    throw refusal;
            }
        }
    }

    /// <summary>Reads the next samples, channel after channel.</summary>
    /// <param name="interleaved">Receives whole frames.</param>
    /// <returns>Samples read, 0 at the end; fewer than fit do not mean the end.</returns>
    /// <exception cref="DecodingException">Windows cannot decode on.</exception>
    public int Read(Span<float> interleaved)
    {
        int wanted = interleaved.Length / Channels * Channels * _form.Bytes;
        if (_bytes.Length < wanted)
            _bytes = new byte[wanted];
        Span<byte> bytes = _bytes.AsSpan(0, wanted);
        int read = Math.Min(wanted, _first.Length - _firstTaken);
        if (read > 0)
        {
            _first.AsSpan(_firstTaken, read).CopyTo(bytes);
            _firstTaken += read;
        }
        else
        {
            try
            {
                read = ReadBytes(bytes);
            }
            catch (Exception e) when (Refusal(e) is { } refusal)
            {
                throw refusal;
            }
            if (Form.Of(_reader.WaveFormat) != _form)
                throw new DecodingException(
                    $"the format changes from {_form} to {Form.Of(_reader.WaveFormat)} within the file",
                    new NotSupportedException()
                );
        }
        return _form.ToFloats(bytes[..read], interleaved);
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private int ReadBytes(Span<byte> bytes)
    {
        int done = 0;
        while (done < bytes.Length && _reader.Read(bytes[done..]) is > 0 and int read)
            done += read;
        return done;
    }

    // NAudio throws Windows errors unchanged, and its own errors in several ways.
    private static DecodingException? Refusal(Exception e) =>
        e
            is COMException
                or InvalidDataException
                or InvalidOperationException
                or NotSupportedException
                or ArgumentException
                or InvalidCastException
                or DllNotFoundException
                or EntryPointNotFoundException
            ? new DecodingException(e.Message.ReplaceLineEndings(" ").Trim(), e)
            : null;

    /// <summary>What the samples are.</summary>
    private readonly record struct Form(int SampleRate, int Channels, int Bytes, bool IsFloat)
    {
        public static Form Of(WaveFormat format) =>
            new Form(format.SampleRate, format.Channels, format.BitsPerSample / 8, format.Encoding == WaveFormatEncoding.IeeeFloat)
                is { SampleRate: > 0, Channels: > 0, Bytes: >= 2 and <= 4 } form
                ? form
                : throw new InvalidDataException($"The decoded format is {format}.");

        public int ToFloats(ReadOnlySpan<byte> bytes, Span<float> samples)
        {
            int count = bytes.Length / Bytes;
            if (IsFloat)
            {
                MemoryMarshal.Cast<byte, float>(bytes)[..count].CopyTo(samples);
                return count;
            }
            // Little-endian, in the upper bytes of an integer.
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> sample = bytes.Slice(i * Bytes, Bytes);
                int value = sample[^1] << 24 | sample[^2] << 16;
                if (Bytes > 2)
                    value |= sample[^3] << 8;
                if (Bytes > 3)
                    value |= sample[0];
                samples[i] = value / 2147483648f;
            }
            return count;
        }
    }
}
