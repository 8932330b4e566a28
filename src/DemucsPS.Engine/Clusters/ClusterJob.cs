using System.Globalization;
using System.Text;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Clusters;

/// <summary>
/// A job's folder, on a file system that all nodes share. <c>job.json</c> holds the settings, <c>array.sh</c> is what the scheduler runs
/// (it has no name of any file), <c>submissions/0001</c> the tracks: <c>tracks.list</c> has their full paths in the order of the tasks,
/// each ended by a NUL; <c>tracks.seconds</c> a line for each with its length; <c>tasks.index</c> a line of fixed length for each task that
/// says where in the list its tracks are, so that a node reads nothing but them. <c>results/0001</c> has what the tasks write,
/// <c>logs/0001</c> what they say.
/// </summary>
public sealed class ClusterJob
{
    /// <summary>
    /// The script that the scheduler runs: the arguments that it is given are the program and its arguments, which no shell reads again.
    /// </summary>
    internal const string Script =
        "#!/bin/sh\n# Runs what it is given. No name of a file is in here, and none is read by a shell.\nexec \"$@\"\n";

    private const string SettingsName = "job.json",
        SubmissionName = "submission.json",
        ListName = "tracks.list",
        SecondsName = "tracks.seconds",
        IndexName = "tasks.index";

    // Offset and length in bytes, tracks, and a newline.
    private const int IndexLine = 15 + 12 + 10 + 1;

    // A folder's entries cost time to read on a shared file system.
    private const int TasksInAFolder = 100;

    // A century: what is more is damage.
    private const double MaxSeconds = 3.2e9;

    private static readonly string[] s_folders = ["submissions", "results", "logs"];

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ClusterJob(string folder, ClusterSettings settings)
    {
        Folder = folder;
        Settings = settings;
    }

    /// <summary>Full path of the folder.</summary>
    public string Folder { get; }

    /// <summary>What is the same for all tasks.</summary>
    public ClusterSettings Settings { get; }

    /// <summary>Full path of the script that the scheduler runs.</summary>
    public string ScriptPath => Path.Combine(Folder, "array.sh");

    /// <summary>Makes a job's folder.</summary>
    /// <param name="folder">Full path; it may exist, empty.</param>
    /// <param name="settings">What is the same for all tasks.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobExists"/>: something is there.
    /// <see cref="DemucsError.StemWriteFailed"/>: it cannot be made.</exception>
    public static ClusterJob Create(string folder, ClusterSettings settings)
    {
        CheckFree(folder);
        try
        {
            ClusterJob job = new(folder, settings);
            Directory.CreateDirectory(folder);
            // First, and only where it is not there: of two that make a job of one folder at once, one does.
            if (!TryCreate(job.ScriptPath))
                throw NotFree(folder);
            File.WriteAllText(job.ScriptPath, Script);
            foreach (string inner in s_folders)
                Directory.CreateDirectory(Path.Combine(folder, inner));
            // Last: a folder without it is not a job.
            ClusterRecords.Write(Path.Combine(folder, SettingsName), settings);
            return job;
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(folder, e);
        }
    }

    /// <summary>Refuses a folder that has something in it.</summary>
    /// <param name="folder">Full path.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobExists"/>.</exception>
    public static void CheckFree(string folder)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw NotFree(folder);
    }

    private static DemucsException NotFree(string folder) =>
        new(
            DemucsError.ClusterJobExists,
            $"'{folder}' cannot be used for a new job: it is a file, or a folder that is not empty. Name another folder, or retry the job that is there.",
            folder
        );

    private static bool TryCreate(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.CreateNew);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    /// <summary>Takes the job for one that submits of it again.</summary>
    /// <returns>Lets go of it; null if another one has it.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: the disk.</exception>
    internal IDisposable? TryHold()
    {
        try
        {
            return Lease.TryTake(Path.Combine(Folder, "submit.lock"), LeaseTerms.Here, out _);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(Folder, e);
        }
    }

    /// <summary>Opens a job's folder.</summary>
    /// <param name="folder">Full path.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>.</exception>
    public static ClusterJob Open(string folder)
    {
        string path = Path.Combine(folder, SettingsName);
        if (!File.Exists(path))
            throw ClusterRecords.Invalid(folder, $"It has no {SettingsName}.");
        ClusterSettings settings = ClusterRecords.Read<ClusterSettings>(path);
        if (settings.Schema != ClusterSettings.CurrentSchema || settings.Program.Count == 0)
            throw ClusterRecords.Invalid(path, $"Its format is {settings.Schema}; this version reads {ClusterSettings.CurrentSchema}.");
        return new ClusterJob(folder, settings);
    }

    /// <summary>The submissions, in order.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>: one of them is damaged or missing, or all
    /// are.</exception>
    public IReadOnlyList<ClusterSubmission> Submissions() =>
        Recorded() is { Count: > 0 } found
            ? found
            : throw ClusterRecords.Invalid(Folder, $"The file submissions/0001/{SubmissionName} is missing.");

    /// <summary>The submissions; empty for a job that is being created.</summary>
    private List<ClusterSubmission> Recorded() => Reading(Path.Combine(Folder, "submissions"), path =>
        {
            List<ClusterSubmission> found = [];
            for (int number = 1; File.Exists(SubmissionPath(number, SubmissionName)); number++)
            {
                ClusterSubmission submission = ClusterRecords.Read<ClusterSubmission>(SubmissionPath(number, SubmissionName));
                if (submission.Number != number || submission is not { Tasks: > 0, Tracks: > 0, TimeLimitSeconds: > 0 and <= MaxSeconds })
                    throw new FormatException(
                        FormattableString.Invariant($"The file submissions/{Number(number)}/{SubmissionName} is invalid.")
                    );
                found.Add(submission);
            }
            foreach (string folder in Directory.EnumerateDirectories(path))
            {
                if (
                    int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                    && number > found.Count + 1
                )
                    throw new FormatException(
                        FormattableString.Invariant(
                            $"Submission {number} exists, but {SubmissionName} of submission {found.Count + 1} is missing."
                        )
                    );
            }
            // What tasks write has a place only as long as what they were handed has one: one whose writing was interrupted has a folder
            // for that.
            string next = Number(found.Count + 1);
            if (
                !Directory.Exists(Path.Combine(path, next)) && s_folders.Any(folder => Directory.Exists(Path.Combine(Folder, folder, next)))
            )
                throw new FormatException(
                    FormattableString.Invariant(
                        $"Tasks of submission {found.Count + 1} have written results, but submissions/{next} is missing."
                    )
                );
            return found;
        });

    /// <summary>Writes a submission.</summary>
    /// <param name="paths">Full paths of the tracks.</param>
    /// <param name="durations">Length of each in seconds; null if its file does not declare it.</param>
    /// <param name="plan">How they are distributed.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: the disk. <see cref="DemucsError.AudioTrackNotFound"/>:
    /// a name cannot be written down.</exception>
    /// <param name="options">What the scheduler is asked for.</param>
    public ClusterSubmission Add(
        IReadOnlyList<string> paths,
        IReadOnlyList<double?> durations,
        ClusterPlan plan,
        SlurmOptions? options = null
    )
    {
        ClusterSubmission submission = new()
        {
            Number = Recorded().Count + 1,
            Created = DateTimeOffset.UtcNow,
            Tracks = plan.Tracks,
            AudioSeconds = plan.Audio.TotalSeconds,
            Tasks = plan.Tasks.Count,
            TimeLimitSeconds = plan.TimeLimit.TotalSeconds,
            Slurm = options,
            RealTimeFactor = plan.IsFactorAssumed ? null : plan.RealTimeFactor,
        };
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(SubmissionPath(submission.Number, ListName))!);
            using (FileStream list = File.Create(SubmissionPath(submission.Number, ListName)))
            using (
                StreamWriter seconds = new(SubmissionPath(submission.Number, SecondsName), append: false, s_utf8),
                    index = new(SubmissionPath(submission.Number, IndexName), append: false, s_utf8)
            )
            {
                using BufferedStream buffer = new(list, 1 << 16);
                long offset = 0;
                foreach (ClusterTask task in plan.Tasks)
                {
                    long first = offset;
                    foreach (int track in task.Tracks)
                    {
                        byte[] name = Encode(paths[track]);
                        buffer.Write(name);
                        buffer.WriteByte(0);
                        offset += name.Length + 1;
                        seconds.Write((durations[track] is { } length ? length.ToString("R", CultureInfo.InvariantCulture) : "") + "\n");
                    }
                    index.Write(string.Create(CultureInfo.InvariantCulture, $"{first,14} {offset - first,11} {task.Tracks.Count,9} \n"));
                }
            }
            for (int task = 0; task < plan.Tasks.Count; task += TasksInAFolder)
                Directory.CreateDirectory(ResultsFolder(submission.Number, task));
            Directory.CreateDirectory(LogFolder(submission.Number));
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(Folder, e);
        }
        Record(submission);
        return submission;
    }

    /// <summary>Writes down what happened to a submission.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public void Record(ClusterSubmission submission) => ClusterRecords.Write(SubmissionPath(submission.Number, SubmissionName), submission);

    /// <summary>
    /// Removes the folder of a new job of which the scheduler took nothing: what was made of it would look like a job that is done.
    /// </summary>
    /// <param name="existed">Whether the folder was there before, empty.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    internal void Remove(bool existed)
    {
        try
        {
            foreach (string inner in s_folders)
                Directory.Delete(Path.Combine(Folder, inner), recursive: true);
            File.Delete(ScriptPath);
            File.Delete(Path.Combine(Folder, SettingsName));
            if (!existed)
                Directory.Delete(Folder);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(Folder, e);
        }
    }

    /// <summary>Takes back the last submission, where the scheduler did not take it.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public void TakeBack(ClusterSubmission submission)
    {
        try
        {
            Directory.Delete(Path.Combine(Folder, "results", Number(submission.Number)), recursive: true);
            Directory.Delete(LogFolder(submission.Number), recursive: true);
            // Last: results without it look as if it had been lost.
            Directory.Delete(Path.GetDirectoryName(SubmissionPath(submission.Number, SubmissionName))!, recursive: true);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(Folder, e);
        }
    }

    /// <summary>Full paths of a submission's tracks, in the order of its tasks.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>.</exception>
    public IReadOnlyList<string> Paths(int submission) =>
        Reading(SubmissionPath(submission, ListName), path => Decode(File.ReadAllBytes(path)));

    /// <summary>Lengths of a submission's tracks in seconds, in that order; null if the file does not declare it.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>.</exception>
    public IReadOnlyList<double?> Durations(int submission) =>
        Reading(SubmissionPath(submission, SecondsName), path =>
            File.ReadLines(path).Select(line => line.Length == 0 ? (double?)null : Seconds(line)).ToArray()
        );

    /// <summary>Full paths of a task's tracks; nothing else of the list is read.</summary>
    /// <param name="submission">Number of the submission, from 1.</param>
    /// <param name="task">Number of the task, from 0.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>.</exception>
    public IReadOnlyList<string> Paths(int submission, int task)
    {
        string line = Reading(SubmissionPath(submission, IndexName), path =>
            s_utf8.GetString(Part(path, (long)task * IndexLine, IndexLine))
        );
        string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Reading(SubmissionPath(submission, ListName), path =>
            Decode(Part(path, long.Parse(fields[0], CultureInfo.InvariantCulture), long.Parse(fields[1], CultureInfo.InvariantCulture)))
        );
    }

    private static double Seconds(string line) =>
        double.Parse(line, CultureInfo.InvariantCulture) is >= 0 and <= MaxSeconds and var seconds
            ? seconds
            : throw new FormatException($"'{line}' is not the length of a track.");

    /// <summary>Full path of the folder that a task's results are in.</summary>
    internal string ResultsFolder(int submission, int task) =>
        Path.Combine(Folder, "results", Number(submission), Number(task / TasksInAFolder));

    /// <summary>Full path of the folder that a submission's logs are in.</summary>
    internal string LogFolder(int submission) => Path.Combine(Folder, "logs", Number(submission));

    /// <summary>Full path of the file that a task's results go to.</summary>
    /// <param name="submission">Number of the submission.</param>
    /// <param name="task">Number of the task.</param>
    /// <param name="run">Which run of it: no two may write to one file.</param>
    /// <param name="node">Where it runs.</param>
    internal string ResultsPath(int submission, int task, string run, string node) =>
        Path.Combine(ResultsFolder(submission, task), string.Create(CultureInfo.InvariantCulture, $"{task:000000}-{run}@{node}.jsonl"));

    /// <summary>Files of results: of one task, or of all.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>.</exception>
    internal IReadOnlyList<string> ResultsFiles(int? submission = null, int? task = null) =>
        Reading(submission is { } s && task is { } t ? ResultsFolder(s, t) : Path.Combine(Folder, "results"), path =>
            Directory.Exists(path)
                ? Directory.GetFiles(
                    path,
                    task is { } of ? string.Create(CultureInfo.InvariantCulture, $"{of:000000}-*.jsonl") : "*.jsonl",
                    SearchOption.AllDirectories
                )
                : []
        );

    private static T Reading<T>(string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception e)
            when (e
                    is IOException
                        or UnauthorizedAccessException
                        or FormatException
                        or IndexOutOfRangeException
                        or OverflowException
                        or DecoderFallbackException
            )
        {
            throw ClusterRecords.Invalid(path, e.Message, e);
        }
    }

    private static byte[] Part(string path, long offset, long length)
    {
        using FileStream stream = RegularFile.OpenRead(path, bufferSize: 0);
        if (offset < 0 || length < 0 || length > stream.Length - offset)
            throw new FormatException(
                FormattableString.Invariant($"It has {stream.Length} bytes, but {length} bytes from {offset} on are needed.")
            );
        stream.Position = offset;
        byte[] part = new byte[length];
        stream.ReadExactly(part);
        return part;
    }

    /// <summary>A track's name in lists.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/>: it is not text.</exception>
    internal static byte[] Encode(string path)
    {
        try
        {
            return s_utf8.GetBytes(path);
        }
        catch (EncoderFallbackException e)
        {
            throw new DemucsException(
                DemucsError.AudioTrackNotFound,
                $"The name of '{path}' is not valid Unicode, so a list cannot contain it. Rename the file.",
                path,
                e
            );
        }
    }

    private static string[] Decode(byte[] list)
    {
        List<string> names = [];
        for (int at = 0; at < list.Length;)
        {
            int end = Array.IndexOf(list, (byte)0, at);
            if (end < 0)
                throw new FormatException("Its last name is cut short.");
            names.Add(s_utf8.GetString(list, at, end - at));
            at = end + 1;
        }
        return [.. names];
    }

    private string SubmissionPath(int submission, string name) => Path.Combine(Folder, "submissions", Number(submission), name);

    private static string Number(int number) => number.ToString("0000", CultureInfo.InvariantCulture);
}
