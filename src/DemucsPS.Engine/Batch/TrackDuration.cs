using System.Text.Json.Serialization;

namespace DemucsPS.Engine.Batch;

/// <summary>How long a track is, as it was found once.</summary>
/// <param name="Key">The path of its file; after a zero character, what of the file the track is if it is not all of it.</param>
/// <param name="Size">Bytes of the file then; -1 where it could not be found.</param>
/// <param name="Time">When the file was last written.</param>
/// <param name="Seconds">Its length; 0 if it cannot be read, null if unknown without decoding.</param>
public sealed record TrackDuration(string Key, long Size, DateTime Time, double? Seconds);

/// <summary>The first line of a file of lengths.</summary>
/// <param name="Schema">Layout of the file; another number cannot be read.</param>
/// <param name="Inputs">Hash of what was given, in any order, and of what was to be taken of it.</param>
/// <param name="Tracks">Lines that follow.</param>
internal sealed record DurationsHead(int Schema, string Inputs, int Tracks);

/// <summary>The types in files of lengths, described at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DurationsHead))]
[JsonSerializable(typeof(TrackDuration))]
internal sealed partial class DurationTypes : JsonSerializerContext;
