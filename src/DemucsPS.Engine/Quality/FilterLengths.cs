namespace DemucsPS.Engine.Quality;

/// <summary>How long filters are, and the blocks that are transformed for them.</summary>
/// <param name="Taps">Taps of a filter.</param>
/// <param name="Size">Samples of a transform, a power of two; more than <paramref name="Taps"/>.</param>
internal sealed record FilterLengths(int Taps, int Size)
{
    /// <summary>Those of BSS Eval v4: 512 taps.</summary>
    public static FilterLengths Bss { get; } = new(512, 4096);

    /// <summary>Samples that a filter looks back, and that its answer is longer than what it is given.</summary>
    public int History => Taps - 1;

    /// <summary>Bins of a transform.</summary>
    public int Bins => Size / 2 + 1;

    /// <summary>Samples by which a block moves on; the rest of a transform is history, so that nothing wraps around.</summary>
    public int BlockFrames => Size - History;
}
