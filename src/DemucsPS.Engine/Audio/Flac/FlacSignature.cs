using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace DemucsPS.Engine.Audio.Flac;

/// <summary>
/// The MD5 digest that a FLAC file carries of its samples: interleaved, little endian, each in as many whole bytes as its bits
/// need, sign-extended (RFC 9639, section 8.2). A stream that changes its form has every frame in it in the frame's own form, as libFLAC
/// forms it.
/// </summary>
internal sealed class FlacSignature : IDisposable
{
    private const int BufferBytes = 32 * 1024;
    private readonly IncrementalHash _hash;
    private readonly byte[] _expected;
    private readonly byte[] _buffer = new byte[BufferBytes];

    private FlacSignature(byte[] expected, IncrementalHash hash)
    {
        _expected = expected;
        _hash = hash;
    }

    /// <summary>Prepares the check.</summary>
    /// <returns>Null when the file carries no digest, or the system forbids MD5 (as some hardened ones do).</returns>
    public static FlacSignature? Create(byte[] expected)
    {
        if (expected.AsSpan().IndexOfAnyExcept((byte)0) < 0)
            return null;
        try
        {
            return new FlacSignature(expected, IncrementalHash.CreateHash(HashAlgorithmName.MD5));
        }
        catch (Exception exception) when (exception is CryptographicException or PlatformNotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Adds the samples of a frame.</summary>
    /// <param name="channels">The channels' storage, one for each.</param>
    /// <param name="start">The index of the first sample in each.</param>
    /// <param name="count">Samples of each channel.</param>
    /// <param name="bitsPerSample">1 to 32.</param>
    public void Add(ReadOnlySpan<int[]> channels, int start, int count, int bitsPerSample)
    {
        int sampleBytes = (bitsPerSample + 7) / 8;
        int blockFrames = BufferBytes / (sampleBytes * channels.Length);
        for (int at = 0; at < count; at += blockFrames)
        {
            int frames = Math.Min(blockFrames, count - at);
            if (channels.Length == 2 && sampleBytes == 2)
                Pack16(channels[0].AsSpan(start + at, frames), channels[1].AsSpan(start + at, frames));
            else
                Pack(channels, start + at, frames, sampleBytes);
            _hash.AppendData(_buffer.AsSpan(0, frames * sampleBytes * channels.Length));
        }
    }

    /// <summary>Whether the samples added so far are those that the encoder saw.</summary>
    public bool MatchesSoFar() => _hash.GetCurrentHash().AsSpan().SequenceEqual(_expected);

    /// <summary>Releases the hash.</summary>
    public void Dispose() => _hash.Dispose();

    private void Pack16(ReadOnlySpan<int> left, ReadOnlySpan<int> right)
    {
        // By far the commonest case: one frame is one 32-bit word.
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(_buffer.AsSpan())[..left.Length];
        right = right[..left.Length];
        for (int i = 0; i < words.Length; i++)
        {
            uint word = (ushort)left[i] | (uint)right[i] << 16;
            words[i] = BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
        }
    }

    private void Pack(ReadOnlySpan<int[]> channels, int start, int frames, int sampleBytes)
    {
        int stride = sampleBytes * channels.Length;
        for (int channel = 0; channel < channels.Length; channel++)
        {
            ReadOnlySpan<int> samples = channels[channel].AsSpan(start, frames);
            int at = channel * sampleBytes;
            switch (sampleBytes)
            {
                case 1:
                    for (int i = 0; i < samples.Length; i++, at += stride)
                        _buffer[at] = (byte)samples[i];
                    break;
                case 2:
                    for (int i = 0; i < samples.Length; i++, at += stride)
                        BinaryPrimitives.WriteInt16LittleEndian(_buffer.AsSpan(at), (short)samples[i]);
                    break;
                case 3:
                    for (int i = 0; i < samples.Length; i++, at += stride)
                    {
                        int sample = samples[i];
                        _buffer[at] = (byte)sample;
                        _buffer[at + 1] = (byte)(sample >> 8);
                        _buffer[at + 2] = (byte)(sample >> 16);
                    }

                    break;
                default:
                    for (int i = 0; i < samples.Length; i++, at += stride)
                        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(at), samples[i]);
                    break;
            }
        }
    }
}
