using DemucsPS.Engine.Quality;

namespace DemucsPS.Engine.Tests.Quality;

/// <summary>References and estimates in memory: [stem][channel][frame].</summary>
internal sealed class ArrayFrames(double[][][] references, double[][][] estimates) : IStemFrames
{
    private int _at;

    public int Read(Span<double> referenceFrames, Span<double> estimateFrames, int lanes)
    {
        int count = Math.Min(referenceFrames.Length / lanes, references[0][0].Length - _at);
        for (int stem = 0, lane = 0; stem < references.Length; stem++)
        {
            for (int channel = 0; channel < references[stem].Length; channel++, lane++)
            {
                for (int i = 0; i < count; i++)
                {
                    referenceFrames[i * lanes + lane] = references[stem][channel][_at + i];
                    estimateFrames[i * lanes + lane] = estimates[stem][channel].ElementAtOrDefault(_at + i);
                }
            }
        }
        _at += count;
        return count;
    }

    public void Dispose() { }
}
