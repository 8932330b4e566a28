using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Clusters;

/// <summary>
/// Works on a task of a job: starts the console program for those of its tracks that are not done. Where that program is ended by a track, it is started again; the track that did it is known by what
/// its file of results says, and is given up after some times.
/// </summary>
/// <param name="job">The job.</param>
/// <param name="tell">Takes sentences for the log.</param>
public sealed partial class ClusterWorker(ClusterJob job, Action<string> tell)
{
    /// <summary>How <see cref="Run"/> ends: all tracks done, some failed, and some left for another run.</summary>
    public const int AllDone = 0, SomeFailed = 1, MoreToDo = 99;

    private const int Usage = 2, Interrupted = 130, Terminate = 15, MostCrashes = 300;

    // Exit codes above it are those of programs that a signal ended.
    private const int Signaled = 128;

    // What tasks are told otherwise.
    private static readonly string[] s_own = ["--shard", "--durations", "--time-limit", "--results", "--files-from", "--null", "-0"];

    private readonly Lock _lock = new();
    private Process? _child;
    private volatile bool _stopping, _isTimeOver, _isTerminated;

    /// <summary>Whether it was ended by something else than its time.</summary>
    public bool IsCanceled => _isTerminated || (_stopping && !_isTimeOver);

    /// <summary>Time before the end of a task's own at which it is told to stop and keep what it has done.</summary>
    internal static TimeSpan Notice(TimeSpan limit) => limit / 4 < TimeSpan.FromSeconds(90) ? limit / 4 : TimeSpan.FromSeconds(90);

    /// <summary>Refuses arguments that tasks give themselves: in each of them they would be an error.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    internal static void Check(ClusterSettings settings)
    {
        if (settings.Arguments.FirstOrDefault(argument => s_own.Contains(argument.Split('=', ':')[0])) is { } own)
            throw new DemucsException(DemucsError.ParameterInvalid, $"'{own}' cannot be an option of a job's tasks: the job deals its tracks out itself. Leave it out.");
    }

    /// <summary>Works on a task.</summary>
    /// <param name="submission">The submission.</param>
    /// <param name="task">Number of the task in it, from 0.</param>
    /// <param name="run">Which run of the task: no other has the same; letters, digits and dots.</param>
    /// <param name="node">Where it runs.</param>
    /// <param name="isLimited">Whether the task's time is limited.</param>
    /// <param name="cancellationToken">Ends it; what is done is kept.</param>
    /// <returns><see cref="AllDone"/>, <see cref="SomeFailed"/>, <see cref="MoreToDo"/>, or what the program ended with where it would not run.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>: the folder, or the program in it, cannot be used.</exception>
    public int Run(ClusterSubmission submission, int task, string run, string node, bool isLimited, CancellationToken cancellationToken)
    {
        if (task < 0 || task >= submission.Tasks)
            throw ClusterRecords.Invalid(job.Folder, FormattableString.Invariant($"Submission {submission.Number} has no task {task}."));
        long started = Stopwatch.GetTimestamp();
        string results = job.ResultsPath(submission.Number, task, run, string.Concat(node.Where(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')));
        // The token is canceled by any signal that asks the program to end; which one it was makes the difference between another turn and none.
        using PosixSignalRegistration? notice = Take(UserSignal, () => _isTimeOver = true), termination = Take(Terminate, () => _isTerminated = true);
        using CancellationTokenRegistration stop = cancellationToken.Register(Stop);
        for (int crashes = 0; ; crashes++)
        {
            HashSet<string> done = ClusterProgress.DoneBy(job.ResultsFiles(submission.Number, task));
            IReadOnlyList<string> paths = job.Paths(submission.Number, task), left = [.. paths.Where(path => !done.Contains(path))];
            tell(FormattableString.Invariant($"task {task} of submission {submission.Number} on {node}: {left.Count} of {paths.Count} tracks to do"));
            if (left.Count == 0)
                return AllDone;
            TimeSpan? time = isLimited ? TimeSpan.FromSeconds(submission.TimeLimitSeconds) is var limit ? limit - Notice(limit) - Stopwatch.GetElapsedTime(started) : null : null;
            if (_stopping || time < TimeSpan.FromSeconds(1))
                return MoreToDo;
            long before = Length(results);
            int exitCode = Start(results, left, time);
            if (exitCode is AllDone or SomeFailed or MoreToDo or Usage)
                return exitCode;
            if (_stopping || exitCode == Interrupted)
                return MoreToDo;
            // What comes to nothing each time is not a track's fault.
            bool isHopeless = exitCode <= Signaled || (crashes > 0 && Length(results) == before) || crashes == MostCrashes;
            tell(FormattableString.Invariant($"the program ended with {exitCode}{(exitCode > Signaled ? $", by signal {exitCode - Signaled}" : "")}; {(isHopeless ? "this task is given up" : "it is started again")}"));
            if (isHopeless)
                return exitCode;
        }
    }

    private static long Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : -1;

    private static int UserSignal => OperatingSystem.IsMacOS() ? 30 : 10;

    private int Start(string results, IReadOnlyList<string> paths, TimeSpan? time)
    {
        string[] limit = time is { } left ? ["--time-limit", string.Create(CultureInfo.InvariantCulture, $"{left.Days}-{left:hh\\:mm\\:ss}")] : [];
        // What was asked for goes first: these are not to be changed by it.
        ProcessStartInfo start = new(job.Settings.Program[0], [.. job.Settings.Program.Skip(1), "separate", .. job.Settings.Arguments, .. limit, "--files-from", "-", "--null", "--results", results, "--resume", "--skip-existing"])
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
            try
            {
                _child = Process.Start(start)!;
                // Told meanwhile.
                if (_stopping && !OperatingSystem.IsWindows())
                    _ = Send(_child.Id, Terminate);
                return _child;
            }
            catch (Win32Exception e)
            {
                throw new DemucsException(DemucsError.ClusterJobInvalid, $"The job's program '{start.FileName}' cannot be started here: {e.Message} It has to be where all nodes can start it.", start.FileName, e);
            }
        }
    }

    private PosixSignalRegistration? Take(int signal, Action note) => OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create((PosixSignal)signal, context =>
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
