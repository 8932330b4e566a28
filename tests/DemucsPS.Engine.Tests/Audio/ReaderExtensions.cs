using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>Reads whole tracks.</summary>
internal static class ReaderExtensions
{
    public static float[] ReadAll(this AudioReader reader, int blockFrames = 1000)
    {
        List<float> all = new();
        float[] block = new float[blockFrames * reader.Channels];
        int frames;
        while ((frames = reader.Read(block)) > 0)
            all.AddRange(block.AsSpan(0, frames * reader.Channels));
        return [.. all];
    }

    public static (float[] Left, float[] Right) ReadAll(this StereoTrackReader reader, int blockFrames = 1000)
    {
        (List<float> allLeft, List<float> allRight) = ([], []);
        (float[] left, float[] right) = (new float[blockFrames], new float[blockFrames]);
        int frames;
        while ((frames = reader.Read(left, right)) > 0)
        {
            allLeft.AddRange(left.AsSpan(0, frames));
            allRight.AddRange(right.AsSpan(0, frames));
        }

        return ([.. allLeft], [.. allRight]);
    }
}
