using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// Where DemucsPS.OnnxRuntime, DemucsPS.MediaFoundation and DemucsPS.Pictures live in a host of modules, which does not bring them itself:
/// with the packages Microsoft.ML.OnnxRuntime, NAudio.Wasapi and ScottPlot of this module's folder,
/// and out of sight of other modules, which may bring other versions of those. Only what speaks to them is in there; all types of the
/// engine stay where the host finds them by name.
/// </summary>
internal sealed class RuntimeContext : AssemblyLoadContext
{
    private static readonly Lock s_gate = new();
    private static RuntimeContext? s_context;

    private RuntimeContext()
        : base("DemucsPS.OnnxRuntime") { }

    /// <summary>The folder of the engine, in which all lies that it brings.</summary>
    public static string Home { get; } =
        Path.GetDirectoryName(typeof(RuntimeContext).Assembly.Location) is { Length: > 0 } folder ? folder : AppContext.BaseDirectory;

    /// <summary>
    /// Where the host that started the process looks for native libraries: in a program that takes the engine as a package, those of the
    /// packages that it depends on. In a host of modules they are the host's own.
    /// </summary>
    public static IEnumerable<string> HostFolders =>
        (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(
            Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries
        );

    /// <summary>Runs before anything else of the engine, hence before the first use of any of them.</summary>
    [ModuleInitializer]
    [SuppressMessage(
        "Usage",
        "CA2255:The 'ModuleInitializer' attribute should not be used in libraries",
        Justification = "There is no other place that all users of the engine pass before its first type is used."
    )]
    internal static void Install() =>
        (GetLoadContext(typeof(RuntimeContext).Assembly) ?? Default).Resolving += static (_, name) =>
            name.Name is "DemucsPS.OnnxRuntime" or "DemucsPS.MediaFoundation" or "DemucsPS.Pictures" ? Resolve(name) : null;

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName) =>
        // Everything else is the framework's, which is the same for all.
        assemblyName.Name
            is "Microsoft.ML.OnnxRuntime"
                or "System.Numerics.Tensors"
                or "NAudio.Wasapi"
                or "NAudio.Core"
                or "ScottPlot"
                or "SkiaSharp"
                or "SkiaSharp.HarfBuzz"
                or "HarfBuzzSharp"
            ? LoadFromAssemblyPath(Path.Combine(Home, $"{assemblyName.Name}.dll"))
            : null;

    private static Assembly Resolve(AssemblyName name)
    {
        lock (s_gate)
            return (s_context ??= new RuntimeContext()).LoadFromAssemblyPath(Path.Combine(Home, $"{name.Name}.dll"));
    }
}
