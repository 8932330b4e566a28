using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace DemucsPS.Engine.Audio.FFmpeg;

/// <summary>An ffmpeg as it describes itself: its version, and what it can encode. It is asked once a process.</summary>
internal sealed partial class FFmpegProgram
{
    /// <summary>The first version with what every run needs: messages with their level.</summary>
    public static readonly Version LeastToRead = new(4, 0);

    private const int MaxListBytes = 1 << 20;

    private static readonly TimeSpan s_timeLimit = TimeSpan.FromSeconds(30);

    private static readonly ConcurrentDictionary<string, FFmpegProgram> s_known = new();

    private readonly string _path;

    private FFmpegProgram(string path)
    {
        _path = path;
        // Without "-hide_banner" the version is told first; without the levels in its messages every version answers.
        using Process process = FFmpegReader.Start(path, path, ["-v", "info", "-encoders"], hideBanner: false);
        FFmpegOutput output = FFmpegOutput.Collect(process, MaxListBytes, s_timeLimit);
        Version = output.Log.Version is { } words ? Parse(words) : null;
        // " A....D flac                 FLAC (Free Lossless Audio Codec)"
        Encoders = new HashSet<string>(
            Encoding
                .UTF8.GetString(output.Bytes ?? [])
                .Split('\n')
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words.Length > 1 && words[0].StartsWith('A'))
                .Select(words => words[1])
        );
    }

    /// <summary>The version; null if unknown, and for builds between versions, which count as new.</summary>
    public Version? Version { get; }

    /// <summary>The names of its encoders of audio; empty if unknown.</summary>
    public IReadOnlySet<string> Encoders { get; }

    /// <summary>Asks a program, unless it was asked before.</summary>
    /// <param name="path">The full path of the executable.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.FFmpegNotFound"/>: it cannot be started.</exception>
    public static FFmpegProgram At(string path) => s_known.GetOrAdd(path, p => new FFmpegProgram(p));

    /// <summary>
    /// The version that the words after "ffmpeg version" say: "5.1.9-0+deb12u1", "n4.4.1"; null for those of other builds, "N-109456-g…"
    /// and "2023-08-10-git-…".
    /// </summary>
    internal static Version? Parse(string words) =>
        Release().Match(words) is { Success: true } match
        && int.TryParse(match.Groups[1].Value, CultureInfo.InvariantCulture, out int major)
        && int.TryParse(match.Groups[2].Value, CultureInfo.InvariantCulture, out int minor)
            ? match.Groups[3].Success && int.TryParse(match.Groups[3].Value, CultureInfo.InvariantCulture, out int patch)
                ? new Version(major, minor, patch)
                : new Version(major, minor)
            : null;

    /// <summary>Refuses a program that is too old.</summary>
    /// <param name="least">The first version that will do.</param>
    /// <param name="need">What is asked of it, as the beginning of a sentence: "Stems as Aac need".</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.FFmpegNotFound"/>: it is.</exception>
    public void Require(Version least, string need)
    {
        if (Version is { } version && version < least)
            throw new DemucsException(
                DemucsError.FFmpegNotFound,
                $"{need} ffmpeg {least} or newer, but '{_path}' is version {version}. Install a newer version, or set the environment variable {FFmpegLocator.EnvironmentVariable} to the path of one.",
                _path
            );
    }

    [GeneratedRegex(@"^n?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?!\d)")]
    private static partial Regex Release();
}
