using System.Numerics;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Quality;

/// <summary>
/// The filters of BSS Eval: those that bring the references closest to each channel of each estimate, once from all references (C) and once
/// from the estimate's own (Cⱼ). Least squares over a whole track.
/// </summary>
internal sealed class DistortionFilters
{
    // Against the sum of the squares of each channel. Rounding makes it necessary where channels are alike; from 1e-10 on figures change by
    // hundredths of a decibel.
    private const double FirstLoading = 1e-13,
        LastLoading = 1e-9;

    /// <summary>
    /// Answers of the filters: [bins][reference channels][real, imaginary][outputs], first those of C, then those of Cⱼ; divided by the
    /// transform's length, so that its inverse needs no scaling.
    /// </summary>
    public required double[] Spectra { get; init; }

    /// <summary>Length of the filters.</summary>
    public required FilterLengths Lengths { get; init; }

    /// <summary>Channels, filled up.</summary>
    public required int Lanes { get; init; }

    /// <summary>What the figures lose by channels that are too much alike; null for nothing.</summary>
    public required double? Loading { get; init; }

    /// <summary>Solves for all filters.</summary>
    /// <param name="correlations">Correlations of the whole track.</param>
    /// <param name="stems">Stems.</param>
    /// <param name="channels">Channels of each.</param>
    /// <param name="parallel">How many threads may work, and what ends them.</param>
    /// <param name="stock">Where its arrays come from.</param>
    public static DistortionFilters Solve(
        StemCorrelations correlations,
        int stems,
        int channels,
        ParallelOptions parallel,
        EvaluationPool stock
    )
    {
        FilterLengths lengths = correlations.Lengths;
        int all = stems * channels,
            lanes = BlockSpectra.Lanes(all);
        double[] spectra = stock.Take(lengths.Bins * lanes * 2 * 2 * lanes);
        double used = new ChannelFilters(correlations, 0, all, parallel, stock).Solve(spectra, lanes, 0);
        for (int stem = 0; stem < stems; stem++)
            used = Math.Max(
                used,
                new ChannelFilters(correlations, stem * channels, channels, parallel, stock).Solve(spectra, lanes, lanes)
            );
        return new DistortionFilters
        {
            Lengths = lengths,
            Spectra = spectra,
            Lanes = lanes,
            Loading = used > FirstLoading ? used : null,
        };
    }

    /// <summary>The filters from some channels to the estimates of the same.</summary>
    private sealed class ChannelFilters(
        StemCorrelations correlations,
        int first,
        int count,
        ParallelOptions parallel,
        EvaluationPool stock
    )
    {
        private readonly FilterLengths _lengths = correlations.Lengths;

        // Channels are brought to the same level, so that a soft one is not lost beside a loud one. One without any sound gets no filter.
        private readonly double[] _scales =
        [
            .. Enumerable
                .Range(first, count)
                .Select(channel => correlations.OfReferences(channel, channel, 0))
                .Select(energy => energy > 0 ? 1 / Math.Sqrt(energy) : 0),
        ];

        private double _loading = FirstLoading;

        /// <summary>Solves for them.</summary>
        /// <returns>What was added to the diagonal.</returns>
        public double Solve(double[] spectra, int lanes, int firstOutput)
        {
            CholeskyFactor factor = Factor();
            int outputs = BlockSpectra.Lanes(count);
            double[] sides = Sides(outputs);
            factor.Solve(sides, outputs);
            factor.Release();
            Parallel.For(0, count, parallel, channel => Transform(channel, sides, outputs, spectra, lanes, firstOutput));
            stock.Give(sides);
            return _loading;
        }

        private CholeskyFactor Factor()
        {
            // Unknowns are ordered by delay, then by channel.
            CholeskyFactor factor = new(count * _lengths.Taps, parallel.MaxDegreeOfParallelism, stock);
            while (!factor.TryFactor(Element, parallel.CancellationToken))
            {
                _loading *= 10;
                if (_loading > LastLoading)
                    throw new DemucsException(
                        DemucsError.StemsNotComparable,
                        "ISR, SIR and SAR cannot be measured: the references are too similar. Choose other metrics."
                    );
            }
            return factor;
        }

        private double Element(int row, int column)
        {
            int rowTap = row / count,
                rowChannel = row % count,
                columnTap = column / count,
                columnChannel = column % count,
                lag = rowTap - columnTap;
            double scale = _scales[rowChannel] * _scales[columnChannel];
            if (row == column)
                return scale == 0 ? 1 : 1 + _loading;
            // A row's tap is not before its column's: Σ r_row(n − rowTap)·r_column(n − columnTap) = Σ r_column(n)·r_row(n − lag).
            return scale * correlations.OfReferences(first + columnChannel, first + rowChannel, lag);
        }

        /// <summary>The system's right sides, [tap][channel][output].</summary>
        private double[] Sides(int outputs)
        {
            double[] sides = stock.Take(count * _lengths.Taps * outputs);
            for (int tap = 0; tap < _lengths.Taps; tap++)
            {
                for (int channel = 0; channel < count; channel++)
                {
                    for (int output = 0; output < count; output++)
                        sides[(tap * count + channel) * outputs + output] =
                            _scales[channel] * correlations.OfEstimate(first + output, first + channel, tap);
                }
            }
            return sides;
        }

        /// <summary>Answers of the filters from a channel, of as many at once as a vector has lanes.</summary>
        private void Transform(int channel, double[] sides, int outputs, double[] spectra, int lanes, int firstOutput)
        {
            DoubleLaneFft fft = stock.TakeTransform(_lengths.Size);
            double[] taps = stock.Take(_lengths.Size * Vector<double>.Count),
                bins = stock.Take(_lengths.Bins * 2 * Vector<double>.Count);
            for (int output = 0; output < count; output += Vector<double>.Count)
            {
                for (int tap = 0; tap < _lengths.Taps; tap++)
                {
                    for (int i = 0; i < Vector<double>.Count; i++)
                        taps[tap * Vector<double>.Count + i] =
                            sides[(tap * count + channel) * outputs + output + i] * _scales[channel] / _lengths.Size;
                }
                fft.Forward(taps, Vector<double>.Count, bins, 2 * Vector<double>.Count, Vector<double>.Count);
                for (int bin = 0; bin < _lengths.Bins; bin++)
                {
                    for (int part = 0; part < 2; part++)
                    {
                        int to = ((bin * lanes + first + channel) * 2 + part) * 2 * lanes + firstOutput + first + output;
                        bins.AsSpan((bin * 2 + part) * Vector<double>.Count, Math.Min(Vector<double>.Count, count - output))
                            .CopyTo(spectra.AsSpan(to));
                    }
                }
            }
            stock.Give(fft);
            stock.Give(taps);
            stock.Give(bins);
        }
    }
}
