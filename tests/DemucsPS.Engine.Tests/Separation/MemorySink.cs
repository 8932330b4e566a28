using DemucsPS.Engine.Stems;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>Keeps the outputs of a separation.</summary>
internal sealed class MemorySink(int outputs) : IStemSink
{
    private readonly List<float>[] _samples = [.. Enumerable.Range(0, outputs).Select(_ => new List<float>())];

    public void Write(int output, ReadOnlySpan<float> interleaved) => _samples[output].AddRange(interleaved);

    public float[] Interleaved(int output) => [.. _samples[output]];
}
