using System.Runtime.InteropServices;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Tests.Inference;

public sealed class LibraryLoadFailureTests
{
    private const string Beside = @"C:\DemucsPS\win-x64\onnxruntime.dll",
        Flat = @"C:\DemucsPS\onnxruntime.dll";

    private const string MissingDependency =
        $"Unable to load DLL '{Beside}' or one of its dependencies: The specified module could not be found. (0x8007007E)";

    [Theory]
    [InlineData(Architecture.X64, "x64", "vcruntime140.dll, msvcp140_1.dll, vcruntime140_1.dll")]
    [InlineData(Architecture.Arm64, "arm64", "vcruntime140.dll, msvcp140_1.dll")]
    public void Without_the_Visual_C_runtime_it_is_named_with_its_address(Architecture architecture, string name, string missing)
    {
        string message = LibraryLoadFailure.Describe(
            [(Beside, MissingDependency), (Flat, null)],
            onWindows: true,
            onMac: false,
            architecture,
            library => library == "msvcp140.dll"
        );
        Assert.Contains($"{Beside}: {MissingDependency}", message, StringComparison.Ordinal);
        Assert.Contains($"{Flat}: no such file", message, StringComparison.Ordinal);
        Assert.EndsWith(
            $"ONNX Runtime needs the Microsoft Visual C++ Redistributable ({name}), which is not installed: {missing} not found. "
                + $"Install it from https://aka.ms/vs/17/release/vc_redist.{name}.exe and start again.",
            message,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("Build DemucsPS again", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0x8007007F")]
    [InlineData("0x8007045A")]
    public void A_Visual_C_runtime_that_is_too_old_is_named_too(string code)
    {
        string message = LibraryLoadFailure.Describe(
            [(Beside, $"Unable to load DLL '{Beside}': said by Windows. ({code})")],
            onWindows: true,
            onMac: false,
            Architecture.X64,
            _ => true
        );
        Assert.Contains("the installed version seems too old", message, StringComparison.Ordinal);
        Assert.Contains("vc_redist.x64.exe", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_runtime_is_not_the_reason_it_is_not_named()
    {
        // No file at all; a file that is no library; another system.
        foreach (
            string message in (string[])
                [
                    LibraryLoadFailure.Describe([(Beside, null), (Flat, null)], onWindows: true, onMac: false, Architecture.X64, _ =>
                        false
                    ),
                    LibraryLoadFailure.Describe(
                        [(Beside, "An attempt was made to load a program with an incorrect format. (0x8007000B)")],
                        onWindows: true,
                        onMac: false,
                        Architecture.X64,
                        _ => true
                    ),
                    LibraryLoadFailure.Describe(
                        [("/opt/libonnxruntime.so", "libstdc++.so.6: cannot open shared object file")],
                        onWindows: false,
                        onMac: false,
                        Architecture.X64,
                        _ => false
                    ),
                ]
        )
        {
            Assert.DoesNotContain("Visual C++", message, StringComparison.Ordinal);
            Assert.Contains("Build DemucsPS again", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void On_a_Mac_with_an_Intel_processor_building_again_is_not_advised()
    {
        string intel = LibraryLoadFailure.Describe(
            [("/opt/osx-x64/libonnxruntime.dylib", null)],
            onWindows: false,
            onMac: true,
            Architecture.X64,
            _ => false
        );
        Assert.DoesNotContain("Build DemucsPS again", intel, StringComparison.Ordinal);
        Assert.Contains("no longer include a library for Macs with Intel processors", intel, StringComparison.Ordinal);
        Assert.Contains(
            "set $DEMUCSPS_ONNXRUNTIME to the full path of an ONNX Runtime library, version 1.31 or newer",
            intel,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "Build DemucsPS again",
            LibraryLoadFailure.Describe(
                [("/opt/osx-arm64/libonnxruntime.dylib", null)],
                onWindows: false,
                onMac: true,
                Architecture.Arm64,
                _ => false
            ),
            StringComparison.Ordinal
        );
    }
}
