namespace DemucsPS.Engine.Models.Catalog;

/// <summary>A file of a model, as the catalog describes it.</summary>
/// <param name="Name">Its name in the models folder; without folders.</param>
/// <param name="Url">Where it is hosted: https, or http of this machine, or file.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">The SHA-256 of its content: 64 hexadecimal digits in lower case.</param>
public sealed record CatalogFile(string Name, Uri Url, long Size, string Sha256);
