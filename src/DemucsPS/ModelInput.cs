using System.Collections;
using System.Globalization;
using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;

namespace DemucsPS;

/// <summary>Makes of the parameters of cmdlets that run models, what the engine takes.</summary>
internal static class ModelInput
{
    /// <summary>How models run.</summary>
    /// <param name="cmdlet">The cmdlet, whose location counts.</param>
    /// <param name="threads">Threads of the runtime; 0 for one for each processor.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProviderLibraryInvalid"/>: the library is not in the file
    /// system.</exception>
    public static OnnxSessionOptions Session<T>(this T cmdlet, int threads = 0)
        where T : PSCmdlet, IModelInput =>
        new()
        {
            IntraOpThreads = threads,
            ExecutionProvider = cmdlet.ExecutionProvider,
            ProviderLibrary = cmdlet.ProviderLibrary is { } library
                ? cmdlet.ResolveLiteral(library, DemucsError.ProviderLibraryInvalid)
                : null,
            ExecutionProviderOptions = (cmdlet.ProviderOption ?? [])
                .Cast<DictionaryEntry>()
                .ToDictionary(option => Text(option.Key), option => Text(option.Value)),
            SkipProviderCheck = cmdlet is IModelBagInput { SkipProviderCheck.IsPresent: true },
        };

    /// <summary>The models of a separation.</summary>
    /// <param name="cmdlet">The cmdlet, whose location counts.</param>
    /// <exception cref="DemucsException">As <see cref="ModelLibrary.Select"/>.</exception>
    public static ModelSelection Models<T>(this T cmdlet)
        where T : PSCmdlet, IModelBagInput =>
        cmdlet.SelectModels(cmdlet.Model, cmdlet.Weight) with
        {
            StemNames = cmdlet.StemName,
            Precision = cmdlet.Precision,
        };

    private static string Text(object? value) => (string)LanguagePrimitives.ConvertTo(value, typeof(string), CultureInfo.InvariantCulture);
}
