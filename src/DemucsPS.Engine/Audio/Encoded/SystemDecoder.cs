using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

namespace DemucsPS.Engine.Audio.Encoded;

/// <summary>The operating system's own decoders: Media Foundation on Windows. Elsewhere there are none that are used.</summary>
internal static class SystemDecoder
{
    /// <summary>What they are called, for people.</summary>
    public const string Name = "Media Foundation";

    /// <summary>A way to decode what <see cref="EncodedFile"/> knows.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="file">What it is.</param>
    /// <param name="bytes">What the decoder sees of it, seekable; left open.</param>
    /// <param name="reason">Why not, a clause; null if it is decoded, or the system has no decoders.</param>
    public delegate IFrameSource? Opener(string path, EncodedFile file, Stream bytes, out string? reason);

    /// <summary>This system's; null if it has none.</summary>
    public static Opener? Here { get; } = OperatingSystem.IsWindows() ? new Opener(OpenOnWindows) : null;

    [SupportedOSPlatform("windows")]
    private static IFrameSource? OpenOnWindows(string path, EncodedFile file, Stream bytes, out string? reason)
    {
        try
        {
            return OpenByMediaFoundation(path, file, bytes, out reason);
        }
        catch (Exception e) when (e is FileNotFoundException or FileLoadException or TypeLoadException)
        {
            // Files of the program are missing.
            reason = e.Message;
            return null;
        }
    }

    // Not inlined, so that what it needs is loaded when it is called.
    [SupportedOSPlatform("windows")]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static MediaFoundationSource? OpenByMediaFoundation(string path, EncodedFile file, Stream bytes, out string? reason) =>
        MediaFoundationSource.TryOpen(path, file, bytes, out reason);
}
