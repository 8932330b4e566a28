using System.Runtime.InteropServices;
using SkiaSharp;

namespace DemucsPS.Pictures;

/// <summary>The native libraries that draw: those that this program brings, never what the system finds under their names.</summary>
internal static class PictureLibraries
{
    private static readonly Lock s_gate = new();
    private static string[]? s_folders;

    /// <summary>Has the packages use the libraries of some folders. The first call counts.</summary>
    /// <param name="folders">Full paths in the order in which each library is looked for: the platform's folder first.</param>
    public static void Use(string[] folders)
    {
        lock (s_gate)
        {
            if (s_folders is not null)
                return;
            s_folders = folders;
            NativeLibrary.SetDllImportResolver(typeof(SKBitmap).Assembly, (name, _, _) => Load(name));
            NativeLibrary.SetDllImportResolver(typeof(HarfBuzzSharp.Blob).Assembly, (name, _, _) => Load(name));
        }
    }

    private static nint Load(string name)
    {
        string file =
            name
            + (
                OperatingSystem.IsWindows() ? ".dll"
                : OperatingSystem.IsMacOS() ? ".dylib"
                : ".so"
            );
        return name.StartsWith("lib", StringComparison.Ordinal)
            ? NativeLibrary.Load(
                s_folders!.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists) ?? Path.Combine(s_folders![0], file)
            )
            : 0;
    }
}
