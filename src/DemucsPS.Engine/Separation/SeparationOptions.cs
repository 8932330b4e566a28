using System.Globalization;
using DemucsPS.Engine.Audio.Pcm;
using DemucsPS.Engine.Chunking;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Engine.Separation;

/// <summary>How a track is cut, shifted and blended.</summary>
public sealed record SeparationOptions
{
    /// <summary>The greatest random shift: half a second.</summary>
    public const int MaxShift = DemucsAudio.SampleRate / 2;

    /// <summary>The maximum number of shifts that can be requested.</summary>
    public const int MaxShifts = 1000;

    private const double LeastSegment = 0.5,
        LongestSegment = 600;

    /// <summary>The maximum number of retries that can be requested.</summary>
    public const int MaxRetries = 100;

    /// <summary>
    /// Share of a segment that neighboring chunks have in common, 0 … <see cref="ChunkPlan.MaxOverlap"/>. The official default is 0.25.
    /// </summary>
    public double Overlap { get; init; } = 0.05;

    /// <summary>
    /// Length of the chunks in seconds; null for the model's own length, which is the maximum. Shorter chunks are padded with zeros to that
    /// length, so time is lost and memory stays the same:
    /// it is there to compare with the <c>segment</c> of the official call. A bag's own segment shortens the models themselves.
    /// </summary>
    public double? Segment { get; init; }

    /// <summary>
    /// Random shifts whose results are averaged, up to <see cref="MaxShifts"/>; 0 for none, which is deterministic without a seed. Time
    /// grows with their number.
    /// </summary>
    public int Shifts { get; init; }

    /// <summary>Seed of the random shifts: equal seeds give equal results.</summary>
    public int Seed { get; init; }

    /// <summary>Power of the crossfade's weights, 1 … <see cref="TransitionWeights.MaxPower"/>.</summary>
    public double TransitionPower { get; init; } = 1;

    /// <summary>
    /// Chunks that are in the model at once over one shared session; <see cref="JobPlan"/> chooses. The result does not depend on it;
    /// memory does.
    /// </summary>
    public int Jobs { get; init; } = 1;

    /// <summary>How often a chunk whose run failed is tried again, up to <see cref="MaxRetries"/>.</summary>
    public int RetryCount { get; init; } = 2;

    /// <summary>
    /// Called before each attempt at a chunk, with the chunk's number and the attempt's (from 1), on any thread: lets tests make attempts
    /// fail.
    /// </summary>
    internal Action<int, int>? Attempting { get; init; }

    /// <summary>The shifts themselves in place of drawn ones, so that tests can repeat a reference's draws.</summary>
    internal IReadOnlyList<int>? ShiftOffsets { get; init; }

    /// <summary>Refuses values that are out of range. Front ends call it as well, before they load anything.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    public void Check()
    {
        ChunkPlan.CheckOverlap(Overlap);
        TransitionWeights.CheckPower(TransitionPower);
        if (!(Segment is null or (>= LeastSegment and <= LongestSegment)))
            throw SegmentRefused(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"it must be from {LeastSegment} to the length of the model's segments (7.8 for htdemucs)"
                )
            );
        if (Shifts is < 0 or > MaxShifts)
            throw new DemucsException(DemucsError.ParameterInvalid, $"The number of shifts is {Shifts}; it must be from 0 to {MaxShifts}.")
            {
                Parameter = EngineParameter.Shifts,
            };
        if (Jobs is < 1 or > JobPlan.MaxJobs)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The number of jobs is {Jobs}; it must be from 1 to {JobPlan.MaxJobs}."
            )
            {
                Parameter = EngineParameter.Jobs,
            };
        if (RetryCount is < 0 or > MaxRetries)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The number of retries is {RetryCount}; it must be from 0 to {MaxRetries}."
            )
            {
                Parameter = EngineParameter.RetryCount,
            };
    }

    /// <summary>The chunks' length in frames for a model.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: they would be longer than the model takes.</exception>
    internal int SegmentFrames(ModelContract contract)
    {
        if (Segment is not { } seconds)
            return contract.SegmentFrames;
        // Rounded as the official code does it.
        int frames = (int)(seconds * DemucsAudio.SampleRate);
        return frames <= contract.SegmentFrames
            ? frames
            : throw SegmentRefused(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the model's limit is {(double)contract.SegmentFrames / DemucsAudio.SampleRate:0.###} s"
                )
            );
    }

    private DemucsException SegmentRefused(string why) =>
        new(DemucsError.ParameterInvalid, string.Create(CultureInfo.InvariantCulture, $"The segment is {Segment} s; {why}."))
        {
            Parameter = EngineParameter.Segment,
        };

    /// <summary>The shifts to average over, each from 0 to <see cref="MaxShift"/> frames; empty for none.</summary>
    internal IReadOnlyList<int> DrawShifts()
    {
        if (ShiftOffsets is not null)
            return ShiftOffsets;
        SplitMix64 random = new(Seed);
        int[] shifts = new int[Shifts];
        foreach (ref int shift in shifts.AsSpan())
            shift = random.Next(MaxShift + 1);
        return shifts;
    }
}
