using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Stems;

/// <summary>Takes the stems of a track as they become final.</summary>
internal interface IStemSink
{
    /// <summary>Takes the next frames of one output. All outputs get the same frames before any gets later ones.</summary>
    /// <param name="output">The output's number in the <see cref="StemMatrix"/>.</param>
    /// <param name="interleaved">Left and right samples in turn; valid during the call only.</param>
    void Write(int output, ReadOnlySpan<float> interleaved);
}
