using System.CommandLine;
using System.Text;
using DemucsPS.Cli;

// File names of any script go to stdout as UTF-8; without this Windows consoles replace them.
Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

RootCommand root = new("Separates music into stems (drums, bass, other, vocals) with Demucs v4 ONNX models.")
{
    SeparateCommand.Create(),
    ModelsCommand.Create(),
    VerifyCommand.Create(),
    PlayerCommand.Create(),
};

PlainNames.Keep(root);
ParseResult parsed = root.Parse(args, PlainNames.Parsing);
if (parsed.Errors.Count == 0 && UnknownOption.ErrorOf(parsed, args) is { } error)
{
    Console.Error.WriteLine(error);
    return 1;
}

// After Ctrl+C or SIGTERM the running chunk is stopped and what is done is kept or removed; that must not be cut short.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) }).ConfigureAwait(false);
