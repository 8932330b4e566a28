using DemucsPS.Engine.Clusters;

namespace DemucsPS.Engine.Tests.Clusters;

/// <summary>How an archive is dealt out.</summary>
public sealed class ClusterPlanTests
{
    [Fact]
    public void A_hundred_thousand_tracks_make_tasks_of_nearly_equal_length()
    {
        (string[] paths, double?[] durations) = Archive(100_000);
        ClusterPlan plan = ClusterPlan.Create(paths, durations, new ClusterPlanOptions { RealTimeFactor = 0.5, MaxTasks = 9000 });
        Assert.Equal(Enumerable.Range(0, paths.Length), plan.Tasks.SelectMany(task => task.Tracks).Order());
        Assert.Equal(durations.Sum()!.Value, plan.Audio.TotalSeconds, 1);
        // Half an hour each, or as near to it as whole tracks come.
        Assert.InRange(plan.Tasks.Count, (int)(plan.Audio.TotalMinutes * 0.5 / 30), (int)(plan.Audio.TotalMinutes * 0.5 / 30) + 1);
        Assert.InRange(plan.ShortestTask / plan.LongestTask, 0.95, 1);
        Assert.Equal(plan.TimeLimit, TimeSpan.FromMinutes(Math.Ceiling(plan.LongestTask.TotalMinutes * 1.5 + 10)));
        Assert.Equal("given", plan.FactorOrigin);
        // The same again is the same.
        Assert.Equal(
            plan.Tasks.Select(task => task.Tracks),
            ClusterPlan
                .Create(paths, durations, new ClusterPlanOptions { RealTimeFactor = 0.5, MaxTasks = 9000 })
                .Tasks.Select(task => task.Tracks)
        );
    }

    [Fact]
    public void Fewer_tasks_than_asked_for_are_longer_and_tracks_are_never_cut()
    {
        ClusterPlan plan = ClusterPlan.Create(
            ["a", "b", "c"],
            [3600, null, 1800],
            new ClusterPlanOptions { TaskLength = TimeSpan.FromMinutes(1), MaxTasks = 2 }
        );
        Assert.Equal((2, 3, 1), (plan.Tasks.Count, plan.Tracks, plan.Unknown));
        // One of unknown length counts as the mean: 45 minutes.
        Assert.Equal(TimeSpan.FromHours(2.25), plan.Audio);
        Assert.Equal(
            3,
            ClusterPlan
                .Create(["a", "b", "c"], [3600, null, 1800], new ClusterPlanOptions { TaskLength = TimeSpan.FromMinutes(1) })
                .Tasks.Count
        );
        Assert.Empty(ClusterPlan.Create([], [], new ClusterPlanOptions()).Tasks);
    }

    [Theory]
    [InlineData(0.0, 30, 60, 1)]
    [InlineData(double.NaN, 30, 60, 1)]
    [InlineData(1.0, 0, 60, 1)]
    [InlineData(1.0, 30, 0, 1)]
    [InlineData(1.0, 30, 60, 0)]
    [InlineData(10.0, 30, 60, 1)]
    public void What_cannot_be_planned_is_refused(double factor, int taskMinutes, int limitMinutes, int tasks) =>
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert
                .Throws<DemucsException>(() =>
                    ClusterPlan.Create(
                        ["a"],
                        [3600],
                        new ClusterPlanOptions
                        {
                            RealTimeFactor = factor,
                            TaskLength = TimeSpan.FromMinutes(taskMinutes),
                            TimeLimit = TimeSpan.FromMinutes(limitMinutes),
                            MaxTasks = tasks,
                        }
                    )
                )
                .Error
        );

    [Theory]
    [InlineData("--array=0-9")]
    [InlineData("--arr=0-9")]
    [InlineData("-a0-9")]
    [InlineData("--wrap=true")]
    [InlineData("-D/")]
    [InlineData("job.sh")]
    [InlineData("--")]
    [InlineData("-")]
    [InlineData("")]
    public void Options_that_would_undo_the_plan_are_refused(string option) =>
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert.Throws<DemucsException>(() => new SlurmOptions { Extra = ["--qos=low", "-N1", "--time-min=5", option] }.Check()).Error
        );

    [Fact]
    public void Options_that_Slurm_knows_besides_are_handed_on() =>
        new SlurmOptions { Extra = ["--qos=low", "-N1", "--time-min=5", "--exclude=n1", "--nice"] }.Check();

    [Fact]
    public void The_page_on_clusters_says_what_the_plan_says()
    {
        (string[] paths, double?[] durations) = Archive(100_000);
        ClusterPlan plan = ClusterPlan.Create(paths, durations, new ClusterPlanOptions { RealTimeFactor = 51.2 / 180, MaxTasks = 9000 });
        double hours = plan.Audio.TotalHours,
            work = hours * 51.2 / 180;
        string page = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "CLUSTER.md"));
        Assert.All(
            (string[])
                [
                    FormattableString.Invariant($"{durations.Average():F0} s in the mean, {hours:N0} hours of audio"),
                    FormattableString.Invariant($"{durations.Min() / 60:F0} to {durations.Max() / 60:F0} minutes"),
                    FormattableString.Invariant(
                        $"{10 * Math.Round(work / 10):N0} hours on such a node, {20 * Math.Round(work / 10):N0} core hours; with 100 nodes {work / 100:F0} hours"
                    ),
                    FormattableString.Invariant($"{plan.Tasks.Count:N0} of half an hour"),
                    FormattableString.Invariant($"{hours * 3600 * 4 * 2 * 3 * 44100 / 1e12:F0} TB"),
                    FormattableString.Invariant($"{100 * (1 - plan.ShortestTask / plan.LongestTask):F1} %"),
                ],
            figure => Assert.Contains(figure, page, StringComparison.Ordinal)
        );
    }

    /// <summary>
    /// An archive with as much audio a track as a recorded one: the Free Music Archive's research data set has 106,574 tracks and 343 days
    /// of audio (M. Defferrard and others, "FMA: A Dataset for Music
    /// Analysis", 2017). Of its lengths one by one nothing is known here: they are drawn, at least a minute, and the longer the rarer.
    /// </summary>
    internal static (string[] Paths, double?[] Durations) Archive(int count)
    {
        const double Mean = 343.0 * 86400 / 106_574,
            Shortest = 60;
        Random random = new(7);
        double[] drawn = [.. Enumerable.Range(0, count).Select(_ => -Math.Log(1 - random.NextDouble()))];
        double factor = (Mean - Shortest) / drawn.Average();
        return (
            [.. Enumerable.Range(0, count).Select(i => $"/archive/{i / 100:0000}/{i % 100:00} - Ünïcode 音 'quoted' $(name).flac")],
            [.. drawn.Select(length => (double?)(Shortest + factor * length))]
        );
    }
}
