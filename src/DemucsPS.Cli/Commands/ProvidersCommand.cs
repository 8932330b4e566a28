using System.CommandLine;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Cli.Commands;

/// <summary><c>demucsps providers</c>: installs and removes plug-in libraries of execution providers.</summary>
internal static class ProvidersCommand
{
    public static Command Create()
    {
        Argument<ExecutionProvider> provider = new("provider")
        {
            Description = "The execution provider: openvino, cuda or webgpu.",
            CustomParser = WordArgument.Of<ExecutionProvider>,
        };
        Option<string> source = new("--source")
        {
            Description = "The vendor's package: a wheel, NuGet package or zip archive.",
            HelpName = "FILE",
            Required = true,
        };
        Option<bool> force = new("--force", "-f") { Description = "Replace an installed one." };
        Command install = new("install", "Install an execution provider from its vendor's package.") { provider, source, force };
        Command remove = new("remove", "Remove an installed execution provider.") { provider };
        install.SetAction(
            (parsed, cancellationToken) =>
                Task.Run(
                    () =>
                        Run(() =>
                        {
                            string library = ProviderInstaller.Install(
                                parsed.GetValue(provider),
                                Path.GetFullPath(parsed.GetRequiredValue(source)),
                                parsed.GetValue(force),
                                warning => Console.Error.WriteLine($"warning: {warning}"),
                                cancellationToken
                            );
                            Console.Out.WriteLine(library);
                        }),
                    CancellationToken.None
                )
        );
        remove.SetAction(
            (parsed, _) =>
                Task.Run(
                    () =>
                        Run(() =>
                        {
                            ProviderInstaller.Remove(parsed.GetValue(provider));
                            Console.Out.WriteLine($"{ProviderInstaller.FolderOf(parsed.GetValue(provider))} removed");
                        }),
                    CancellationToken.None
                )
        );
        return new Command("providers", "Install and remove execution providers that are plug-in libraries. 'demucsps devices' lists them.")
        {
            install,
            remove,
        };
    }

    private static int Run(Action work)
    {
        try
        {
            work();
            return ExitCodes.Succeeded;
        }
        catch (DemucsException e)
        {
            Console.Error.WriteLine(Advice.LineOf(e));
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("canceled: nothing was installed.");
            return ExitCodes.Canceled;
        }
    }
}
