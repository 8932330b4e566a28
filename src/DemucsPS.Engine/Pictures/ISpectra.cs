using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Pictures;

/// <summary>What a spectrogram is drawn of.</summary>
internal interface ISpectra
{
    /// <summary>Where it begins, in seconds of its track.</summary>
    double Start { get; }

    /// <summary>Its length in seconds; where that is only claimed, until it was read to its end.</summary>
    double Seconds { get; }

    /// <summary>Half its rate in Hz.</summary>
    double Nyquist { get; }

    /// <summary>What is odd with it, in sentences.</summary>
    IReadOnlyList<string> Warnings { get; }

    /// <summary>Finds out what is not known without reading: <see cref="Seconds"/>.</summary>
    /// <exception cref="DemucsException">It cannot be read.</exception>
    void Open(CancellationToken cancellationToken);

    /// <summary>Fills the columns of a picture.</summary>
    /// <param name="start">Time at the left edge in seconds.</param>
    /// <param name="seconds">Time from edge to edge.</param>
    /// <param name="count">Columns.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Receives how many frames are read of how many.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Row after row from the highest frequency down, a value a column: dB. No number where there is nothing.</returns>
    /// <exception cref="DemucsException">It cannot be read.</exception>
    float[] Read(
        double start,
        double seconds,
        int count,
        FrequencyRows rows,
        SpectrogramOptions options,
        IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken
    );
}
