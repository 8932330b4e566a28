namespace DemucsPS.Engine.Audio.Pcm;

/// <summary>A file of uncompressed samples, as its head describes it.</summary>
/// <param name="Parts">Where its samples are, in their order; at least one. All have the rate and the channels of the first.</param>
/// <param name="Tags">Its tags.</param>
/// <param name="Warnings">What is odd with it, in sentences for the user.</param>
internal sealed record PcmFile(IReadOnlyList<PcmPart> Parts, AudioTagBuilder Tags, IReadOnlyList<string> Warnings)
{
    /// <summary>Checks what a file declares before it is used.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: too many channels, or frames per second.</exception>
    public static void CheckForm(ByteSource source, long channels, double sampleRate)
    {
        if (channels is < 1 or > AudioLimits.MaxChannels)
            throw Corrupt(source, $"is damaged or unusable: it declares {channels} channels; 1 to {AudioLimits.MaxChannels} are supported");
        if (!(sampleRate is >= 1 and <= AudioLimits.MaxSampleRate))
            throw Corrupt(
                source,
                FormattableString.Invariant(
                    $"is damaged or unusable: it declares a sample rate of {sampleRate} Hz; 1 to {AudioLimits.MaxSampleRate} Hz are supported"
                )
            );
    }

    /// <summary>The error for a file that cannot be read.</summary>
    /// <param name="source">The file.</param>
    /// <param name="what">What is wrong with it, after its name.</param>
    public static DemucsException Corrupt(ByteSource source, string what) =>
        new(DemucsError.AudioTrackCorrupt, $"'{source.Path}' {what}. Fetch or export the file again.", source.Path);
}
