using DemucsPS.Engine.Files;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;

namespace DemucsPS.Engine.Records;

/// <summary>All that a separation's result depends on: two of equal identity give equal files.</summary>
/// <param name="Version">Of this library.</param>
/// <param name="Runtime">Version, provider and threads of ONNX Runtime: with any other the last bit may differ.</param>
/// <param name="Source">The track.</param>
/// <param name="Models">The models of the bag.</param>
/// <param name="Parameters">By name, as text; see <see cref="ValueOf"/> for those that older records lack.</param>
internal sealed record SeparationIdentity(
    string Version,
    string Runtime,
    SourceIdentity Source,
    IReadOnlyList<ModelIdentity> Models,
    IReadOnlyDictionary<string, string> Parameters
)
{
    /// <summary>Names of parameters that older records lack.</summary>
    public const string Precision = "precision",
        Silence = "silence in front";

    private const string Continued = "; continued by ";

    private string LastRuntime => Runtime.Split(Continued)[^1];

    /// <summary>This library's version, such as 0.1.0.</summary>
    public static string CurrentVersion { get; } = typeof(SeparationIdentity).Assembly.GetName().Version!.ToString(3);

    /// <summary>A parameter of a record. Records that were written before there was a choice say nothing of it.</summary>
    public static string ValueOf(IReadOnlyDictionary<string, string> parameters, string name) =>
        parameters.GetValueOrDefault(
            name,
            name switch
            {
                Precision => nameof(ModelPrecision.Full),
                Silence => "0",
                _ => "not set",
            }
        );

    /// <summary>
    /// The runtime of this separation where it continues as now; null if it cannot. It continues with the same, and one that an accelerator
    /// has started on the processor of the same version, since the accelerator may be gone: then both are named.
    /// </summary>
    public string? ContinuedBy(SeparationIdentity now)
    {
        string last = LastRuntime;
        if (last == now.Runtime)
            return Runtime;
        string[] then = last.Split(", "),
            current = now.Runtime.Split(", ");
        return
            then.Length > 2
            && current.Length > 2
            && then[0] == current[0]
            && then[1] != nameof(ExecutionProvider.Cpu)
            && current[1] == nameof(ExecutionProvider.Cpu)
            ? Runtime + Continued + now.Runtime
            : null;
    }

    /// <summary>The differences as text: <c>overlap changed from 0.25 to 0.05</c>. Empty for the same separation.</summary>
    /// <param name="now">What is requested now.</param>
    /// <param name="anyVersion">Whether another version of this library, of the runtime or of prepared copies does not count.</param>
    public IReadOnlyList<string> DifferencesTo(SeparationIdentity now, bool anyVersion = false)
    {
        List<string> found = [];
        if (!anyVersion)
        {
            Compare("version", Version, now.Version);
            if (ContinuedBy(now) is null)
                Compare("runtime", Runtime, now.Runtime);
        }
        if (Source.Sha256 != now.Source.Sha256)
            found.Add(
                Source.Bytes == now.Source.Bytes
                    ? $"the source changed ({Hashes(Source.Sha256, now.Source.Sha256)})"
                    : $"the source changed from {Source.Bytes} to {now.Source.Bytes} bytes"
            );
        Compare("models", string.Join('+', Models.Select(m => m.Name)), string.Join('+', now.Models.Select(m => m.Name)));
        foreach ((ModelIdentity then, ModelIdentity current) in Models.Zip(now.Models))
        {
            if (then.Name != current.Name)
                continue;
            Compare($"model {then.Name}", then.Prepared ? "prepared" : "not prepared", current.Prepared ? "prepared" : "not prepared");
            if (then.Files.Count != current.Files.Count)
                Compare(
                    $"files of model {then.Name}",
                    string.Join(", ", then.Files.Select(f => f.Name)),
                    string.Join(", ", current.Files.Select(f => f.Name))
                );
            else if (Counted(then, current).FirstOrDefault(pair => !pair.Then.IsSame(pair.Now)) is ({ } file, { } other))
                found.Add($"'{other.Name}' of model {then.Name} changed ({Hashes(file.Sha256, other.Sha256)})");
        }
        foreach (string name in Parameters.Keys.Union(now.Parameters.Keys).Order(StringComparer.Ordinal))
            Compare(name, ValueOf(Parameters, name), ValueOf(now.Parameters, name));
        return found;

        // A prepared copy is made of the model by this version for what runs it, so where these do not count, it does not either.
        IEnumerable<(FileIdentity Then, FileIdentity Now)> Counted(ModelIdentity then, ModelIdentity current) =>
            then
                .Files.Zip(current.Files)
                .Where((_, i) => !(then.Prepared && current.Prepared && i == 1 && (anyVersion || LastRuntime != now.Runtime)));

        // Enough of them to find the files by.
        static string Hashes(string then, string current) => $"SHA-256 from {Short(then)} to {Short(current)}";

        static string Shown(string value) => value.Length == 0 ? "none" : value;

        static string Short(string hash) => hash.Length > 12 ? hash[..12] + "…" : hash;

        void Compare(string what, string then, string current)
        {
            if (then != current)
                found.Add($"{what} changed from {Shown(then)} to {Shown(current)}");
        }
    }
}
