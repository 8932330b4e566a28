using System.Runtime.InteropServices;
using SkiaSharp;

namespace DemucsPS.Pictures;

/// <summary>The native libraries that draw: those that this program brings, never what the system finds under their names.</summary>
internal static class PictureLibraries
{
    private static readonly Lock Gate = new();
    private static string? s_folder;

    /// <summary>Has the packages use the libraries of a folder. The first one counts.</summary>
    /// <param name="folder">Full path of the platform's folder.</param>
    public static void Use(string folder)
    {
        lock (Gate)
        {
            if (s_folder is not null)
                return;
            s_folder = folder;
            NativeLibrary.SetDllImportResolver(typeof(SKBitmap).Assembly, (name, _, _) => Load(name));
            NativeLibrary.SetDllImportResolver(typeof(HarfBuzzSharp.Blob).Assembly, (name, _, _) => Load(name));
        }
    }

    private static nint Load(string name)
    {
        string file = name + (OperatingSystem.IsWindows() ? ".dll" : OperatingSystem.IsMacOS() ? ".dylib" : ".so");
        return name.StartsWith("lib", StringComparison.Ordinal) ? NativeLibrary.Load(Path.Combine(s_folder!, file)) : 0;
    }
}
