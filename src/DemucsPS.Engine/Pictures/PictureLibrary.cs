using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DemucsPS.Engine.Inference;
using DemucsPS.Pictures;

namespace DemucsPS.Engine.Pictures;

/// <summary>The library that draws: ScottPlot and SkiaSharp. It is loaded when the first picture is requested.</summary>
internal static class PictureLibrary
{
    /// <summary>Does something that needs it.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.PictureUnavailable"/>: it cannot be loaded.</exception>
    public static T Use<T>(Func<T> draw)
    {
        string folder = Path.Combine(RuntimeContext.Home, Platform);
        try
        {
            Load(folder);
            return draw();
        }
        catch (Exception e)
            when (e
                    is DllNotFoundException
                        or BadImageFormatException
                        or EntryPointNotFoundException
                        or FileNotFoundException
                        or FileLoadException
                        or TypeInitializationException
                        or TypeLoadException
            )
        {
            throw new DemucsException(
                DemucsError.PictureUnavailable,
                $"Pictures cannot be drawn: the library SkiaSharp for {Platform} cannot be loaded from '{folder}': {(e.InnerException ?? e).Message.TrimEnd('.')}. Reinstall DemucsPS for this platform.",
                folder,
                e
            );
        }
    }

    private static string Platform =>
        $"{(OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Load(string folder) => PictureLibraries.Use([folder, .. RuntimeContext.HostFolders]);
}
