namespace DemucsPS.Engine.Tests.Fuzzing;

/// <summary>A parser of foreign bytes.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Corpus">Whole files that it reads, whose damaged copies it gets.</param>
/// <param name="Parse">Reads a file to its end. It may throw a <see cref="DemucsException"/>, which is how bad input is told to people, and
/// nothing else.</param>
/// <param name="Allowance">Bytes that it may allocate for any input of up to 128 KiB.</param>
internal sealed record ParserTarget(string Name, IReadOnlyList<byte[]> Corpus, Action<byte[]> Parse, long Allowance)
{
    /// <summary>
    /// Makes checksums in a damaged file right again, so that what lies behind them is reached, too; every other input goes through it.
    /// </summary>
    public Func<byte[], byte[]> Mend { get; init; } = static bytes => bytes;

    public override string ToString() => Name;
}
