using System.Collections.ObjectModel;
using NAudio.Wave;

namespace DemucsPS.Engine.Audio;

/// <summary>The frames of a source of NAudio's: a capture, a generator, an effect, a file that it reads.</summary>
internal class SampleProviderReader : AudioReader
{
    private readonly ISampleProvider _provider;

    /// <summary>Wraps a provider, at whatever frame it stands.</summary>
    /// <param name="path">The full path of its file, or what it is called, for messages.</param>
    /// <param name="provider">The provider.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioFormatUnsupported"/>: its rate or its number of channels is out of
    /// range.</exception>
    public SampleProviderReader(string path, ISampleProvider provider)
        : base(path)
    {
        _provider = provider;
        WaveFormat format = provider.WaveFormat;
        if (format.SampleRate is < 1 or > AudioLimits.MaxSampleRate || format.Channels is < 1 or > AudioLimits.MaxChannels)
            throw new DemucsException(
                DemucsError.AudioFormatUnsupported,
                $"'{path}' has {format.Channels} channels at {format.SampleRate} Hz. Supported are 1 to {AudioLimits.MaxChannels} channels at 1 to {AudioLimits.MaxSampleRate} Hz.",
                path
            );
        SampleRate = format.SampleRate;
        Channels = format.Channels;
    }

    /// <inheritdoc/>
    public override int SampleRate { get; }

    /// <inheritdoc/>
    public override int Channels { get; }

    /// <inheritdoc/>
    public override long? FrameCount => null;

    /// <inheritdoc/>
    public override string Codec => "samples";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Tags => ReadOnlyDictionary<string, string>.Empty;

    /// <inheritdoc/>
    public override int Read(Span<float> interleaved)
    {
        int wanted = FramesIn(interleaved) * Channels;
        int done = 0;
        // A provider may give less than is requested before its end, and no whole frame.
        while (done < wanted && _provider.Read(interleaved[done..wanted]) is > 0 and int read)
            done += read;
        return done / Channels;
    }

    /// <summary>Does nothing: a provider has no end of its own.</summary>
    /// <param name="disposing">Always true.</param>
    protected override void Dispose(bool disposing) { }
}
