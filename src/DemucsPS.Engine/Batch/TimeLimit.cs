using System.Globalization;
using System.Text.RegularExpressions;

namespace DemucsPS.Engine.Batch;

/// <summary>The time limit of a run, and what still fits into the rest of it.</summary>
public sealed partial class TimeLimit
{
    // Of a track's time: tracks differ, and so do the hours of a shared machine.
    private const double Margin = 1.1;

    private static readonly TimeSpan s_start = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _clock;
    private readonly long _started;
    private readonly double _assumed;
    private TimeSpan _worked;
    private TimeSpan _music;

    /// <summary>Begins to count.</summary>
    /// <param name="limit">How long the run may take.</param>
    /// <param name="passed">How much of it has passed already.</param>
    /// <param name="assumed">Seconds of work that a second of music takes, until a track of this run shows it.</param>
    public TimeLimit(TimeSpan limit, TimeSpan passed, double assumed)
        : this(limit, passed, assumed, TimeProvider.System) { }

    internal TimeLimit(TimeSpan limit, TimeSpan passed, double assumed, TimeProvider clock)
    {
        _clock = clock;
        _started = clock.GetTimestamp();
        Limit = limit - passed;
        _assumed = assumed;
    }

    /// <summary>How long this run may take from its beginning.</summary>
    public TimeSpan Limit { get; }

    /// <summary>What is left.</summary>
    public TimeSpan Remaining => Limit - _clock.GetElapsedTime(_started);

    /// <summary>Seconds of work that a second of music takes: as measured in this run, or as assumed.</summary>
    public double RealTimeFactor => _music > TimeSpan.Zero ? _worked / _music : _assumed;

    /// <summary>Reads a length of time.</summary>
    /// <param name="text">Hours, minutes and seconds as <c>01:50:00</c> or <c>48:00:00</c>, with days before them as
    /// <c>1-01:50:00</c>.</param>
    /// <param name="parameter">What it was given for, for messages.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: it is none.</exception>
    public static TimeSpan Parse(string text, EngineParameter parameter = EngineParameter.TimeLimit)
    {
        Match form = Form().Match(text);
        TimeSpan limit = form.Success ? new TimeSpan(Number("days"), Number("hours"), Number("minutes"), Number("seconds")) : TimeSpan.Zero;
        return limit > TimeSpan.Zero
            ? limit
            : throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{text}' is not a length of time. Write hours, minutes and seconds as 01:50:00, or with days as 1-01:50:00."
            )
            {
                Parameter = parameter,
            };

        int Number(string part) =>
            int.TryParse(form.Groups[part].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
    }

    /// <summary>How long so much music takes.</summary>
    internal TimeSpan Need(TimeSpan music) => music * (RealTimeFactor * Margin) + s_start;

    /// <summary>Takes account of a track that was separated in this run.</summary>
    /// <param name="music">What was separated of it.</param>
    /// <param name="worked">How long that took.</param>
    internal void Add(TimeSpan music, TimeSpan worked)
    {
        _music += music;
        _worked += worked;
    }

    // After days, hours end at 23.
    [GeneratedRegex(
        @"\A((?<days>[0-9]{1,4})-(?<hours>[01][0-9]|2[0-3])|(?<hours>[0-9]{1,4})):(?<minutes>[0-5][0-9]):(?<seconds>[0-5][0-9])\z"
    )]
    private static partial Regex Form();
}
