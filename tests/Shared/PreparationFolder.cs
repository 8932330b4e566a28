using System.Runtime.CompilerServices;

namespace DemucsPS.Tests.Shared;

/// <summary>
/// A cache of prepared copies for this run of the tests and the programs that they start, unless one is named, and a folder without
/// execution providers: what a user has must neither matter nor change.
/// </summary>
internal static class PreparationFolder
{
    private const string Variable = "DEMUCSPS_CACHE";

#pragma warning disable CA2255 // A test assembly is no library: nobody else loads it.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Set()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable)))
            Environment.SetEnvironmentVariable(Variable, TemporaryFolder.OfProcess().Path);
        Environment.SetEnvironmentVariable("DEMUCSPS_PROVIDERS", TemporaryFolder.OfProcess().Path);
    }
}
