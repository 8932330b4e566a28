using System.Security.Cryptography;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Models;

/// <summary>A model by what is in its files.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Prepared">Whether its prepared copy runs.</param>
/// <param name="Files">The file that was named, the prepared copy if that runs, then those with weights; for a built-in model the bytes it
/// is built of.</param>
internal sealed record ModelIdentity(string Name, bool Prepared, IReadOnlyList<FileIdentity> Files)
{
    /// <summary>That of a built-in model.</summary>
    public static ModelIdentity OfBuiltIn(string name)
    {
        byte[] bytes = BaselineModel.Build();
        return new ModelIdentity(name, false, [new FileIdentity(name, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)))]);
    }
}
