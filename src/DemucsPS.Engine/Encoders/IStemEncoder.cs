namespace DemucsPS.Engine.Encoders;

/// <summary>
/// Makes a file of frames: <see cref="Write"/> any number of times, then <see cref="Complete"/>. Disposed before that, the file is to be
/// thrown away by whoever named it, and nothing goes on in the background.
/// </summary>
internal interface IStemEncoder : IDisposable
{
    /// <summary>Samples that were limited to the range of integers.</summary>
    long ClippedSamples { get; }

    /// <summary>Appends frames.</summary>
    /// <param name="interleaved">Whole frames, nominally −1 … 1; the span is not kept.</param>
    /// <param name="gain">A factor for every sample.</param>
    /// <exception cref="OperationCanceledException">The work was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    void Write(ReadOnlySpan<float> interleaved, float gain);

    /// <summary>Finishes the file, and waits until the disk has it.</summary>
    /// <exception cref="OperationCanceledException">The work was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    void Complete();
}
