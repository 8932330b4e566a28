using DemucsPS.Engine.Stems;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>Counts the frames of the one output of a separation, and tells how many there are after each block.</summary>
internal sealed class CountingSink(Action<int> written) : IStemSink
{
    public int Frames { get; private set; }

    public void Write(int output, ReadOnlySpan<float> interleaved) => written(Frames += interleaved.Length / 2);
}
