using System.Collections.Concurrent;
using DemucsPS.Engine.Machine;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Transforms several channels at once, each on one processor. A channel's result does not depend on the others, so not on how many run at
/// once. Thread-safe; keeps the scratch of as many transforms as ever ran at once.
/// </summary>
/// <param name="segmentFrames">Length of the segments.</param>
internal sealed class ChannelTransforms(int segmentFrames)
{
    private static readonly ParallelOptions s_allProcessors = new() { MaxDegreeOfParallelism = MachineLimits.Processors };

    private readonly ConcurrentBag<SegmentSpectrogram> _idle = [];

    /// <summary>Held while a chunk is made ready for the models.</summary>
    public Lock InputsGate { get; } = new();

    /// <summary>
    /// Calls <paramref name="transform"/> for each channel, 0 … <paramref name="channels"/> − 1, on several threads; waits for all. It must
    /// not throw.
    /// </summary>
    public void ForEach(int channels, Action<SegmentSpectrogram, int> transform) =>
        Parallel.For(
            0,
            channels,
            s_allProcessors,
            () => _idle.TryTake(out SegmentSpectrogram? spectrogram) ? spectrogram : new SegmentSpectrogram(segmentFrames),
            (channel, _, spectrogram) =>
            {
                transform(spectrogram, channel);
                return spectrogram;
            },
            _idle.Add
        );
}
