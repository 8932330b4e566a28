using System.Buffers.Binary;
using System.Collections.Frozen;

namespace DemucsPS.Engine.Audio.Wav;

/// <summary>The head of a chunk.</summary>
/// <param name="Name">Its name as <see cref="NameOf"/> has it; 0 if it is none.</param>
/// <param name="Size">Bytes of its content as declared, in RIFF a number of 32 bits.</param>
/// <param name="Start">Where its content begins in the file.</param>
internal readonly record struct RiffChunk(uint Name, long Size, long Start)
{
    /// <summary>The size that says that there is another, or none.</summary>
    public const long UnknownSize = uint.MaxValue;

    /// <summary>Chunks that are looked into.</summary>
    public static readonly uint Format = NameOf("fmt "u8),
        Data = NameOf("data"u8),
        Lengths = NameOf("ds64"u8),
        List = NameOf("LIST"u8),
        Id3 = NameOf("id3 "u8),
        Id3InCapitals = NameOf("ID3 "u8);

    /// <summary>The same in AIFF.</summary>
    public static readonly uint Form = NameOf("FORM"u8),
        Common = NameOf("COMM"u8),
        Sound = NameOf("SSND"u8),
        Title = NameOf("NAME"u8),
        Author = NameOf("AUTH"u8),
        Copyright = NameOf("(c) "u8),
        Annotation = NameOf("ANNO"u8);

    // What programs write. A name among these is believed where the bytes around it would also allow for another reading.
    private static readonly FrozenSet<uint> s_known = new[]
    {
        "fmt ",
        "data",
        "ds64",
        "LIST",
        "id3 ",
        "ID3 ",
        "list",
        "fact",
        "JUNK",
        "junk",
        "PAD ",
        "FLLR",
        "bext",
        "iXML",
        "axml",
        "chna",
        "cue ",
        "smpl",
        "inst",
        "plst",
        "PEAK",
        "cart",
        "levl",
        "umid",
        "link",
        "DISP",
        "acid",
        "strc",
        "afsp",
        "_PMX",
        "aXML",
        "mext",
        "r64m",
        "SyLp",
        "elm1",
        "minf",
        "regn",
        "ResU",
        "LGWV",
        "wavl",
        "slnt",
        "labl",
        "note",
        "bmrk",
        "tlst",
        "dbmd",
        "MARK",
        "filr",
        "tapp",
        "CDif",
        "qlty",
        "COMM",
        "SSND",
        "FVER",
        "NAME",
        "AUTH",
        "(c) ",
        "ANNO",
        "COMT",
        "INST",
        "MIDI",
        "AESD",
        "APPL",
        "SAXL",
        "CHAN",
    }
        .Select(name => NameOf(System.Text.Encoding.ASCII.GetBytes(name)))
        .ToFrozenSet();

    private static readonly FrozenSet<uint> s_files = new[]
    {
        NameOf("RIFF"u8),
        NameOf("RIFX"u8),
        NameOf("RF64"u8),
        NameOf("FORM"u8),
        NameOf("fLaC"u8),
        NameOf("OggS"u8),
    }.ToFrozenSet();

    /// <summary>Whether it is one that programs are known to write.</summary>
    public bool IsKnown => s_known.Contains(Name);

    /// <summary>Whether it is not a chunk but the beginning of another file.</summary>
    public bool BeginsFile => s_files.Contains(Name);

    /// <summary>Whether it contains ID3v2 tags.</summary>
    public bool IsId3 => Name == Id3 || Name == Id3InCapitals;

    /// <summary>Four bytes as a name.</summary>
    /// <returns>The bytes, the first highest; 0 if they are not all printable.</returns>
    public static uint NameOf(ReadOnlySpan<byte> bytes) =>
        bytes[..4].ContainsAnyExceptInRange((byte)' ', (byte)'~') ? 0 : BinaryPrimitives.ReadUInt32BigEndian(bytes);

    /// <summary>Its name for people.</summary>
    public override string ToString() => string.Create(4, Name, static (text, name) =>
        {
            for (int i = 0; i < 4; i++)
                text[i] = name == 0 ? '?' : (char)(byte)(name >> (24 - (8 * i)));
        });
}
