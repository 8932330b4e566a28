using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Security.Cryptography;
using System.Text.Json;

// What the cmdlets know of models they take from the environment, of which a process has one.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace DemucsPS.Tests;

/// <summary>
/// A session of PowerShell in this process with the module in it, at an empty folder of its own, and with no models but those that a test
/// puts there. Opening one costs more than most tests,
/// so tests one after another have the same; one that leaves something behind opens its own.
/// </summary>
internal sealed class Session : IDisposable
{
    private static readonly Lazy<Runspace> s_shared = new(Open);

    private readonly TemporaryFolder _folder = new();
    private readonly Runspace _runspace;

    /// <param name="own">Whether nobody else had it before.</param>
    public Session(bool own = false)
    {
        Environment.SetEnvironmentVariable("DEMUCSPS_MODELS", this["models"]);
        Environment.SetEnvironmentVariable("DEMUCSPS_CATALOG", null);
        Environment.SetEnvironmentVariable("DEMUCSPS_MODEL", null);
        Host.Reset();
        _runspace = own ? Open() : s_shared.Value;
        Run("Set-Location -LiteralPath $args[0]", _folder.Path).AssertNoErrors();
    }

    /// <summary>The module as it was built beside the tests.</summary>
    public static string Manifest { get; } = Path.Combine(AppContext.BaseDirectory, "DemucsPS.psd1");

    /// <summary>Stem k is k + 1 times the mix; segments of <see cref="Segment"/> frames.</summary>
    public static string Small { get; } = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx");

    public const int Segment = 8192;

    /// <summary>The user of all sessions.</summary>
    public static RecordingHost Host { get; } = new();

    /// <summary>The session's folder.</summary>
    public string Folder => _folder.Path;

    /// <summary>A path in the session's folder.</summary>
    public string this[params string[] parts] => _folder[parts];

    /// <summary>All files below the session's folder, relative, in order, with / between folders.</summary>
    public string[] Files(string below = "") =>
        [.. _folder.Files().Select(f => f.Replace('\\', '/')).Where(f => f.StartsWith(below, StringComparison.Ordinal))];

    /// <summary>The same with what is in them. The provenance has the date in it, and is left out.</summary>
    public string[] Contents(string below) =>
        [
            .. Files($"{below}/")
                .Where(f => !f.EndsWith("demucsps.json", StringComparison.Ordinal))
                .Select(f => $"{f[below.Length..]} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(this[f])))}"),
        ];

    /// <summary>Writes a file of noise into the folder, 16 bits, stereo.</summary>
    /// <returns>Its full path.</returns>
    public string AddNoise(string name, int frames, int seed = 1)
    {
        byte[] samples = new byte[4 * frames];
        new Random(seed).NextBytes(samples);
        return AddWav(name, samples);
    }

    /// <summary>Writes 16-bit samples of two channels as a file.</summary>
    /// <returns>Its full path.</returns>
    public string AddWav(string name, ReadOnlySpan<byte> samples)
    {
        string path = this[name];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using BinaryWriter file = new(File.Create(path));
        file.Write("RIFF"u8);
        file.Write(36 + samples.Length);
        file.Write("WAVEfmt "u8);
        file.Write(16);
        file.Write((short)1);
        file.Write((short)2);
        file.Write(44100);
        file.Write(4 * 44100);
        file.Write((short)4);
        file.Write((short)16);
        file.Write("data"u8);
        file.Write(samples.Length);
        file.Write(samples);
        return path;
    }

    /// <summary>
    /// Makes a catalog with the models <c>tiny</c> and <c>other</c>, which are <see cref="Small"/> with a license notice, and their bag
    /// <c>pair</c>.
    /// </summary>
    /// <param name="address">Where they are said to be.</param>
    public void AddCatalog(string address = "https://models.invalid/small.onnx")
    {
        byte[] model = File.ReadAllBytes(Small);
        string[] stems = ["drums", "bass", "other", "vocals"];
        object Member(string name) =>
            new
            {
                name,
                stems,
                segment = Segment,
                license = "Only for tests.",
                files = new[]
                {
                    new
                    {
                        name = $"{name}.onnx",
                        url = address,
                        size = model.Length,
                        sha256 = Convert.ToHexString(SHA256.HashData(model)),
                    },
                },
            };
        object pair = new
        {
            name = "pair",
            stems,
            segment = Segment,
            bag = new[] { new { model = "tiny", weights = new[] { 1, 1, 1, 0 } }, new { model = "other", weights = new[] { 0, 0, 0, 1 } } },
        };
        File.WriteAllText(
            this["catalog.json"],
            JsonSerializer.Serialize(new { version = 1, models = new[] { Member("tiny"), Member("other"), pair } })
        );
        Environment.SetEnvironmentVariable("DEMUCSPS_CATALOG", this["catalog.json"]);
    }

    /// <summary>
    /// Runs a script to its end. An error that ends a command ends the script, as it does where a user has asked for that.
    /// </summary>
    /// <param name="script">What a user would type.</param>
    /// <param name="arguments">Its <c>$args</c>.</param>
    public ScriptRun Run(string script, params object[] arguments)
    {
        using PowerShell shell = Shell(script, arguments);
        return ScriptRun.Of(shell);
    }

    /// <summary>A script that is yet to be run.</summary>
    public PowerShell Shell(string script, params object[] arguments)
    {
        PowerShell shell = PowerShell.Create(_runspace).AddScript($"try {{\n{script}\n}} catch {{ throw }}", useLocalScope: true);
        foreach (object argument in arguments)
            shell.AddArgument(argument);
        return shell;
    }

    /// <summary>What the Tab key offers at the end of a line.</summary>
    public IReadOnlyList<CompletionResult> Complete(string line)
    {
        using PowerShell shell = PowerShell.Create(_runspace);
        return CommandCompletion.CompleteInput(line, line.Length, new Hashtable(), shell).CompletionMatches;
    }

    public void Dispose()
    {
        if (_runspace != s_shared.Value)
            _runspace.Dispose();
        else
            // Windows lets nobody delete the folder that a session is in; and a script may have been stopped in it.
            Run("Set-Location -LiteralPath $args[0]", AppContext.BaseDirectory);
        _folder.Dispose();
    }

    private static Runspace Open()
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        state.ImportPSModule(Manifest);
        state.Commands.Add(new SessionStateCmdletEntry("Watch-Stop", typeof(WatchStopCommand), null));
        Runspace runspace = RunspaceFactory.CreateRunspace(Host, state);
        runspace.Open();
        return runspace;
    }
}
