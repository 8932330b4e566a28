using System.Numerics;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Quality;

/// <summary>What transforms of blocks of several channels have in common: how spectra lie in memory.</summary>
/// <remarks>A spectrum of some channels is [bins][real, imaginary][channels], the channels filled up to whole vectors.</remarks>
internal static class BlockSpectra
{
    /// <summary>
    /// Blocks worked on together: what is summed up over them stays in registers, and several threads have something to do.
    /// </summary>
    public const int Batch = 8;

    /// <summary>Bins that a thread takes at a time.</summary>
    private const int BinsAtOnce = 64;

    /// <summary>Channels filled up to whole vectors.</summary>
    public static int Lanes(int channels) => (channels + Vector<double>.Count - 1) / Vector<double>.Count * Vector<double>.Count;

    /// <summary>Spectra of all lanes of a block.</summary>
    /// <param name="fft">The FFT of a block.</param>
    /// <param name="frames">As many frames as the transform is long, of <paramref name="lanes"/> samples.</param>
    /// <param name="lanes">Samples of a frame.</param>
    /// <param name="spectra">Takes them, from lane <paramref name="firstLane"/>.</param>
    /// <param name="spectraLanes">Lanes of <paramref name="spectra"/>.</param>
    /// <param name="firstLane">Where they go.</param>
    public static void Forward(
        DoubleLaneFft fft,
        ReadOnlySpan<double> frames,
        int lanes,
        Span<double> spectra,
        int spectraLanes,
        int firstLane
    )
    {
        for (int lane = 0; lane < lanes; lane += Vector<double>.Count)
            fft.Forward(frames[lane..], lanes, spectra[(firstLane + lane)..], 2 * spectraLanes, spectraLanes);
    }

    /// <summary>Works on all bins, some at a time.</summary>
    public static void ForBins(int bins, ParallelOptions parallel, Action<int, int> work) =>
        Parallel.For(0, (bins + BinsAtOnce - 1) / BinsAtOnce, parallel, part =>
            work(part * BinsAtOnce, Math.Min((part + 1) * BinsAtOnce, bins))
        );
}
