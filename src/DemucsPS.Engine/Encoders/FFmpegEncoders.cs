using DemucsPS.Engine.Audio.FFmpeg;

namespace DemucsPS.Engine.Encoders;

/// <summary>Knows what an ffmpeg can encode, so that a missing encoder is found before hours of work and not after.</summary>
internal static class FFmpegEncoders
{
    /// <summary>Finds the ffmpeg for a format.</summary>
    /// <param name="format">Not WAV.</param>
    /// <returns>The full path of the executable.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.FFmpegNotFound"/>: there is none, it cannot be started, is too old, or
    /// cannot encode that.</exception>
    public static string Find(StemFileFormat format) => Find(format, FFmpegLocator.Find());

    /// <summary>The same with a given executable; null if there is none.</summary>
    internal static string Find(StemFileFormat format, string? ffmpeg)
    {
        if (ffmpeg is null)
        {
            throw new DemucsException(
                DemucsError.FFmpegNotFound,
                $"Stems as {format} need ffmpeg, but ffmpeg was not found. Only WAV is written without it. Install ffmpeg with your package manager (winget install ffmpeg, brew install ffmpeg, "
                    + $"apt install ffmpeg), set the environment variable {FFmpegLocator.EnvironmentVariable} to its full path, or choose the format Wav."
            );
        }
        FFmpegProgram program = FFmpegProgram.At(ffmpeg);
        program.Require(LeastFor(format), $"Stems as {format} need");
        string encoder = NameOf(format);
        // An ffmpeg whose list could not be read may work anyway; if not, its own words will say so.
        if (program.Encoders.Count > 0 && !program.Encoders.Contains(encoder))
        {
            throw new DemucsException(
                DemucsError.FFmpegNotFound,
                $"Stems as {format} need the encoder '{encoder}', but '{ffmpeg}' was built without it. Install a full build of ffmpeg, set the environment variable {FFmpegLocator.EnvironmentVariable} to its path, or choose another format.",
                ffmpeg
            );
        }
        return ffmpeg;
    }

    /// <summary>ffmpeg's name of a format's encoder.</summary>
    public static string NameOf(StemFileFormat format) =>
        format switch
        {
            StemFileFormat.Flac => "flac",
            StemFileFormat.Mp3 => "libmp3lame",
            StemFileFormat.Opus => "libopus",
            StemFileFormat.Alac => "alac",
            _ => "aac",
        };

    /// <summary>
    /// The first version that has what <see cref="FFmpegEncoder"/> asks of it: files of the MP4 kind need the option "-movie_timescale".
    /// </summary>
    public static Version LeastFor(StemFileFormat format) =>
        format is StemFileFormat.Aac or StemFileFormat.Alac or StemFileFormat.StemMp4 ? new Version(5, 0) : FFmpegProgram.LeastToRead;
}
