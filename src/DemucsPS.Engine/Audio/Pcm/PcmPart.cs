namespace DemucsPS.Engine.Audio.Pcm;

/// <summary>A run of samples in a file.</summary>
/// <param name="Form">What they are.</param>
/// <param name="Start">Their first byte, from the start of the file.</param>
/// <param name="Bytes">Their length as declared; null when they go on until the stream ends.</param>
internal sealed record PcmPart(PcmForm Form, long Start, long? Bytes)
{
    /// <summary>Whole frames in it; null if unknown.</summary>
    public long? Frames => Bytes / Form.FrameBytes;
}
