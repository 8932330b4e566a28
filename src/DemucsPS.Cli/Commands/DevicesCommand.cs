using System.CommandLine;
using System.Globalization;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Cli.Commands;

/// <summary><c>demucsps devices</c>: what there is to run models on, and why it can or cannot be used.</summary>
internal static class DevicesCommand
{
    public static Command Create()
    {
        Option<string[]> libraries = new("--provider-library")
        {
            Description = "A plug-in library to list in addition to those in DEMUCSPS_PROVIDERS. Repeat for several.",
            HelpName = "FILE",
        };
        Option<bool> json = new("--json") { Description = "Write one JSON object per device to stdout." };
        Command command = new("devices", "List execution providers and their devices, and why some cannot be used.") { libraries, json };
        command.SetAction(
            (parsed, _) =>
                Task.Run(
                    () => Run([.. (parsed.GetValue(libraries) ?? []).Select(Path.GetFullPath)], parsed.GetValue(json)),
                    CancellationToken.None
                )
        );
        return command;
    }

    private static int Run(string[] libraries, bool json)
    {
        try
        {
            foreach (ExecutionDevice device in ExecutionDevices.List(libraries, Advice.Of))
                Console.Out.WriteLine(json ? ConsoleJson.Of(device) : Line(device));
            return ExitCodes.Succeeded;
        }
        catch (DemucsException e)
        {
            Console.Error.WriteLine(Advice.LineOf(e));
            return ExitCodes.Failed;
        }
    }

    private static string Line(ExecutionDevice device)
    {
        string memory = device.Memory is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:F1} GB") : "";
        string[] facts =
        [
            device.Device ?? "",
            device.Description ?? device.Vendor ?? "",
            memory,
            device.Provider is { } provider ? $"{provider} {device.Version}".TrimEnd() : "",
        ];
        return $"{device.ExecutionProvider.ToString().ToLowerInvariant(),-9} {(device.Usable ? "usable" : "no"),-7} {(device.Usable ? string.Join(", ", facts.Where(fact => fact.Length > 0)) : device.Reason)}";
    }
}
