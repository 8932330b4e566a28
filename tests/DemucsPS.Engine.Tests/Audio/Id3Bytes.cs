using System.Text;
using static DemucsPS.Engine.Tests.Audio.WavBytes;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>ID3v2 tags made in the test.</summary>
internal static class Id3Bytes
{
    /// <summary>A tag of version 2.2, 2.3 or 2.4.</summary>
    public static byte[] Tag(int version, params byte[][] frames) => Tag(version, 0, frames);

    public static byte[] Tag(int version, int flags, params byte[][] frames)
    {
        byte[] content = Join([.. frames.Select(frame => Sized(version, frame)), new byte[12]]);
        return Join(WavBytes.Text("ID3"), [(byte)version, 0, (byte)flags], SynchSafe(content.Length), content);
    }

    /// <summary>A frame, without the length that its version has: the name, two flags, and the content.</summary>
    public static byte[] Frame(string name, byte[] content, int flags = 0) =>
        Join(WavBytes.Text(name.PadRight(4, '\0')), [0, (byte)flags], content);

    public static byte[] Text(string name, string text) => Frame(name, Join([3], Encoding.UTF8.GetBytes(text)));

    public static byte[] Text(string name, byte encoding, byte[] text) => Frame(name, Join([encoding], text));

    public static byte[] SynchSafe(int value) =>
        [(byte)(value >> 21 & 0x7F), (byte)(value >> 14 & 0x7F), (byte)(value >> 7 & 0x7F), (byte)(value & 0x7F)];

    private static byte[] Sized(int version, byte[] frame)
    {
        int size = frame.Length - 6;
        return version switch
        {
            2 => Join(frame[..3], [(byte)(size >> 16), (byte)(size >> 8), (byte)size], frame[6..]),
            3 => Join(frame[..4], [0, (byte)(size >> 16), (byte)(size >> 8), (byte)size], frame[4..]),
            _ => Join(frame[..4], SynchSafe(size), frame[4..]),
        };
    }
}
