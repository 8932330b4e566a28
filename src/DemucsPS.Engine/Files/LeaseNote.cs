using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DemucsPS.Engine.Files;

/// <summary>What is in the file of a lease: who has it, and since when it is renewed.</summary>
/// <param name="Machine">As <see cref="LeaseTerms.Machine"/>.</param>
/// <param name="Process">Number of the process there.</param>
/// <param name="Locks">Whether the file is locked as long as that process lives, as others on that machine can see.</param>
/// <param name="Renewed">When it was renewed, by that machine's clock.</param>
/// <param name="Count">How often it was.</param>
internal sealed record LeaseNote(string Machine, int Process, bool Locks, DateTimeOffset Renewed, long Count)
{
    // Written in one piece and always as long, so that nothing of an older note is left behind it.
    private const int Bytes = 512;

    /// <summary>The name of the machine, for people.</summary>
    [JsonIgnore]
    public string Host => Machine.Split(' ')[0];

    /// <summary>Reads a note.</summary>
    /// <returns>Null for anything else: a file that is just being made, and those of versions before there were leases.</returns>
    public static LeaseNote? Parse(ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize(content, LeaseTypes.Default.LeaseNote) is { Machine: not null } note ? note : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The written note.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(JsonSerializer.Serialize(this, LeaseTypes.Default.LeaseNote).PadRight(Bytes));
}

/// <summary>The type of notes, described at build time.</summary>
[JsonSerializable(typeof(LeaseNote))]
internal sealed partial class LeaseTypes : JsonSerializerContext;
