using System.Collections.Concurrent;
using DemucsPS.Engine.Clusters;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Clusters;

/// <summary>Folders of jobs, and what is handed to Slurm.</summary>
public sealed class ClusterJobTests : IDisposable
{
    private static readonly ClusterSettings s_settings = new()
    {
        Created = DateTimeOffset.UnixEpoch,
        Program = ["/opt/it's $(here)/demucsps"],
        Arguments = ["--model", "htdemucs"],
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Names_come_back_from_the_list_as_they_are()
    {
        string[] names =
        [
            "/a/plain.wav",
            "/a/two\nlines.wav",
            "/a/'quotes\".wav",
            "/a/$(touch x).wav",
            "/-n.wav",
            "/a/ünïcode 音 🎵.wav",
            "/a/ blanks ",
            "/a/\t\\%A",
        ];
        ClusterPlan plan = ClusterPlan.Create(
            names,
            [.. names.Select(_ => (double?)60)],
            new ClusterPlanOptions { TaskLength = TimeSpan.FromMinutes(3) }
        );
        ClusterJob job = ClusterJob.Create(_folder["job"], s_settings);
        ClusterSubmission submission = job.Add(names, [60, null, 60.25, 60, 60, 60, 60, 60], plan);
        job = ClusterJob.Open(_folder["job"]);
        Assert.Equal(names.Order(), job.Paths(1).Order());
        for (int task = 0; task < submission.Tasks; task++)
            Assert.Equal(plan.Tasks[task].Tracks.Select(i => names[i]), job.Paths(1, task));
        Assert.Equal([null, 60, 60, 60, 60, 60, 60, 60.25], job.Durations(1).Order());
        Assert.Null(job.Durations(1)[job.Paths(1).ToList().IndexOf(names[1])]);
        // No name of a file is in what a shell reads.
        Assert.Equal(
            "#!/bin/sh\n# Runs what it is given. No name of a file is in here, and none is read by a shell.\nexec \"$@\"\n",
            File.ReadAllText(job.ScriptPath)
        );
        Assert.Equal(
            DemucsError.AudioTrackNotFound,
            Assert
                .Throws<DemucsException>(() =>
                    job.Add(["/a/\ud800.wav"], [1], ClusterPlan.Create(["/a/\ud800.wav"], [1], new ClusterPlanOptions()))
                )
                .Error
        );
    }

    [Fact]
    public void Folders_that_are_none_or_not_free_are_refused()
    {
        DemucsException none = Assert.Throws<DemucsException>(() => ClusterJob.Open(_folder["none"]));
        Assert.Equal(DemucsError.ClusterJobInvalid, none.Error);
        Assert.Contains("is not a valid part of a job. It has no job.json. Check the path.", none.Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["job.json"], """{ "schema": 2, "created": "2026-01-01T00:00:00Z", "program": ["x"], "arguments": [] }""");
        Assert.Equal(DemucsError.ClusterJobInvalid, Assert.Throws<DemucsException>(() => ClusterJob.Open(_folder.Path)).Error);
        Assert.Equal(DemucsError.ClusterJobExists, Assert.Throws<DemucsException>(() => ClusterJob.Create(_folder.Path, s_settings)).Error);
        ClusterJob job = ClusterJob.Create(_folder["job"], s_settings);
        job.Add(["/a"], [1], ClusterPlan.Create(["/a"], [1], new ClusterPlanOptions()));
        File.WriteAllText(_folder["job", "submissions", "0001", "tracks.list"], "/a");
        Assert.Equal(DemucsError.ClusterJobInvalid, Assert.Throws<DemucsException>(() => job.Paths(1)).Error);
        Assert.Equal(DemucsError.ClusterJobInvalid, Assert.Throws<DemucsException>(() => job.Paths(1, 1)).Error);
    }

    [Fact]
    public void Results_say_how_far_it_is_and_why_tracks_failed()
    {
        string[] names = ["/a", "/b", "/c", "/d"];
        ClusterJob job = ClusterJob.Create(_folder["job"], s_settings);
        job.Add(names, [100, 100, 100, null], ClusterPlan.Create(names, [100, 100, 100, null], new ClusterPlanOptions { MaxTasks = 1 }));
        Assert.Equal(ClusterJobState.Prepared, ClusterProgress.Read(job).Status(null).State);
        static string Line(string time, string status, string source, string rest) =>
            $$"""{"schema":1,"time":"2026-01-01T{{time}}Z","status":"{{status}}","source":"{{source}}","track":"x"{{rest}}}""" + "\n";
        // An attempt that came to nothing, one that did, and one after it that did not: what is done stays done. The last line is cut
        // short.
        File.WriteAllText(
            job.ResultsPath(1, 0, "7.0", "n1"),
            Line("00:01:00", "failed", "/a", ",\"seconds\":60,\"error\":\"StemWriteFailed\",\"message\":\"full\"")
                + Line("00:01:10", "failed", "/b", ",\"seconds\":10,\"error\":\"StemWriteFailed\",\"message\":\"full, too\"")
        );
        File.WriteAllText(
            job.ResultsPath(1, 0, "7.1", "n2"),
            Line("00:03:20", "done", "/a", ",\"seconds\":50,\"duration\":100")
                + Line("00:03:30", "failed", "/a", ",\"seconds\":10,\"error\":\"OutOfMemory\"")
                + Line("00:03:40", "left", "/c", ",\"seconds\":10")
                + "{\"schema\":1,\"time\":\"2026-01"
        );
        ClusterProgress progress = ClusterProgress.Read(job);
        Assert.Equal(
            [TrackState.Done, TrackState.Failed, TrackState.Left, TrackState.Missing],
            progress.Tracks.OrderBy(track => track.SourcePath, StringComparer.Ordinal).Select(track => track.State)
        );
        ClusterStatus status = progress.Status(new SlurmTasks(new Dictionary<string, int> { ["RUNNING"] = 1, ["PENDING"] = 2 }, null));
        Assert.Equal((ClusterJobState.Running, 4, 1, 1, 2), (status.State, status.Tracks, status.Done, status.Failed, status.Missing));
        Assert.Equal(
            (TimeSpan.FromSeconds(400), TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(140)),
            (status.Audio, status.AudioDone, status.Work)
        );
        Assert.Equal(0.5, status.RealTimeFactor);
        // From 0:00:00, when the first was begun, to 0:03:40.
        Assert.Equal(100.0 / 220, status.Throughput!.Value, 9);
        Assert.Equal(660, status.Remaining!.Value.TotalSeconds, 3);
        FailureGroup group = Assert.Single(status.Failures);
        Assert.Equal(("StemWriteFailed", 1, "full, too", "/b"), (group.Error, group.Count, group.Message, group.SourcePath));
        Assert.Equal(["n1"], group.Nodes);
        Assert.Equal(ClusterJobState.Incomplete, progress.Status(null).State);
        // Once more, only what is not done.
        ClusterOrder order = ClusterOrder.Again(_folder["job"], new ClusterPlanOptions(), new SlurmOptions(), null);
        Assert.Equal((3, "measured", 0.5), (order.Plan.Tracks, order.Plan.FactorOrigin, order.Plan.RealTimeFactor));
        order.Submit();
        Assert.Equal(["/b", "/c", "/d"], job.Paths(2).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Without_Slurm_it_says_so()
    {
        DemucsException error = Assert.Throws<DemucsException>(() =>
            ClusterOrder.New(
                _folder["job"],
                s_settings,
                ["/a"],
                [1],
                new ClusterPlanOptions(),
                new SlurmOptions(),
                new SlurmCluster(new SlurmCommand { Folder = _folder["nowhere"] })
            )
        );
        Assert.Equal(DemucsError.SchedulerNotFound, error.Error);
        Assert.Equal([Remedy.PrepareOnly], error.Remedies);
        Assert.False(Directory.Exists(_folder["job"]));
    }

    [Fact]
    public void The_clusters_limits_are_kept_and_nothing_is_left_half_handed_over()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Scripts stand in for Slurm's commands.");
        SlurmCluster cluster = StandIns(
            (
                "scontrol",
                "echo 'MaxArraySize            = 4'; echo 'MaxJobCount             = 10000'; echo 'AccountingStorageType   = accounting_storage/slurmdbd'"
            ),
            (
                "squeue",
                "case \"$*\" in *--me*) echo 5_1; echo 5_2;; *%u*) echo root; echo root;; *) echo '100_0|RUNNING'; echo '100_1|PENDING';; esac"
            ),
            ("sacctmgr", "echo 'physics|12|'; echo 'arts|500|'"),
            (
                "sacct",
                "case \" $* \" in *' -D '*) echo '100_3|REQUEUED|5';; esac; echo '100_0|COMPLETED|60'; echo '100_1|CANCELLED by 0|30'; echo '100_[2-3]|PENDING|0'; echo '100_3|TIMEOUT|10'"
            ),
            (
                "sbatch",
                "for a; do printf '%s\\0' \"$a\"; done >>\"$(dirname \"$0\")/said\"; n=$(cat \"$(dirname \"$0\")/n\" 2>/dev/null || echo 0); echo $((n + 1)) >\"$(dirname \"$0\")/n\"; [ ! -e \"$(dirname \"$0\")/full\" ] || [ $n -lt 4 ] || { echo 'sbatch: error: full' >&2; exit 1; }; echo $((100 + n))\\;cluster"
            ),
            ("scancel", "echo \"$*\" >>\"$(dirname \"$0\")/canceled\"")
        );
        SlurmLimits limits = cluster.Limits("physics");
        // Twelve of them less two that are queued.
        Assert.Equal(new SlurmLimits(4, 10), limits);
        Assert.Equal(498, cluster.Limits("arts").MaxTasks);
        string[] names = [.. Enumerable.Range(0, 40).Select(i => $"/a/$(touch {i})")];
        double?[] durations = [.. names.Select(_ => (double?)3600)];
        ClusterOrder order = ClusterOrder.New(
            _folder["job"],
            s_settings,
            names,
            durations,
            new ClusterPlanOptions(),
            new SlurmOptions
            {
                Account = "physics",
                Throttle = 2,
                Cpus = 3,
                Memory = "4G",
                Gres = "gpu:1",
                Partition = "long",
                Extra = ["--qos=it's low"],
            },
            cluster
        );
        Assert.Equal(10, order.Plan.Tasks.Count);
        ClusterSubmission submission = order.Submit()!;
        Assert.Equal([new ClusterArray("100", 0, 4), new ClusterArray("101", 4, 4), new ClusterArray("102", 8, 2)], submission.Arrays);
        string[] said = File.ReadAllText(_folder["bin", "said"]).Split('\0');
        Assert.Equal(
            ["--array=0-3%2", "--array=0-3%2", "--array=0-1%2"],
            said.Where(word => word.StartsWith("--array", StringComparison.Ordinal))
        );
        Assert.All(
            (string[])
                [
                    "--requeue",
                    "--account=physics",
                    "--cpus-per-task=3",
                    "--mem=4G",
                    "--gres=gpu:1",
                    "--partition=long",
                    "--qos=it's low",
                    s_settings.Program[0],
                    "--parsable",
                ],
            word => Assert.Contains(word, said)
        );
        Assert.DoesNotContain(said, word => word.Contains("touch", StringComparison.Ordinal));
        SlurmTasks tasks = cluster.Tasks(submission.Arrays);
        // Of those that the controller still knows, it knows best.
        Assert.Equal((1, 1, TimeSpan.FromSeconds(105)), (tasks.Running, tasks.Waiting, tasks.CpuTime));
        Assert.Equal(1, tasks.States["TIMEOUT"]);
        Assert.DoesNotContain("REQUEUED", tasks.States.Keys);
        Assert.Equal(
            DemucsError.ClusterJobRunning,
            Assert
                .Throws<DemucsException>(() => ClusterOrder.Again(_folder["job"], new ClusterPlanOptions(), new SlurmOptions(), cluster))
                .Error
        );

        // The second array of the next is refused: the first is taken back, and so is what was written.
        File.WriteAllText(_folder["bin", "full"], "");
        DemucsException error = Assert.Throws<DemucsException>(() =>
            ClusterOrder
                .New(
                    _folder["other"],
                    s_settings,
                    names,
                    durations,
                    new ClusterPlanOptions(),
                    new SlurmOptions { Account = "physics" },
                    cluster
                )
                .Submit()
        );
        Assert.Equal(DemucsError.SchedulerRefused, error.Error);
        Assert.Contains("full", error.Message, StringComparison.Ordinal);
        Assert.Equal("103\n", File.ReadAllText(_folder["bin", "canceled"]));
        Assert.False(Directory.Exists(_folder["other"]));

        // What was not handed over of a job that is there leaves nothing in it.
        ClusterJob job = ClusterJob.Create(_folder["third"], s_settings);
        job.Add(names, durations, order.Plan);
        Assert.Equal(
            DemucsError.SchedulerRefused,
            Assert
                .Throws<DemucsException>(() =>
                    ClusterOrder
                        .Again(_folder["third"], new ClusterPlanOptions(), new SlurmOptions { Account = "physics" }, cluster)
                        .Submit()
                )
                .Error
        );
        Assert.Single(job.Submissions());
        Assert.False(Directory.Exists(_folder["third", "logs", "0002"]));
    }

    [Theory]
    [InlineData("Usage: sbatch [OPTIONS(0)...]")]
    [InlineData("slurm 22.05.8")]
    [InlineData("")]
    public void What_is_no_number_of_a_job_is_no_submission(string said)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Scripts stand in for Slurm's commands.");
        SlurmCluster cluster = StandIns(("scontrol", ""), ("squeue", ""), ("scancel", ""), ("sbatch", $"echo '{said}'"));
        ClusterOrder order = ClusterOrder.New(
            _folder["job"],
            s_settings,
            ["/a"],
            [1],
            new ClusterPlanOptions(),
            new SlurmOptions(),
            cluster
        );
        Assert.Equal(DemucsError.SchedulerRefused, Assert.Throws<DemucsException>(order.Submit).Error);
        Assert.False(Directory.Exists(_folder["job"]));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("--version")]
    [InlineData("-V")]
    [InlineData("--usage")]
    public void Options_that_end_sbatch_at_once_are_refused(string option) =>
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert.Throws<DemucsException>(() => new SlurmOptions { Extra = [option] }.Check()).Error
        );

    [Theory]
    [InlineData("100%")]
    [InlineData("back\\slash")]
    public void Folders_whose_names_Slurm_reads_are_refused(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A backslash is no part of a name.");
        DemucsException error = Assert.Throws<DemucsException>(() =>
            ClusterOrder.New(_folder[name], s_settings, ["/a"], [1], new ClusterPlanOptions(), new SlurmOptions(), null)
        );
        Assert.Equal((DemucsError.ParameterInvalid, _folder[name]), (error.Error, error.Path));
        Assert.False(Directory.Exists(_folder[name]));
    }

    [Fact]
    public void A_job_whose_submissions_are_lost_is_no_job_that_is_done()
    {
        ClusterJob job = ClusterJob.Create(_folder["job"], s_settings);
        Assert.Equal(DemucsError.ClusterJobInvalid, Assert.Throws<DemucsException>(job.Submissions).Error);
        ClusterPlan plan = ClusterPlan.Create(["/a"], [1], new ClusterPlanOptions());
        for (int i = 0; i < 3; i++)
            job.Add(["/a"], [1], plan);
        Assert.Equal(3, job.Submissions().Count);
        File.Move(_folder["job", "submissions", "0002", "submission.json"], _folder["kept"]);
        Assert.Equal(DemucsError.ClusterJobInvalid, Assert.Throws<DemucsException>(job.Submissions).Error);
        File.Move(_folder["kept"], _folder["job", "submissions", "0002", "submission.json"]);
        // The last one is missed by what its tasks write to.
        Directory.Move(_folder["job", "submissions", "0003"], _folder["lost"]);
        Assert.Contains(
            "Tasks of submission 3 have written results",
            Assert.Throws<DemucsException>(job.Submissions).Message,
            StringComparison.Ordinal
        );
        Directory.Move(_folder["lost"], _folder["job", "submissions", "0003"]);
        // One whose writing was interrupted is none, and the next takes its place.
        File.Delete(_folder["job", "submissions", "0003", "submission.json"]);
        Assert.Equal(2, job.Submissions().Count);
        Assert.Equal(3, job.Add(["/a"], [1], plan).Number);
    }

    [Fact]
    public void The_program_itself_says_whether_it_takes_the_options()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A script stands in for the program.");
        StandIns(("program", "printf '%s\\n' \"$@\" >\"$0.said\"; [ \"$5\" != wrong ] || { echo 'no such thing' >&2; exit 2; }"));
        ClusterSettings settings = s_settings with { Program = [_folder["bin", "program"]], Arguments = ["--a", "two words"] };
        ClusterWorker.Try(settings);
        Assert.Equal(["slurm", "check", "--", "--a", "two words"], File.ReadAllLines(_folder["bin", "program.said"]));
        DemucsException error = Assert.Throws<DemucsException>(() => ClusterWorker.Try(settings with { Arguments = ["--a", "wrong"] }));
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.EndsWith("'--a wrong': no such thing", error.Message, StringComparison.Ordinal);
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert.Throws<DemucsException>(() => ClusterWorker.Try(settings with { Arguments = ["--shard=1/2"] })).Error
        );
        Assert.Equal(
            DemucsError.ClusterJobInvalid,
            Assert.Throws<DemucsException>(() => ClusterWorker.Try(settings with { Program = [_folder["none"]] })).Error
        );
    }

    [Fact]
    public void A_retry_asks_for_what_was_asked_for_before()
    {
        ClusterJob job = ClusterJob.Create(_folder["job"], s_settings);
        SlurmOptions asked = new()
        {
            Name = "archive",
            Partition = "long",
            Account = "physics",
            Cpus = 3,
            Memory = "4G",
            Gres = "gpu:1",
            Throttle = 2,
            Extra = ["--qos=low"],
        };
        Assert.NotNull(
            ClusterOrder
                .New(_folder["other"], s_settings, ["/a"], [1], new ClusterPlanOptions { RealTimeFactor = 0.25 }, asked, null)
                .Submit()
        );
        ClusterOrder again = ClusterOrder.Again(_folder["other"], new ClusterPlanOptions(), new SlurmOptions { Partition = "short" }, null);
        Assert.Equal(("given", 0.25), (again.Plan.FactorOrigin, again.Plan.RealTimeFactor));
        SlurmOptions kept = again.Submit()!.Slurm!;
        Assert.Equal(
            ["--job-name=archive", "--partition=short", "--account=physics", "--cpus-per-task=3", "--mem=4G", "--gres=gpu:1", "--qos=low"],
            kept.Arguments()
        );
        Assert.Equal(2, kept.Throttle);
    }

    [Fact]
    public void Of_several_that_make_or_submit_a_job_at_once_one_does()
    {
        for (int round = 0; round < 10; round++)
        {
            string folder = _folder[$"job{round}"];
            Assert.Equal(1, Winners(() => ClusterJob.Create(folder, s_settings), DemucsError.ClusterJobExists));
            ClusterJob.Open(folder).Add(["/a"], [1], ClusterPlan.Create(["/a"], [1], new ClusterPlanOptions()));
            ClusterOrder[] orders =
            [
                .. Enumerable.Range(0, 4).Select(_ => ClusterOrder.Again(folder, new ClusterPlanOptions(), new SlurmOptions(), null)),
            ];
            ClusterOrder late = ClusterOrder.Again(folder, new ClusterPlanOptions(), new SlurmOptions(), null);
            int next = -1;
            Assert.Equal(1, Winners(() => orders[Interlocked.Increment(ref next)].Submit(), DemucsError.ClusterJobRunning));
            // One that was planned before, too, though nobody is at it any more.
            Assert.Equal(DemucsError.ClusterJobRunning, Assert.Throws<DemucsException>(late.Submit).Error);
            Assert.Equal(2, ClusterJob.Open(folder).Submissions().Count);
        }

        static int Winners(Action act, DemucsError refusal)
        {
            int winners = 0;
            ConcurrentBag<Exception> others = [];
            using Barrier start = new(4);
            Thread[] threads =
            [
                .. Enumerable
                    .Range(0, 4)
                    .Select(_ => new Thread(() =>
                    {
                        start.SignalAndWait();
                        try
                        {
                            act();
                            Interlocked.Increment(ref winners);
                        }
                        catch (DemucsException e) when (e.Error == refusal)
                        {
                            // Another one was first.
                        }
                        catch (Exception e)
                        {
                            others.Add(e);
                        }
                    })),
            ];
            foreach (Thread thread in threads)
                thread.Start();
            foreach (Thread thread in threads)
                thread.Join();
            Assert.Empty(others);
            return winners;
        }
    }

    [Theory]
    [InlineData("tracks.seconds", "NaN\n")]
    [InlineData("tracks.seconds", "1e300\n")]
    [InlineData("tracks.seconds", "-1\n")]
    public void Lengths_that_cannot_be_are_said(string file, string content)
    {
        ClusterJob job = Job();
        File.WriteAllText(_folder["job", "submissions", "0001", file], content);
        Assert.Equal(DemucsError.ClusterJobInvalid, Assert.Throws<DemucsException>(() => ClusterProgress.Read(job)).Error);
    }

    [Theory]
    [InlineData(0, 99999999999)]
    [InlineData(-5, 3)]
    [InlineData(0, -10)]
    [InlineData(0, 2000000000)]
    public void Parts_of_lists_that_cannot_be_are_said(long offset, long length)
    {
        ClusterJob job = Job();
        File.WriteAllText(_folder["job", "submissions", "0001", "tasks.index"], $"{offset,14} {length,11} {1,9} \n");
        Assert.Equal(DemucsError.ClusterJobInvalid, Assert.Throws<DemucsException>(() => job.Paths(1, 0)).Error);
    }

    [Theory]
    [InlineData("2026-01-01T00:00:00Z", "1e300", "1")]
    [InlineData("2026-01-01T00:00:00Z", "1", "1e300")]
    [InlineData("2026-01-01T00:00:00Z", "-1", "1")]
    [InlineData("0001-01-01T00:00:00Z", "5", "1")]
    public void Lines_of_results_that_cannot_be_are_left_out(string time, string seconds, string duration)
    {
        ClusterJob job = Job();
        File.WriteAllText(
            job.ResultsPath(1, 0, "7.0", "n1"),
            $$"""{"schema":1,"time":"{{time}}","status":"done","source":"/a","track":"a","seconds":{{seconds}},"duration":{{duration}}}"""
                + "\n"
        );
        ClusterStatus status = ClusterProgress.Read(job).Status(null);
        Assert.Equal((1, 0), (status.Tracks, status.Done));
        File.AppendAllText(
            job.ResultsPath(1, 0, "7.0", "n1"),
            """{"schema":1,"time":"2026-01-01T00:00:00Z","status":"done","source":"/a","track":"a","seconds":1,"duration":1}"""
        );
        Assert.Equal(1, ClusterProgress.Read(job).Status(null).Done);
    }

    [Theory]
    [InlineData("--shard")]
    [InlineData("--time-limit=01:00:00")]
    public void Options_that_tasks_give_themselves_are_refused(string option) =>
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert
                .Throws<DemucsException>(() =>
                    ClusterOrder.New(
                        _folder["job"],
                        s_settings with
                        {
                            Arguments = [option],
                        },
                        ["/a"],
                        [1],
                        new ClusterPlanOptions(),
                        new SlurmOptions(),
                        null
                    )
                )
                .Error
        );

    [Fact]
    public void What_does_not_exist_is_not_part_of_a_job()
    {
        List<DemucsException> failed = [];
        File.WriteAllText(_folder["there.wav"], "RIFF");
        Assert.Equal(
            [_folder["there.wav"]],
            ClusterInput.Files([_folder["there.wav"], _folder["nothere"]], new TrackListOptions(), _ => { }, failed.Add)
        );
        Assert.Equal((DemucsError.AudioTrackNotFound, _folder["nothere"]), (failed.Single().Error, failed.Single().Path));
    }

    [Fact]
    public void A_hundred_thousand_tracks_are_handed_to_a_controller_without_nodes()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using LocalSlurm slurm = LocalSlurm.Start(nodes: 0);
        SlurmCluster cluster = new(
            new SlurmCommand { Variables = new Dictionary<string, string> { ["SLURM_CONF"] = slurm.Configuration } }
        );
        (string[] paths, double?[] durations) = ClusterPlanTests.Archive(100_000);
        ClusterOrder order = ClusterOrder.New(
            _folder["job"],
            s_settings,
            paths,
            durations,
            new ClusterPlanOptions { RealTimeFactor = 0.5 },
            new SlurmOptions { Extra = ["--hold"] },
            cluster
        );
        ClusterSubmission submission = order.Submit()!;
        // Slurm's own limits: 1001 tasks an array, and 10,000 jobs, of which some are left to others.
        Assert.InRange(submission.Tasks, 1002, 9000);
        Assert.Equal(submission.Tasks, submission.Arrays.Sum(array => array.Count));
        Assert.All(submission.Arrays, array => Assert.InRange(array.Count, 1, 1001));
        SlurmTasks tasks = cluster.Tasks(submission.Arrays);
        Assert.Equal(submission.Tasks, tasks.Waiting);
        Assert.Equal(paths.Order(StringComparer.Ordinal), ClusterJob.Open(_folder["job"]).Paths(1).Order(StringComparer.Ordinal));
        cluster.Cancel(submission.Arrays);
        Assert.False(cluster.Tasks(submission.Arrays).IsActive);
    }

    private ClusterJob Job()
    {
        ClusterJob job = ClusterJob.Create(_folder["job"], s_settings);
        job.Add(["/a"], [1], ClusterPlan.Create(["/a"], [1], new ClusterPlanOptions()));
        return job;
    }

    private SlurmCluster StandIns(params (string Name, string Script)[] commands)
    {
        Directory.CreateDirectory(_folder["bin"]);
        foreach ((string name, string script) in commands)
        {
            File.WriteAllText(_folder["bin", name], $"#!/bin/sh\n{script}\n");
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(_folder["bin", name], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        return new SlurmCluster(new SlurmCommand { Folder = _folder["bin"] });
    }
}
