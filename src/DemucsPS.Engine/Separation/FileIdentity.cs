namespace DemucsPS.Engine.Separation;

/// <summary>A file by what is in it.</summary>
/// <param name="Name">Its name, without folders.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Hash of its bytes, in lower-case hexadecimal digits.</param>
internal sealed record FileIdentity(string Name, long Bytes, string Sha256);
