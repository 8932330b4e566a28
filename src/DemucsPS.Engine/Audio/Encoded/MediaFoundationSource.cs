using System.Runtime.Versioning;
using DemucsPS.MediaFoundation;

namespace DemucsPS.Engine.Audio.Encoded;

/// <summary>A file's frames as Windows decodes them. Only here its assembly is requested, which brings NAudio's users of Windows.</summary>
[SupportedOSPlatform("windows")]
internal sealed class MediaFoundationSource : IFrameSource
{
    private readonly string _path;
    private readonly MediaFoundationDecoder _decoder;

    private MediaFoundationSource(string path, MediaFoundationDecoder decoder)
    {
        _path = path;
        _decoder = decoder;
    }

    /// <inheritdoc/>
    public int SampleRate => _decoder.SampleRate;

    /// <inheritdoc/>
    public int Channels => _decoder.Channels;

    /// <inheritdoc cref="SystemDecoder.Opener"/>
    public static MediaFoundationSource? TryOpen(string path, EncodedFile file, Stream bytes, out string? reason)
    {
        try
        {
            reason = null;
            return new MediaFoundationSource(path, MediaFoundationDecoder.Open(bytes, file.ContentType, file.FileName));
        }
        catch (DecodingException e)
        {
            reason = e.IsMissing
                ? "this Windows lacks Media Foundation (add the optional feature 'Media Feature Pack')"
                : e.Message.TrimEnd('.');
            return null;
        }
    }

    /// <inheritdoc/>
    public int Read(Span<float> interleaved)
    {
        try
        {
            return _decoder.Read(interleaved);
        }
        catch (DecodingException e)
        {
            throw new DemucsException(
                DemucsError.AudioTrackCorrupt,
                $"'{_path}' was only partly decoded. {SystemDecoder.Name} reports: {e.Message.TrimEnd('.')}. Fetch or export the file again.",
                _path,
                e
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _decoder.Dispose();
}
