using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace DemucsPS.Engine.Clusters;

/// <summary>Slurm's own commands, run with arguments that no shell reads.</summary>
internal sealed class SlurmCommand
{
    // Slurm's commands try for about a minute themselves where the controller does not answer.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    /// <summary>Full path of the folder that the commands are in; null for those on the path.</summary>
    public string? Folder { get; init; }

    /// <summary>Variables that are set for the commands.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>Runs a command to its end.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="input">What it reads; null for nothing.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.SchedulerNotFound"/>: there is no such command.
    /// <see cref="DemucsError.SchedulerRefused"/>: it does not end.</exception>
    public (int ExitCode, string Output, string Error) Run(string program, IEnumerable<string> arguments, string? input = null)
    {
        ProcessStartInfo start = new(Folder is null ? program : Path.Combine(Folder, program), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach ((string name, string value) in Variables)
            start.Environment[name] = value;
        // Times as their parsers know them, messages as they are searched for.
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["SLURM_TIME_FORMAT"] = "standard";
        using Process process = Start(start, program);
        Task<string> output = process.StandardOutput.ReadToEndAsync(),
            error = process.StandardError.ReadToEndAsync();
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended without reading; its error says why.
        }
        if (!process.WaitForExit(s_patience))
        {
            process.Kill(entireProcessTree: true);
            throw new DemucsException(
                DemucsError.SchedulerRefused,
                $"'{program}' did not answer within {(int)s_patience.TotalMinutes} minutes. Check with 'scontrol ping' that the controller is up, and try again."
            );
        }
        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    /// <summary>Runs a command that must not fail.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.SchedulerNotFound"/>;
    /// <see cref="DemucsError.SchedulerRefused"/>.</exception>
    public string Demand(string program, IEnumerable<string> arguments, string? input = null)
    {
        (int exitCode, string output, string error) = Run(program, arguments, input);
        return exitCode == 0 ? output : throw Refused(program, error);
    }

    /// <summary>The error for a command that failed.</summary>
    public static DemucsException Refused(string program, string error) =>
        new(
            DemucsError.SchedulerRefused,
            $"Slurm's '{program}' failed: {string.Join(' ', error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).TrimEnd('.')}. Change the request, or ask the cluster's administrators."
        );

    private static Process Start(ProcessStartInfo start, string program)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new DemucsException(
                DemucsError.SchedulerNotFound,
                $"Slurm's command '{program}' cannot be started: {e.Message.TrimEnd('.')}. Run this where Slurm's commands are installed, such as on a login node.",
                null,
                e
            )
            {
                Remedies = [Remedy.PrepareOnly],
            };
        }
    }
}
