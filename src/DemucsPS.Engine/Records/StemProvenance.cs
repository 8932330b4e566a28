namespace DemucsPS.Engine.Records;

/// <summary>One stem in a <see cref="SeparationProvenance"/>.</summary>
/// <param name="Name">Such as <c>vocals</c>.</param>
/// <param name="File">The file, relative to the folder of the provenance, with / between folders.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Hash of its bytes, in lower-case hexadecimal digits.</param>
/// <param name="Peak">Greatest absolute sample before any rescaling; 1 is full scale.</param>
/// <param name="Rms">Root mean square of the samples before any rescaling.</param>
/// <param name="ClippedSamples">Samples that were limited to the range of the file.</param>
internal sealed record StemProvenance(string Name, string File, long Bytes, string Sha256, float Peak, double Rms, long ClippedSamples);
