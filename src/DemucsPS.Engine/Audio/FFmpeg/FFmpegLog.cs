using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace DemucsPS.Engine.Audio.FFmpeg;

/// <summary>
/// Drains ffmpeg's standard error on its own thread, so that ffmpeg never blocks on it, and keeps what matters: the
/// program's version, what it says of the source, and the last <see cref="MaxErrorChars"/> characters of error lines.
/// </summary>
/// <remarks>
/// ffmpeg runs with "-v level+info", so that every line carries its level. The codec is named only at level info; the option
/// keeps such lines apart from errors without guessing.
/// </remarks>
internal sealed partial class FFmpegLog
{
    private const int MaxErrorChars = 4096;
    private const int MaxLineBytes = 1024;
    private const int MaxStreams = 100;

    private readonly Stream _stream;
    private readonly Thread _thread;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<string?> _codec = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(string Line, int Times)> _errors = [];
    private readonly List<string> _streams = [];
    private int _errorChars;
    private bool _afterError = true;
    private bool _isKept = true;
    private bool _inStreams;
    private bool _isGuess;

    /// <summary>Starts draining.</summary>
    /// <param name="stream">ffmpeg's standard error.</param>
    public FFmpegLog(Stream stream)
    {
        _stream = stream;
        _thread = new Thread(Drain) { IsBackground = true, Name = "DemucsPS ffmpeg log" };
        _thread.Start();
    }

    /// <summary>The error lines so far as one text; empty when there are none.</summary>
    public string Errors
    {
        get
        {
            lock (_lock)
                return string.Join(' ', _errors.Select(error => Sentence(error.Line, error.Times)));
        }
    }

    /// <summary>The audio streams of the source so far, in ffmpeg's words, in their order; the first hundred.</summary>
    public IReadOnlyList<string> Streams
    {
        get
        {
            lock (_lock)
                return [.. _streams];
        }
    }

    /// <summary>Whether the source has any stream at all, be it a picture.</summary>
    public bool HasStreams { get; private set; }

    /// <summary>
    /// Whether <see cref="Duration"/> is what the head of an MP3 file says of all of it, also where the file is cut off. Of other files,
    /// ffmpeg's length may be that of a picture, or a guess.
    /// </summary>
    public bool IsLengthOfMp3 => Container == "mp3" && !_isGuess;

    /// <summary>
    /// ffmpeg's names of the kind of file that the source is, such as "mov,mp4,m4a,3gp,3g2,mj2"; empty when it has not said it. Complete as
    /// <see cref="WaitForCodec"/> returns.
    /// </summary>
    public string Container { get; private set; } = "";

    /// <summary>
    /// When the first of its streams begins, by the source's clock, in seconds; null when it was not said. Complete as
    /// <see cref="WaitForCodec"/> returns.
    /// </summary>
    public double? StartTime { get; private set; }

    /// <summary>Whether the source has pictures that move. Complete as <see cref="WaitForCodec"/> returns.</summary>
    public bool HasFilm { get; private set; }

    /// <summary>What the program calls its version, if it was not told to keep it to itself; null when it has not said it.</summary>
    public string? Version { get; private set; }

    /// <summary>
    /// The length of the source, to hundredths of a second; null when it was not said. Complete as <see cref="WaitForCodec"/> returns.
    /// </summary>
    public TimeSpan? Duration { get; private set; }

    /// <summary>
    /// ffmpeg's number of the source's first stream that is a picture; null when there is none. Complete as <see cref="WaitForCodec"/>
    /// returns.
    /// </summary>
    public int? Picture { get; private set; }

    /// <summary>Waits until ffmpeg has named the codec of the source or ended its messages.</summary>
    /// <returns>ffmpeg's name of the codec; null when it did not name it in time.</returns>
    public string? WaitForCodec(TimeSpan timeout) => _codec.Task.Wait(timeout) ? _codec.Task.Result : null;

    /// <summary>Waits until the stream has ended; afterwards <see cref="Errors"/> is complete.</summary>
    /// <returns>False when it has not ended in time.</returns>
    public bool WaitForEnd(TimeSpan timeout) => _thread.Join(timeout);

    /// <summary>
    /// What a line of the log says if it is an error: without the level, and with the name of ffmpeg's component but not its
    /// address. Null for a line of a lower level. A line without a level continues with the one before it (a file name may have
    /// line breaks); the first ones come from elsewhere, say the loader of shared libraries, and are errors.
    /// </summary>
    /// <param name="line">The line without its end.</param>
    /// <param name="afterError">Whether the line before was an error, or this is the first.</param>
    internal static string? ErrorIn(string line, bool afterError)
    {
        string component = "";
        string rest = line;
        int address = line.StartsWith('[') ? line.IndexOf(" @ ", StringComparison.Ordinal) : -1;
        int close = line.IndexOf("] ", StringComparison.Ordinal);
        if (address > 0 && close > address)
        {
            component = line[1..address] + ": ";
            rest = line[(close + 2)..];
        }

        foreach (string level in (ReadOnlySpan<string>)["[error] ", "[fatal] ", "[panic] "])
        {
            if (rest.StartsWith(level, StringComparison.Ordinal))
                return component + rest[level.Length..].Trim();
        }

        bool hasLevel = rest.StartsWith('[') && rest.Contains(']', StringComparison.Ordinal);
        return hasLevel || !afterError || string.IsNullOrWhiteSpace(rest) ? null : rest.Trim();
    }

    /// <summary>The codec's name if the line says which stream is decoded: "[info]   Stream #0:1 -> #0:0 (mp3 (mp3float) -> …".</summary>
    internal static string? CodecIn(string line)
    {
        const string Marker = " -> #0:0 (";
        int at = line.IndexOf(Marker, StringComparison.Ordinal);
        if (at < 0 || !line.StartsWith("[info] ", StringComparison.Ordinal))
            return null;
        int start = at + Marker.Length;
        int end = start;
        while (end < line.Length && (char.IsAsciiLetterOrDigit(line[end]) || line[end] == '_'))
            end++;
        return end > start ? line[start..end] : null;
    }

    /// <summary>
    /// What a line says of an audio stream of the source: "[info]   Stream #0:1[0x2](eng): Audio: aac (LC), 48000 Hz, stereo"; null for any
    /// other line.
    /// </summary>
    internal static string? AudioStreamIn(string line)
    {
        const string Marker = ": Audio: ";
        int at = line.IndexOf(Marker, StringComparison.Ordinal);
        if (at < 0 || !StreamStart().IsMatch(line))
            return null;
        string language = line[..at].EndsWith(')') ? line[line.LastIndexOf('(', at)..at] + " " : "";
        return string.Concat((language + line[(at + Marker.Length)..]).Where(c => !char.IsControl(c)));
    }

    /// <summary>
    /// The number of the stream that a line calls a picture: "[info]   Stream #0:1: Video: png, rgb24(pc), 64x64 (attached pic)"; null for
    /// any other line.
    /// </summary>
    internal static int? PictureIn(string line) =>
        line.Contains(": Video: ", StringComparison.Ordinal)
        && line.Contains("(attached pic)", StringComparison.Ordinal)
        && StreamStart().Match(line) is { Success: true } match
        && int.TryParse(match.Groups[1].Value, CultureInfo.InvariantCulture, out int number)
            ? number
            : null;

    /// <summary>
    /// The length that a line says: "[info]   Duration: 00:03:20.04, start: 0.025056, bitrate: 192 kb/s"; null for any other line.
    /// </summary>
    internal static TimeSpan? DurationIn(string line) =>
        DurationLine().Match(line) is { Success: true } match
            ? TimeSpan.FromHours(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
                + TimeSpan.FromMinutes(int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture))
                + TimeSpan.FromSeconds(double.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture))
            : null;

    /// <summary>
    /// When the source begins, by a line like that of <see cref="DurationIn"/>; null for any other, or where it is not said.
    /// </summary>
    internal static double? StartIn(string line) =>
        StartLine().Match(line) is { Success: true } match
        && double.TryParse(match.Groups[1].Value, CultureInfo.InvariantCulture, out double start)
            ? start
            : null;

    private void Drain()
    {
        byte[] block = new byte[4096];
        byte[] line = new byte[MaxLineBytes];
        int length = 0;
        try
        {
            int count;
            while ((count = _stream.Read(block)) > 0)
            {
                foreach (byte value in block.AsSpan(0, count))
                {
                    if (value is (byte)'\n' or (byte)'\r')
                    {
                        Take(Encoding.UTF8.GetString(line, 0, length));
                        length = 0;
                    }
                    else if (length < MaxLineBytes)
                    {
                        line[length++] = value;
                    }
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The process was killed while this thread was reading: there is nothing more to learn.
        }

        Take(Encoding.UTF8.GetString(line, 0, length));
        _codec.TrySetResult(null);
    }

    private void Take(string line)
    {
        if (CodecIn(line) is string codec)
        {
            _codec.TrySetResult(codec);
        }

        if (Version is null && VersionLine().Match(line) is { Success: true } version)
            Version = version.Groups[1].Value;

        if (Container.Length == 0 && ContainerLine().Match(line) is { Success: true } container)
            Container = container.Groups[1].Value;
        _isGuess |= line.Contains("[warning] Estimating duration from bitrate", StringComparison.Ordinal);

        // The streams come after the length of the source and before ffmpeg's own output. Tags of the source, which could be called like
        // streams, stand before or deeper.
        if (line.StartsWith("[info]   Duration: ", StringComparison.Ordinal))
        {
            _inStreams = Duration is null && _streams.Count == 0;
            Duration ??= DurationIn(line);
            StartTime ??= StartIn(line);
        }
        else if (
            line.StartsWith("[info] Output #", StringComparison.Ordinal)
            || line.StartsWith("[info] Stream mapping:", StringComparison.Ordinal)
        )
        {
            _inStreams = false;
        }

        if (_inStreams)
            TakeStream(line);

        string? error = ErrorIn(line, _afterError);
        _afterError = error is not null;
        if (error is null)
            return;
        int repeated =
            Repeated().Match(error) is { Success: true } said ? int.Parse(said.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
        // Messages about covers do not concern the sound.
        if (repeated == 0)
            _isKept = !error.Contains("attached picture", StringComparison.OrdinalIgnoreCase);
        if (!_isKept)
            return;
        lock (_lock)
            Add(error, repeated);
    }

    // ffmpeg itself says how often it left out a line, but only where lines are equal with the address of what says them.
    private void Add(string error, int repeated)
    {
        if (_errors is [.., var last] && (repeated > 0 || last.Line == error))
        {
            _errors[^1] = (last.Line, last.Times + Math.Max(1, repeated));
            return;
        }
        _errors.Add((error, 1));
        _errorChars += error.Length;
        while (_errorChars > MaxErrorChars)
        {
            _errorChars -= _errors[0].Line.Length;
            _errors.RemoveAt(0);
        }
    }

    private static string Sentence(string line, int times) =>
        times > 1 ? string.Create(CultureInfo.InvariantCulture, $"{line.TrimEnd('.')} ({times} times).")
        : line.EndsWith('.') ? line
        : line + ".";

    private void TakeStream(string line)
    {
        HasStreams |= StreamStart().IsMatch(line);
        Picture ??= PictureIn(line);
        HasFilm |=
            line.Contains(": Video: ", StringComparison.Ordinal)
            && !line.Contains("(attached pic)", StringComparison.Ordinal)
            && StreamStart().IsMatch(line);
        if (AudioStreamIn(line) is not { } stream)
            return;
        lock (_lock)
        {
            if (_streams.Count < MaxStreams)
                _streams.Add(stream);
        }
    }

    [GeneratedRegex(@"^Last message repeated (\d{1,8}) times$")]
    private static partial Regex Repeated();

    // Deeper by two before version 5.0.
    [GeneratedRegex(@"^\[info\] (?:  |    )Stream #0:(\d{1,9})\D")]
    private static partial Regex StreamStart();

    [GeneratedRegex(@"^\[info\]   Duration: (\d{2,5}):(\d\d):(\d\d\.\d\d),")]
    private static partial Regex DurationLine();

    [GeneratedRegex(@"^\[info\]   Duration: [^,]{1,20}, start: (-?\d{1,12}\.\d{1,6})(?:,|$)")]
    private static partial Regex StartLine();

    [GeneratedRegex(@"^\[info\] Input #0, ([\w,]{1,100}), from ")]
    private static partial Regex ContainerLine();

    [GeneratedRegex(@"^(?:\[info\] )?ffmpeg version (\S+)")]
    private static partial Regex VersionLine();
}
