using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Levels;

/// <summary>A source in its second pass: it must have as many frames as the first one found.</summary>
/// <param name="source">The track, at its start.</param>
/// <param name="path">Its file, for messages.</param>
/// <param name="frames">Its length, found in the first pass.</param>
internal sealed class MeasuredSource(IStereoSource source, string path, long frames)
{
    /// <summary>Length in frames.</summary>
    public long Frames => frames;

    /// <summary>Reads the next frames, as many as the spans take.</summary>
    /// <param name="left">Receives the left channel.</param>
    /// <param name="right">Receives the right channel; as long.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: the track is shorter than in the first
    /// pass.</exception>
    public void Read(Span<float> left, Span<float> right)
    {
        while (!left.IsEmpty)
        {
            int read = source.Read(left, right);
            if (read == 0)
                throw Changed("shorter");
            left = left[read..];
            right = right[read..];
        }
    }

    /// <summary>Checks that the source ends where the first pass found its end.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: the track has grown.</exception>
    public void CheckEnd()
    {
        Span<float> left = stackalloc float[1],
            right = stackalloc float[1];
        if (source.Read(left, right) > 0)
            throw Changed("longer");
    }

    private DemucsException Changed(string how) =>
        new(
            DemucsError.AudioTrackCorrupt,
            $"'{path}' is {how} than when it was first read ({frames} frames): it changed during the separation. Try again when no other program writes to it.",
            path
        );
}
