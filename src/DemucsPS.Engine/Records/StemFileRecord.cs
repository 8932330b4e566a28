namespace DemucsPS.Engine.Records;

/// <summary>What is known of a final file, whether it has its final name already or not.</summary>
/// <param name="Bytes">Length of the file.</param>
/// <param name="Sha256">Hash of the file's bytes, in lower-case hexadecimal digits.</param>
/// <param name="Peak">Greatest absolute sample of all channels before any rescaling.</param>
/// <param name="Rms">Root mean square of the samples of all channels before any rescaling; 1 is full scale.</param>
/// <param name="ClippedSamples">Samples that were limited to the range of the file.</param>
internal sealed record StemFileRecord(long Bytes, string Sha256, float Peak, double Rms, long ClippedSamples);
