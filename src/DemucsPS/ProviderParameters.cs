using System.Collections;
using System.Globalization;
using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;

namespace DemucsPS;

/// <summary>Makes of the parameters of cmdlets that run models, what the engine takes.</summary>
internal static class ProviderParameters
{
    /// <summary>How models run.</summary>
    /// <param name="cmdlet">The cmdlet, whose location counts.</param>
    /// <param name="provider">What runs them.</param>
    /// <param name="library">Path of its plug-in library; null for none.</param>
    /// <param name="options">Its options; null for none.</param>
    /// <param name="threads">Threads of the runtime; 0 for one for each processor.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProviderLibraryInvalid"/>: the library is not in the file system.</exception>
    public static OnnxSessionOptions Session(this PSCmdlet cmdlet, ExecutionProvider provider, string? library, Hashtable? options, int threads = 0) => new()
    {
        IntraOpThreads = threads,
        ExecutionProvider = provider,
        ProviderLibrary = library is null ? null : cmdlet.ResolveLiteral(library, DemucsError.ProviderLibraryInvalid),
        ExecutionProviderOptions = (options ?? []).Cast<DictionaryEntry>().ToDictionary(option => Text(option.Key), option => Text(option.Value)),
    };

    private static string Text(object? value) => (string)LanguagePrimitives.ConvertTo(value, typeof(string), CultureInfo.InvariantCulture);
}
