namespace DemucsPS.Engine.Audio.Mpeg;

/// <summary>Bytes of an MP3 file that are not frames.</summary>
/// <param name="Position">The first of them.</param>
/// <param name="Next">Where whole frames go on.</param>
/// <param name="FramesBefore">Whole frames before.</param>
/// <param name="Frames">How many frames were there; 0 for bytes that were none.</param>
internal sealed record MpegGap(long Position, long Next, long FramesBefore, long Frames);
