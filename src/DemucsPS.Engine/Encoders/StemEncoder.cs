namespace DemucsPS.Engine.Encoders;

/// <summary>Finds the encoder of a format.</summary>
internal static class StemEncoder
{
    /// <summary>
    /// Starts a new file. Of <see cref="StemFileFormat.StemMp4"/> the frames have the channels of the mix and of each stem side by side.
    /// </summary>
    /// <param name="format">How to write.</param>
    /// <param name="path">Full path of a file that does not exist yet.</param>
    /// <param name="sampleRate">Frames per second of what will be written.</param>
    /// <param name="channels">2, or 1; of a file with all stems, of each of them.</param>
    /// <param name="ditherSeed">Seed of the dither; null for none.</param>
    /// <param name="labels">What the file says about the music.</param>
    /// <param name="stems">Names of the outputs in the file, for <see cref="StemFileFormat.StemMp4"/>.</param>
    /// <param name="cancellationToken">Ends the encoding, also in the middle of a call.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.FFmpegNotFound"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static IStemEncoder Create(
        StemFormat format,
        string path,
        int sampleRate,
        int channels,
        int? ditherSeed,
        StemLabels labels,
        IReadOnlyList<string> stems,
        CancellationToken cancellationToken
    ) =>
        format.File == StemFileFormat.Wav
            ? WavWriter.Create(path, sampleRate, channels, format.Sample, ditherSeed, labels.Tags)
            : FFmpegEncoder.Start(
                format,
                FFmpegEncoders.Find(format.File),
                path,
                sampleRate,
                channels,
                ditherSeed,
                labels,
                stems,
                cancellationToken
            );
}
