using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using DemucsPS.Engine.Batch;

namespace DemucsPS.Engine.Clusters;

/// <summary>
/// Works on a task of a job: starts the console program for those of its tracks that are not done. Where that program is ended by a track,
/// it is started again; the track that did it is known by what its file of results says, and is given up after some times.
/// </summary>
/// <param name="job">The job.</param>
/// <param name="tell">Receives messages for the log.</param>
public sealed partial class ClusterWorker(ClusterJob job, Action<string> tell)
{
    private const int Terminate = 15,
        MostCrashes = 300;

    // Of what a program says against its arguments.
    private const int MostSaid = 5;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    // Exit codes above it are those of programs that a signal ended.
    private const int Signaled = 128;

    // What tasks are told otherwise.
    private static readonly string[] s_own = ["--shard", "--durations", "--time-limit", "--results", "--files-from", "--null", "-0"];

    private readonly Lock _lock = new();
    private Process? _child;
    private volatile bool _stopping,
        _isTimeOver,
        _isTerminated;

    /// <summary>Whether it was ended by something else than its time.</summary>
    public bool IsCanceled => _isTerminated || (_stopping && !_isTimeOver);

    /// <summary>Time before the end of a task's limit at which it is asked to stop and keep its work.</summary>
    internal static TimeSpan Notice(TimeSpan limit) => limit / 4 < TimeSpan.FromSeconds(90) ? limit / 4 : TimeSpan.FromSeconds(90);

    /// <summary>Refuses arguments that tasks give themselves: in each of them they would be an error.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    internal static void Check(ClusterSettings settings)
    {
        if (settings.Arguments.FirstOrDefault(argument => s_own.Contains(argument.Split('=', ':')[0])) is { } own)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{own}' cannot be an option of a job's tasks: the job distributes the tracks itself. Leave the option out."
            );
    }

    /// <summary>
    /// Has the program itself say whether it would take the arguments: what is wrong with them, or with the program, is said once and not
    /// by every task.
    /// </summary>
    /// <param name="settings">The program and its arguments.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: it refuses them, in its own words.
    /// <see cref="DemucsError.ClusterJobInvalid"/>: it cannot be started here.</exception>
    public static void Try(ClusterSettings settings)
    {
        Check(settings);
        ProcessStartInfo start = new(settings.Program[0], [.. settings.Program.Skip(1), "slurm", "check", "--", .. settings.Arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = Encoding.UTF8,
        };
        using Process process = Started(start);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(),
            error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_patience))
        {
            process.Kill(entireProcessTree: true);
            throw new DemucsException(
                DemucsError.ClusterJobInvalid,
                FormattableString.Invariant(
                    $"The job's program '{start.FileName}' did not check its options within {s_patience.TotalMinutes} minutes. Make sure that it is demucsps."
                ),
                start.FileName
            );
        }
        _ = output.GetAwaiter().GetResult();
        if (process.ExitCode != BatchExitCodes.Succeeded)
        {
            string[] said = error
                .GetAwaiter()
                .GetResult()
                .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{start.FileName}' rejects the options '{string.Join(' ', settings.Arguments)}': {(said.Length == 0 ? FormattableString.Invariant($"it ended with exit code {process.ExitCode}.") : string.Join(' ', said.Take(MostSaid)))}"
            );
        }
    }

    /// <summary>Works on a task.</summary>
    /// <param name="submission">The submission.</param>
    /// <param name="task">Number of the task in it, from 0.</param>
    /// <param name="run">Which run of the task: no other has the same; letters, digits and dots.</param>
    /// <param name="node">Where it runs.</param>
    /// <param name="isLimited">Whether the task's time is limited.</param>
    /// <param name="cancellationToken">Ends it; what is done is kept.</param>
    /// <returns>One of <see cref="BatchExitCodes"/>, or what the program ended with where it would not run.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>: the folder, or the program in it, cannot be
    /// used.</exception>
    public int Run(ClusterSubmission submission, int task, string run, string node, bool isLimited, CancellationToken cancellationToken)
    {
        if (task < 0 || task >= submission.Tasks)
            throw ClusterRecords.Invalid(job.Folder, FormattableString.Invariant($"Submission {submission.Number} has no task {task}."));
        long started = Stopwatch.GetTimestamp();
        string results = job.ResultsPath(
            submission.Number,
            task,
            run,
            string.Concat(node.Where(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        );
        // The token is canceled by any signal that asks the program to end; which one it was makes the difference between another turn and
        // none.
        using PosixSignalRegistration? notice = Take(UserSignal, () => _isTimeOver = true),
            termination = Take(Terminate, () => _isTerminated = true);
        using CancellationTokenRegistration stop = cancellationToken.Register(Stop);
        for (int crashes = 0; ; crashes++)
        {
            HashSet<string> done = ClusterProgress.DoneBy(job.ResultsFiles(submission.Number, task));
            IReadOnlyList<string> paths = job.Paths(submission.Number, task),
                left = [.. paths.Where(path => !done.Contains(path))];
            tell(
                FormattableString.Invariant(
                    $"task {task} of submission {submission.Number} on {node}: {left.Count} of {paths.Count} tracks to do"
                )
            );
            if (left.Count == 0)
                return BatchExitCodes.Succeeded;
            TimeSpan? time = isLimited
                ? TimeSpan.FromSeconds(submission.TimeLimitSeconds) is var limit
                    ? limit - Notice(limit) - Stopwatch.GetElapsedTime(started)
                    : null
                : null;
            if (_stopping || time < TimeSpan.FromSeconds(1))
                return BatchExitCodes.MoreToDo;
            long before = Length(results);
            int exitCode = Start(results, left, time);
            if (exitCode is BatchExitCodes.Succeeded or BatchExitCodes.Failed or BatchExitCodes.MoreToDo or BatchExitCodes.Usage)
                return exitCode;
            if (_stopping || exitCode == BatchExitCodes.Canceled)
                return BatchExitCodes.MoreToDo;
            // What comes to nothing each time is not a track's fault.
            bool isHopeless = exitCode <= Signaled || (crashes > 0 && Length(results) == before) || crashes == MostCrashes;
            tell(
                FormattableString.Invariant(
                    $"the program ended with exit code {exitCode}{(exitCode > Signaled ? $" (signal {exitCode - Signaled})" : "")}; {(isHopeless ? "the task is given up" : "it is started again")}"
                )
            );
            if (isHopeless)
                return exitCode;
        }
    }

    private static long Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : -1;

    private static int UserSignal => OperatingSystem.IsMacOS() ? 30 : 10;

    private int Start(string results, IReadOnlyList<string> paths, TimeSpan? time)
    {
        string[] limit = time is { } left
            ? ["--time-limit", string.Create(CultureInfo.InvariantCulture, $"{left.Days}-{left:hh\\:mm\\:ss}")]
            : [];
        // What was requested goes first: these are not to be changed by it.
        ProcessStartInfo start = new(
            job.Settings.Program[0],
            [
                .. job.Settings.Program.Skip(1),
                "separate",
                .. job.Settings.Arguments,
                .. limit,
                "--files-from",
                "-",
                "--null",
                "--results",
                results,
                "--resume",
                "--skip-existing",
            ]
        )
        {
            RedirectStandardInput = true,
            WorkingDirectory = job.Folder,
        };
        using Process process = Begin(start);
        try
        {
            using Stream input = process.StandardInput.BaseStream;
            foreach (string path in paths)
            {
                input.Write(ClusterJob.Encode(path));
                input.WriteByte(0);
            }
        }
        catch (IOException)
        {
            // It has ended without reading to the end; its exit code says how.
        }
        process.WaitForExit();
        lock (_lock)
            _child = null;
        return process.ExitCode;
    }

    private Process Begin(ProcessStartInfo start)
    {
        lock (_lock)
        {
            _child = Started(start);
            // Told meanwhile.
            if (_stopping && !OperatingSystem.IsWindows())
                _ = Send(_child.Id, Terminate);
            return _child;
        }
    }

    private static Process Started(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new DemucsException(
                DemucsError.ClusterJobInvalid,
                $"The job's program '{start.FileName}' cannot be started here: {e.Message} Put it where all nodes can start it.",
                start.FileName,
                e
            );
        }
    }

    private PosixSignalRegistration? Take(int signal, Action note) =>
        OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create((PosixSignal)signal, context =>
            {
                context.Cancel = true;
                note();
                Stop();
            });

    private void Stop()
    {
        lock (_lock)
        {
            if (_stopping)
                return;
            _stopping = true;
            // Ctrl+C on Windows reaches all programs of a console by itself.
            if (_child is { HasExited: false } child && !OperatingSystem.IsWindows())
                _ = Send(child.Id, Terminate);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int process, int signal);
}
