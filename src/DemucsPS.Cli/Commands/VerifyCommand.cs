using System.CommandLine;
using DemucsPS.Engine;
using DemucsPS.Engine.Records;

namespace DemucsPS.Cli.Commands;

/// <summary><c>demucsps verify</c>: folders of stems in, and the state of each stem out.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        Argument<string[]> paths = new("path")
        {
            Description = "Folders of stems, or their demucsps.json files.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<bool> json = new("--json") { Description = "Write one JSON object per folder to stdout instead of one line per stem." };
        Command command = new("verify", "Check that stems are unchanged since they were written.") { paths, json };
        command.SetAction(
            (parsed, cancellationToken) =>
                Task.Run(() => Run(parsed.GetRequiredValue(paths), parsed.GetValue(json), cancellationToken), CancellationToken.None)
        );
        return command;
    }

    private static int Run(string[] paths, bool json, CancellationToken cancellationToken)
    {
        SeparationReport report = new(json, verbose: false);
        int exitCode = ExitCodes.Succeeded;
        foreach (string path in paths.Select(Path.GetFullPath))
        {
            try
            {
                foreach (string provenance in SeparationVerification.Find(path))
                {
                    if (!Verify(provenance, report, cancellationToken))
                        exitCode = ExitCodes.Failed;
                }
            }
            catch (DemucsException e)
            {
                report.Failure(path, e);
                exitCode = ExitCodes.Failed;
            }
            catch (OperationCanceledException)
            {
                report.Canceled($"'{path}' was not fully read.");
                return ExitCodes.Canceled;
            }
        }
        return exitCode;
    }

    private static bool Verify(string provenance, SeparationReport report, CancellationToken cancellationToken)
    {
        try
        {
            SeparationVerification verification = SeparationVerification.Verify(provenance, cancellationToken);
            report.Verified(verification);
            return verification.IsIntact;
        }
        catch (DemucsException e)
        {
            report.Failure(provenance, e);
            return false;
        }
    }
}
