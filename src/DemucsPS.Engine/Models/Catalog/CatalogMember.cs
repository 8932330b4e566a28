namespace DemucsPS.Engine.Models.Catalog;

/// <summary>A model of a catalog's bag.</summary>
/// <param name="Model">Its name in the catalog.</param>
/// <param name="Weights">Its weight in each of the bag's stems, in their order.</param>
public sealed record CatalogMember(string Model, IReadOnlyList<double> Weights);
