using System.Globalization;

namespace DemucsPS.Engine.Audio.Flac;

/// <summary>The changes of form within a FLAC stream, and what is said of them.</summary>
/// <param name="stream">The form that the stream began with, which all of it is given in.</param>
internal sealed class FlacFormChanges(FlacForm stream)
{
    private const int MaxTold = 5;
    private readonly List<string> _told = [];
    private int _count;
    private bool _otherDepth;
    private bool _otherRate;
    private bool _mono;
    private bool _fewer;
    private bool _more;

    /// <summary>How often the rate has changed.</summary>
    public int RateChanges { get; private set; }

    /// <summary>Notes a change.</summary>
    /// <param name="frame">The number of the first frame after it.</param>
    /// <param name="time">When that is.</param>
    /// <param name="before">The form before.</param>
    /// <param name="now">The form from there on.</param>
    public void Add(long frame, TimeSpan time, FlacForm before, FlacForm now)
    {
        RateChanges += now.SampleRate != before.SampleRate ? 1 : 0;
        _otherRate |= now.SampleRate != stream.SampleRate;
        _otherDepth |= now.BitsPerSample != stream.BitsPerSample;
        _mono |= now.Channels < stream.Channels && now.Channels == 1;
        _fewer |= now.Channels < stream.Channels && stream.Channels > 2;
        _more |= now.Channels > stream.Channels;
        if (++_count > MaxTold)
            return;
        List<string> what = [];
        if (now.SampleRate != before.SampleRate)
            what.Add($"from {before.SampleRate} to {now.SampleRate} Hz");
        if (now.Channels != before.Channels)
            what.Add($"from {before.Channels} to {now.Channels} channels");
        if (now.BitsPerSample != before.BitsPerSample)
            what.Add($"from {before.BitsPerSample} to {now.BitsPerSample} bits");
        _told.Add(
            string.Create(CultureInfo.InvariantCulture, $"{string.Join(" and ", what)} at {time:h\\:mm\\:ss\\.fff} (after {frame} frames)")
        );
    }

    /// <summary>The warning about all changes so far.</summary>
    /// <param name="path">The file.</param>
    public string Sentence(string path)
    {
        List<string> done = [];
        if (_otherRate)
            done.Add("parts at another rate are converted");
        if (_otherDepth)
            done.Add("parts with another bit depth keep their level and all bits");
        if (_mono)
            done.Add("mono parts are copied to the left and right channels");
        if (_fewer)
            done.Add("channels missing in a part are silent there");
        if (_more)
            done.Add(
                stream.Channels == 1
                    ? "parts with more channels are reduced to the mean of left and right"
                    : "channels that were not there at the beginning are ignored"
            );
        string more = _count > _told.Count ? $", and {_count - _told.Count} more times" : "";
        return $"'{path}' changes within the track: {string.Join("; ", _told)}{more}. All of it is read in the format of its beginning, {stream.Channels} {(stream.Channels == 1 ? "channel" : "channels")} at {stream.SampleRate} Hz: {string.Join("; ", done)}.";
    }
}
