using System.CommandLine;
using System.Text;
using DemucsPS.Cli;
using DemucsPS.Cli.Commands;
using DemucsPS.Cli.Completion;
using DemucsPS.Cli.Slurm;

// File names of any script go to stdout as UTF-8; without this Windows consoles replace them.
Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

using Interruption interruption = new();
RootCommand root = new("Separate music into stems (drums, bass, other, vocals) with Demucs v4 ONNX models.")
{
    SeparateCommand.Create(interruption),
    ModelsCommand.Create(),
    VerifyCommand.Create(),
    PlayerCommand.Create(),
    SpectrogramCommand.Create(),
    MeasureCommand.Create(),
    CompareCommand.Create(interruption),
    DevicesCommand.Create(),
    ProvidersCommand.Create(),
    SlurmGroup.Create(interruption, args),
    CompletionCommand.Create(),
};

PlainNames.Keep(root);
if (CompletionCommand.Answer(root, args))
    return ExitCodes.Succeeded;
ParseResult parsed = root.Parse(args, PlainNames.Parsing);
if (parsed.Errors.Count == 0 && UnknownOption.ErrorOf(parsed, args) is { } error)
{
    Console.Error.WriteLine(error);
    return ExitCodes.Usage;
}

if (parsed.CommandResult.Command == root && args is [var first, ..] && Path.Exists(first))
{
    Console.Error.WriteLine($"'{first}' is not a command. To separate it: demucsps separate {first}");
    return ExitCodes.Usage;
}

// Signals are taken here, not by the parser's library, which knows fewer.
Task<int> run = parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, interruption.Token);
int exitCode = await interruption.End(run).ConfigureAwait(false);
return parsed.Errors.Count > 0 ? ExitCodes.Usage : exitCode;
