using System.Runtime.InteropServices;
using System.Text;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Engine.Inference;

/// <summary>Says why no ONNX Runtime library could be loaded and what to do about it.</summary>
internal static class LibraryLoadFailure
{
    // What the builds for Windows import and Windows does not bring; the universal C runtime comes with it. Only the build for x64 imports
    // the last.
    private static readonly string[] s_visualCLibraries = ["vcruntime140.dll", "msvcp140.dll", "msvcp140_1.dll", "vcruntime140_1.dll"];

    // ERROR_PROC_NOT_FOUND and ERROR_DLL_INIT_FAILED, as the loader's messages end with them: what libraries meet in a Visual C++ runtime
    // older than theirs.
    private static readonly string[] s_codesOfAnOldRuntime = ["0x8007007F", "0x8007045A"];

    /// <summary>What to say where the libraries that come with DemucsPS were looked for.</summary>
    /// <param name="tried">Full paths, and the loader's words for each file that is there; null if there is none.</param>
    /// <param name="onWindows">Whether this is Windows.</param>
    /// <param name="onMac">Whether this is macOS.</param>
    /// <param name="architecture">That of this process.</param>
    /// <param name="canLoad">Whether Windows has a library of that name to load.</param>
    public static string Describe(
        IReadOnlyList<(string Path, string? Failure)> tried,
        bool onWindows,
        bool onMac,
        Architecture architecture,
        Func<string, bool> canLoad
    )
    {
        StringBuilder message = new("The native ONNX Runtime library cannot be loaded. Tried:");
        foreach ((string path, string? failure) in tried)
            message.Append("\n  ").Append(path).Append(": ").Append(failure ?? "no such file");
        string named =
            $"set ${OnnxRuntimeLibrary.PathVariable} to the full path of an ONNX Runtime library, version 1.{NativeRuntime.ApiVersion} or newer";
        return message
            .Append('\n')
            .Append(
                tried
                    .Select(t => t.Failure)
                    .OfType<string>()
                    .Select(failure => VisualCRemedy(failure, onWindows, architecture, canLoad))
                    .FirstOrDefault(remedy => remedy is not null)
                    ?? (
                        onMac && architecture == Architecture.X64
                            ? $"ONNX Runtime's packages no longer include a library for Macs with Intel processors. Build it from source, or install it with a package manager that has it, and {named}."
                            : $"Build DemucsPS again (the build copies the library from the package Microsoft.ML.OnnxRuntime), or {named}."
                    )
            )
            .ToString();
    }

    /// <summary>
    /// What to do about a library that is there and is not loaded where Windows lacks the Visual C++ runtime, or has an old one; null if
    /// that is not the reason.
    /// </summary>
    /// <param name="failure">The loader's words.</param>
    /// <param name="onWindows">Whether this is Windows.</param>
    /// <param name="architecture">That of this process.</param>
    /// <param name="canLoad">Whether Windows has a library of that name to load.</param>
    public static string? VisualCRemedy(string failure, bool onWindows, Architecture architecture, Func<string, bool> canLoad)
    {
        if (!onWindows)
            return null;
        string[] missing = [.. s_visualCLibraries.Take(architecture == Architecture.Arm64 ? 3 : 4).Where(library => !canLoad(library))];
        bool isOld = missing.Length == 0 && s_codesOfAnOldRuntime.Any(code => failure.Contains(code, StringComparison.OrdinalIgnoreCase));
        if (missing.Length == 0 && !isOld)
            return null;
        string name = architecture == Architecture.Arm64 ? "arm64" : "x64";
        return $"ONNX Runtime needs the Microsoft Visual C++ Redistributable ({name}), {(isOld ? "and the installed version seems too old" : $"which is not installed: {string.Join(", ", missing)} not found")}. "
            + $"Install it from https://aka.ms/vs/17/release/vc_redist.{name}.exe and start again.";
    }
}
