using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace DemucsPS.OnnxRuntime;

/// <summary>
/// A file with a model's weights that is in memory already, for as long as the model is loaded: the runtime copies what it goes on using.
/// </summary>
/// <param name="Name">The file's name, as the model says it.</param>
/// <param name="Address">Where its bytes begin.</param>
/// <param name="Length">How many they are.</param>
internal sealed record WeightsInMemory(string Name, nint Address, long Length)
{
    /// <summary>
    /// Has a session that is made of some options take its weights from here: all that lie in other files, so there may be no further ones.
    /// </summary>
    /// <exception cref="RuntimeException">The runtime refuses it.</exception>
    public unsafe void GiveTo(SessionOptions options)
    {
        // The package has no method for it.
        delegate* unmanaged[Cdecl]<nint, nint*, nint*, nuint*, nuint, nint> add = (delegate* unmanaged[Cdecl]<
            nint,
            nint*,
            nint*,
            nuint*,
            nuint,
            nint>)
            NativeRuntime.Api.AddExternalInitializersFromFilesInMemory;
        nint name = OperatingSystem.IsWindows() ? Marshal.StringToCoTaskMemUni(Name) : Marshal.StringToCoTaskMemUTF8(Name),
            address = Address;
        nuint length = (nuint)Length;
        try
        {
            NativeRuntime.Check(add(options.DangerousGetHandle(), &name, &address, &length, 1));
        }
        finally
        {
            Marshal.FreeCoTaskMem(name);
        }
    }
}
