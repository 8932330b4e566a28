using System.Runtime.InteropServices;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Tests.Inference;

public sealed class LibraryLoadFailureTests
{
    private const string Beside = @"C:\DemucsPS\runtimes\win-x64\native\onnxruntime.dll", Flat = @"C:\DemucsPS\onnxruntime.dll";

    private const string MissingDependency = $"Unable to load DLL '{Beside}' or one of its dependencies: The specified module could not be found. (0x8007007E)";

    [Theory]
    [InlineData(Architecture.X64, "x64", "vcruntime140.dll, msvcp140_1.dll, vcruntime140_1.dll")]
    [InlineData(Architecture.Arm64, "arm64", "vcruntime140.dll, msvcp140_1.dll")]
    public void Without_the_Visual_C_runtime_it_is_named_with_its_address(Architecture architecture, string name, string missing)
    {
        string message = LibraryLoadFailure.Describe([(Beside, MissingDependency), (Flat, null)], onWindows: true, architecture, library => library == "msvcp140.dll");
        Assert.Contains($"{Beside}: {MissingDependency}", message, StringComparison.Ordinal);
        Assert.Contains($"{Flat}: no such file", message, StringComparison.Ordinal);
        Assert.EndsWith($"ONNX Runtime needs the Microsoft Visual C++ Redistributable ({name}), which is not installed: there is no {missing}. "
            + $"Install it from https://aka.ms/vs/17/release/vc_redist.{name}.exe and start again.", message, StringComparison.Ordinal);
        Assert.DoesNotContain("Build DemucsPS again", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0x8007007F")]
    [InlineData("0x8007045A")]
    public void A_Visual_C_runtime_that_is_too_old_is_named_too(string code)
    {
        string message = LibraryLoadFailure.Describe([(Beside, $"Unable to load DLL '{Beside}': said by Windows. ({code})")], onWindows: true, Architecture.X64, _ => true);
        Assert.Contains("what is installed seems too old", message, StringComparison.Ordinal);
        Assert.Contains("vc_redist.x64.exe", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_runtime_is_not_the_reason_it_is_not_named()
    {
        // No file at all; a file that is no library; another system.
        foreach (string message in (string[])[
            LibraryLoadFailure.Describe([(Beside, null), (Flat, null)], onWindows: true, Architecture.X64, _ => false),
            LibraryLoadFailure.Describe([(Beside, "An attempt was made to load a program with an incorrect format. (0x8007000B)")], onWindows: true, Architecture.X64, _ => true),
            LibraryLoadFailure.Describe([("/opt/libonnxruntime.so.1", "libstdc++.so.6: cannot open shared object file")], onWindows: false, Architecture.X64, _ => false)])
        {
            Assert.DoesNotContain("Visual C++", message, StringComparison.Ordinal);
            Assert.Contains("Build DemucsPS again with Node.js present", message, StringComparison.Ordinal);
        }
    }
}
