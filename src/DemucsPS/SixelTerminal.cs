using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace DemucsPS;

/// <summary>Whether the terminal shows Sixel: it is asked for its attributes (DA1), of which 4 says so.</summary>
internal static partial class SixelTerminal
{
    private const string Question = "\e[c",
        SaveCursor = "\e7",
        RestoreCursor = "\e8",
        EraseToEnd = "\e[K";

    // Local terminals answer within milliseconds; over a slow line it takes longer.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1),
        s_pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Why no picture can be shown, a clause; null if it can.</summary>
    public static string? Refusal()
    {
        if (Console.IsInputRedirected || Console.IsOutputRedirected)
            return "input or output is redirected";
        // Between two looks at the keys the system echoes what comes: so the cursor goes back, and what was echoed is wiped out.
        Console.Out.Write($"{SaveCursor}{Question}");
        Console.Out.Flush();
        string answer = Read(() => Console.KeyAvailable ? Console.ReadKey(intercept: true).KeyChar : null, s_patience);
        Console.Out.Write($"{RestoreCursor}{EraseToEnd}");
        Console.Out.Flush();
        return RefusalOf(answer);
    }

    /// <summary>The same for what a terminal answered.</summary>
    /// <param name="answer">Characters that came.</param>
    internal static string? RefusalOf(string answer) =>
        Answer().Match(answer) is not { Success: true } match ? "the terminal did not report its features"
        : match.Groups[1].Value.Split(';').Contains("4") ? null
        : "the terminal does not support Sixel";

    /// <summary>Reads until the answer is there, or patience ends.</summary>
    /// <param name="next">Gives a character, or null while there is none.</param>
    /// <param name="patience">How long to wait.</param>
    internal static string Read(Func<char?> next, TimeSpan patience)
    {
        StringBuilder read = new();
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < patience)
        {
            if (next() is not { } character)
                Thread.Sleep(s_pause);
            else if (Answer().IsMatch(read.Append(character).ToString()))
                break;
        }
        return read.ToString();
    }

    // Without the escape: the console takes it for a key that is held down with the next one.
    [GeneratedRegex(@"\[\?([0-9;]*)c", RegexOptions.CultureInvariant)]
    private static partial Regex Answer();
}
