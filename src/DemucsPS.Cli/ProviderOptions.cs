using System.CommandLine;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Cli;

/// <summary>The options of commands that run models: on what.</summary>
/// <param name="description">What the provider is for.</param>
internal sealed class ProviderOptions(string description)
{
    private readonly Option<ExecutionProvider> _provider = new("--execution-provider")
    {
        Description = description,
        CustomParser = WordArgument.Of<ExecutionProvider>,
        HelpName = "cpu|cuda|directml|coreml|webgpu|auto|openvino|plugin",
    };
    private readonly Option<string?> _library = new("--provider-library")
    {
        Description = "The plug-in library with the execution provider. Default: one in DEMUCSPS_PROVIDERS.",
        HelpName = "FILE",
    };
    private readonly Option<string[]> _options = new("--provider-option")
    {
        Description =
            "An option of the execution provider. For a plug-in library, device=NAME selects a device from 'demucsps devices'. Repeat for several.",
        HelpName = "KEY=VALUE",
    };

    /// <summary>Puts the options into a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _provider, _library, _options })
            command.Options.Add(option);
    }

    /// <summary>How models run.</summary>
    /// <param name="parsed">What was given.</param>
    /// <param name="threads">Threads of the runtime; 0 for one for each processor.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: an option is not written as one.</exception>
    public OnnxSessionOptions Session(ParseResult parsed, int threads = 0)
    {
        Dictionary<string, string> options = [];
        foreach (string given in parsed.GetValue(_options) ?? [])
        {
            int end = given.IndexOf('=', StringComparison.Ordinal);
            if (end < 1 || !options.TryAdd(given[..end], given[(end + 1)..]))
                throw new DemucsException(
                    DemucsError.ParameterInvalid,
                    $"--provider-option '{given}' {(end < 1 ? "is not an option" : "was given before")}. Write options as device=CPU, each with a different name."
                );
        }
        return new OnnxSessionOptions
        {
            IntraOpThreads = threads,
            ExecutionProvider = parsed.GetValue(_provider),
            ProviderLibrary = parsed.GetValue(_library) is { } library ? Path.GetFullPath(library) : null,
            ExecutionProviderOptions = options,
        };
    }
}
