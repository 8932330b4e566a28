using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace DemucsPS.Tests.Shared;

/// <summary>
/// A real Slurm on this machine alone, in a folder that goes with it: a controller, the service that signs its messages, and nodes that are
/// processes. Debian's packages slurmctld, slurmd, slurm-client
/// and munge have all of it.
/// </summary>
internal sealed class LocalSlurm : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, Process> _daemons = [];

    // When tasks that wait for another turn were first seen without the one before.
    private readonly Dictionary<string, long> _waiting = [];

    private LocalSlurm(int nodes)
    {
        Nodes = [.. Enumerable.Range(1, nodes).Select(n => $"n{n}")];
        string socket = _folder["munge.socket"],
            key = _folder["munge.key"];
        int[] ports = FreePorts(Nodes.Count + 1);
        File.WriteAllBytes(key, System.Security.Cryptography.RandomNumberGenerator.GetBytes(1024));
        if (!OperatingSystem.IsWindows())
        {
            // Only its owner may read the key; whoever is answered, the socket.
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        }
        Directory.CreateDirectory(_folder["state"]);
        // Nodes that are only written down are enough where nothing is to run.
        string[] written =
            Nodes.Count > 0
                ? [.. Nodes.Select((node, i) => $"NodeName={node} NodeHostname=localhost Port={ports[i + 1]} CPUs=1 RealMemory=1000")]
                : ["NodeName=none NodeHostname=localhost CPUs=1 RealMemory=1000 State=DOWN"];
        File.WriteAllLines(
            Configuration,
            [
                "ClusterName=test",
                "SlurmctldHost=localhost",
                $"AuthType=auth/munge\nAuthInfo=socket={socket}\nCryptoType=crypto/munge",
                "SlurmUser=root\nSlurmdUser=root",
                $"SlurmctldPort={ports[0]}",
                $"SlurmctldPidFile={_folder["slurmctld.pid"]}\nSlurmdPidFile={_folder["slurmd.%n.pid"]}",
                $"SlurmdSpoolDir={_folder["spool.%n"]}\nStateSaveLocation={_folder["state"]}",
                $"SlurmctldLogFile={_folder["slurmctld.log"]}\nSlurmdLogFile={_folder["slurmd.%n.log"]}",
                "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\nSwitchType=switch/none\nMpiDefault=none",
                $"AccountingStorageType=accounting_storage/none\nJobCompType=jobcomp/filetxt\nJobCompLoc={_folder["completed"]}",
                "SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\nSchedulerType=sched/backfill",
                "SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0,bf_interval=1",
                "SlurmdParameters=config_overrides\nReturnToService=2\nKillWait=20\nSlurmdTimeout=60",
                .. written,
                $"PartitionName=all Nodes={(Nodes.Count > 0 ? string.Join(',', Nodes) : "none")} Default=YES MaxTime=INFINITE State=UP",
            ]
        );
        Start(
            "munged",
            "munged",
            "--foreground",
            $"--socket={socket}",
            $"--key-file={key}",
            $"--pid-file={_folder["munge.pid"]}",
            $"--log-file={_folder["munge.log"]}",
            $"--seed-file={_folder["munge.seed"]}",
            "--force"
        );
        Until(() => File.Exists(socket), "munged to listen");
        Start("slurmctld", "slurmctld", "-D", "-i", "-f", Configuration);
        foreach (string node in Nodes)
            StartNode(node);
        Until(() => Run("scontrol", "ping").Output.Contains("is UP", StringComparison.Ordinal), "the controller to answer");
        Until(() => Nodes.All(node => Run("sinfo", "-h", "-n", node, "-o", "%T").Output.Trim() == "idle"), "the nodes to be there");
    }

    /// <summary>Names of the nodes.</summary>
    public IReadOnlyList<string> Nodes { get; }

    /// <summary>Full path of the configuration; Slurm's commands take it from <c>SLURM_CONF</c>.</summary>
    public string Configuration => _folder["slurm.conf"];

    /// <summary>What became of tasks, by Slurm itself: a line each time that one ended.</summary>
    public IReadOnlyList<string> Completed => File.Exists(_folder["completed"]) ? File.ReadAllLines(_folder["completed"]) : [];

    /// <summary>Starts one; the test is skipped where Slurm is not installed or may not be started.</summary>
    /// <param name="nodes">How many nodes; 0 for a controller that nothing runs on.</param>
    public static LocalSlurm Start(int nodes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "A Slurm of one's own takes root on Linux.");
        string[] missing = [.. new[] { "munged", "slurmctld", "slurmd", "sbatch" }.Where(name => !IsInstalled(name))];
        Assert.SkipUnless(
            missing.Length == 0,
            $"Slurm is not installed ({string.Join(", ", missing)}): Debian's packages are slurmctld, slurmd, slurm-client and munge."
        );
        return new LocalSlurm(nodes);
    }

    /// <summary>Runs one of Slurm's commands.</summary>
    public (int ExitCode, string Output, string Error) Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SLURM_CONF"] = Configuration;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(),
            error = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    /// <summary>The processes of tasks on a node.</summary>
    public IReadOnlyList<int> ProcessesOn(string node) =>
        [
            .. Processes()
                .Where(process =>
                    Variables(process) is var variables
                    && variables.Contains($"SLURMD_NODENAME={node}")
                    && variables.Contains($"SLURM_CONF={Configuration}")
                ),
        ];

    /// <summary>
    /// Ends a node and what runs there, as a power cut does; Slurm is told that it is gone, for which it would wait some minutes.
    /// </summary>
    public void KillNode(string node)
    {
        _daemons[node].Kill();
        _daemons[node].WaitForExit();
        // Those that watch the tasks first: they would tell how the tasks ended.
        int[] tasks = [.. ProcessesOn(node)],
            watchers = [.. Processes().Where(process => IsWatcher(process) && tasks.Any(task => ParentOf(task) == process))];
        foreach (int process in (int[])[.. watchers, .. tasks])
            Kill(process);
        Assert.Equal(0, Run("scontrol", "update", $"nodename={node}", "state=down", "reason=killed").ExitCode);
    }

    /// <summary>Has a node come back.</summary>
    public void StartNode(string node) => Start(node, "slurmd", "-D", "-N", node, "-f", Configuration);

    /// <summary>
    /// Lets tasks that wait for their second turn begin: Slurm waits two minutes. A node refuses what it is sent in the second in which the
    /// first turn left it, so that they wait two.
    /// </summary>
    public void SkipDelays()
    {
        string[][] waiting =
        [
            .. Run("squeue", "-h", "-r", "-t", "pending", "-o", "%i %A %r")
                .Output.Split('\n')
                .Select(line => line.Split(' '))
                .Where(fields => fields is [_, _, "BeginTime"]),
        ];
        if (waiting.Length == 0)
            return;
        string[] watchers =
        [
            .. Processes()
                .Where(process => IsWatcher(process) && Variables(process).Contains($"SLURM_CONF={Configuration}"))
                .Select(process => Text($"/proc/{process}/cmdline")),
        ];
        foreach (
            string[] fields in waiting.Where(fields =>
                !watchers.Any(watcher => watcher.Contains($"[{fields[1]}.", StringComparison.Ordinal))
            )
        )
        {
            if (!_waiting.TryGetValue(fields[1], out long since))
            {
                _waiting.Add(fields[1], Stopwatch.GetTimestamp());
            }
            else if (Stopwatch.GetElapsedTime(since) > TimeSpan.FromSeconds(2))
            {
                _waiting.Remove(fields[1]);
                Run("scontrol", "update", $"jobid={fields[0]}", "StartTime=now");
            }
        }
    }

    /// <summary>Waits for something.</summary>
    public void Until(Func<bool> condition, string what)
    {
        for (long started = Stopwatch.GetTimestamp(); !condition(); Thread.Sleep(5))
            Assert.True(Stopwatch.GetElapsedTime(started) < s_patience, $"Waited too long for {what}. {Logs()}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_daemons.ContainsKey("slurmctld"))
            Run("scancel", "-u", "root", "-s", "KILL");
        foreach (string node in Nodes)
        {
            foreach (int process in ProcessesOn(node))
                Kill(process);
        }
        foreach (Process daemon in _daemons.Values.Reverse())
        {
            daemon.Kill();
            daemon.WaitForExit();
            daemon.Dispose();
        }
        foreach (
            int process in Processes().Where(process => IsWatcher(process) && Variables(process).Contains($"SLURM_CONF={Configuration}"))
        )
            Kill(process);
        _folder.Dispose();
    }

    private static IEnumerable<int> Processes() =>
        Directory
            .EnumerateDirectories("/proc")
            .Select(Path.GetFileName)
            .Select(name => int.TryParse(name, out int process) ? process : 0)
            .Where(process => process > 0);

    private static string[] Variables(int process) => Text($"/proc/{process}/environ").Split('\0');

    private static bool IsWatcher(int process) => Text($"/proc/{process}/cmdline").Contains("slurmstepd", StringComparison.Ordinal);

    private static int ParentOf(int process) =>
        int.TryParse(
            Text($"/proc/{process}/status").Split('\n').FirstOrDefault(line => line.StartsWith("PPid:", StringComparison.Ordinal))?[5..],
            out int parent
        )
            ? parent
            : 0;

    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended meanwhile.
            return "";
        }
    }

    private static void Kill(int process)
    {
        try
        {
            using Process running = Process.GetProcessById(process);
            running.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // It has ended meanwhile.
        }
    }

    private static bool IsInstalled(string program) =>
        new[] { "/usr/sbin", "/usr/bin", "/sbin", "/usr/local/sbin", "/usr/local/bin" }.Any(folder =>
            File.Exists(Path.Combine(folder, program))
        );

    private static int[] FreePorts(int count)
    {
        // All at once, so that none is found twice.
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (TcpListener listener in listeners)
            listener.Start();
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        foreach (TcpListener listener in listeners)
            listener.Dispose();
        return ports;
    }

    private void Start(string name, string program, params string[] arguments)
    {
        // What they say goes to their logs; a pipe that nobody reads would stop them.
        ProcessStartInfo start = new("/bin/sh", ["-c", "exec \"$@\" >\"$0\" 2>&1", _folder[$"{name}.out"], program, .. arguments]);
        start.Environment["SLURM_CONF"] = Configuration;
        start.Environment["PATH"] = $"/usr/sbin:/sbin:{Environment.GetEnvironmentVariable("PATH")}";
        _daemons[name] = Process.Start(start)!;
    }

    private string Logs() =>
        string.Join(
            '\n',
            Directory
                .EnumerateFiles(_folder.Path, "*.log")
                .Concat(Directory.EnumerateFiles(_folder.Path, "*.out"))
                .SelectMany(file => File.ReadLines(file).TakeLast(10))
        );
}
