using System.Text.Json.Serialization;

namespace DemucsPS.Engine.Files;

/// <summary>A file by what is in it.</summary>
/// <param name="Name">Its name, without folders.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Hash of its bytes, in lower-case hexadecimal digits.</param>
internal sealed record FileIdentity(string Name, long Bytes, string Sha256)
{
    /// <summary>
    /// For weights, the identity of the model: a hash that stays the same when the file is written again in another order. Null for other
    /// files.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Model { get; init; }

    /// <summary>Whether another file is as good as this one.</summary>
    public bool IsSame(FileIdentity other) => Sha256 == other.Sha256 || (Model is not null && Model == other.Model);
}
