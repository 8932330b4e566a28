namespace DemucsPS.Engine.Models.Catalogue;

/// <summary>A model of a catalogue's bag.</summary>
/// <param name="Model">Its name in the catalogue.</param>
/// <param name="Weights">Its weight in each of the bag's stems, in their order.</param>
public sealed record CatalogueMember(string Model, IReadOnlyList<double> Weights);
