using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Batch;

/// <summary>Every track is in one share, and all shares are about as long.</summary>
public sealed class ShardsTests
{
    [Fact]
    public void Every_track_is_in_one_share_whatever_the_order_of_the_list()
    {
        Random random = new(4);
        for (int run = 0; run < 50; run++)
        {
            int count = random.Next(1, 40);
            (string Key, double? Seconds)[] tracks =
            [
                .. Enumerable
                    .Range(0, random.Next(0, 200))
                    .Select(i =>
                        (
                            $"/music/{i}",
                            random.Next(4) switch
                            {
                                0 => (double?)null,
                                1 => 0,
                                2 => 200,
                                _ => random.NextDouble() * 600,
                            }
                        )
                    ),
            ];
            int[] assigned = Shards.Assign(tracks, count);
            Assert.All(assigned, share => Assert.InRange(share, 1, count));
            (string Key, double? Seconds)[] shuffled = [.. tracks];
            random.Shuffle(shuffled);
            Assert.Equal(
                tracks.Zip(assigned).ToDictionary(t => t.First.Key, t => t.Second),
                shuffled.Zip(Shards.Assign(shuffled, count)).ToDictionary(t => t.First.Key, t => t.Second)
            );
        }
    }

    [Theory]
    [InlineData(1_000, 10)]
    [LongInlineData(100_000, 1_000)]
    public void Shares_of_a_simulated_archive_differ_by_less_than_a_twentieth(int songs, int count)
    {
        // Songs are log-normal about four minutes; a hundredth are mixes and concerts.
        Random random = new(22);
        (string Key, double? Seconds)[] tracks =
        [
            .. Enumerable
                .Range(0, songs)
                .Select(i =>
                    (
                        $"/archive/{i:X8}.flac",
                        (double?)(random.Next(100) == 0 ? 600 + 3000 * random.NextDouble() : Math.Exp(Math.Log(235) + 0.4 * Normal()))
                    )
                ),
        ];
        long before = GC.GetTotalAllocatedBytes(precise: true);
        int[] assigned = Shards.Assign(tracks, count);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 300L << 20);
        double[] loads = new double[count];
        for (int i = 0; i < songs; i++)
            loads[assigned[i] - 1] += tracks[i].Seconds!.Value;
        Assert.True(loads.Max() / loads.Min() < 1.05, $"{loads.Min()} to {loads.Max()}");

        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }

    [Fact]
    public void Lengths_are_measured_once_for_all_workers_and_stay_until_other_inputs_are_given()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["album"]);
        for (int i = 1; i <= 4; i++)
            InterruptedTrack.WriteNoise(folder["album", $"{i}.wav"], 4410 * i);
        File.WriteAllText(folder["bad.wav"], "RIFF");
        TrackListOptions options = new() { OutputFolder = folder["out"] };
        string[] inputs = [folder["album"], folder["bad.wav"], folder["none.wav"]];
        string list = folder["list.durations"];
        TrackDurations[] all = new TrackDurations[4];
        Parallel.For(0, all.Length, i => all[i] = TrackDurations.Load(list, inputs, options));
        Assert.All(all, durations => Assert.Equal(all[0].Tracks, durations.Tracks));
        Assert.Equal([0.1, 0.2, 0.3, 0.4, 0, 0], all[0].Tracks.Select(track => track.Seconds));
        Assert.Equal(["list.durations"], folder.Files().Where(file => file.StartsWith("list", StringComparison.Ordinal)));

        // A file that changes while workers come and go does not change who has what.
        File.Delete(folder["album", "1.wav"]);
        InterruptedTrack.WriteNoise(folder["album", "1.wav"], 44100);
        InterruptedTrack.WriteNoise(folder["album", "9.wav"], 44100);
        byte[] written = File.ReadAllBytes(list);
        Assert.Equal(all[0].Tracks, TrackDurations.Load(list, [.. inputs.Reverse()], options).Tracks);
        Assert.Equal(written, File.ReadAllBytes(list));

        List<TrackSource> taken = [];
        for (int i = 1; i <= 3; i++)
        {
            TrackShare share = TrackShare.Take(
                inputs,
                options,
                new TrackList(options, _ => { }, e => Assert.Fail(e.Message)),
                new ShardNumber(i, 3),
                all[0]
            );
            Assert.Subset(share.Tracks.ToHashSet(), share.Mine.ToHashSet());
            taken.AddRange(share.Mine);
        }
        Assert.Equal(all[0].Tracks.Select(track => track.Key), taken.Select(TrackDurations.KeyOf).Order(StringComparer.Ordinal));

        // For other inputs it is made anew; what it says of files of the same size and time is kept.
        File.WriteAllText(list, File.ReadAllText(list).Replace("\"seconds\":0.2", "\"seconds\":77", StringComparison.Ordinal));
        Assert.Equal(
            [1, 77, 0.3, 0.4, 1],
            TrackDurations.Load(list, [folder["album"]], options).Tracks.Select(track => track.Seconds!.Value)
        );
        // And one that is cut short is none.
        File.WriteAllBytes(list, File.ReadAllBytes(list)[..^30]);
        Assert.Equal(5, TrackDurations.Load(list, [folder["album"]], options).Tracks.Count);
    }

    [Fact]
    public void A_file_of_lengths_that_names_a_track_twice_is_made_anew()
    {
        using TemporaryFolder folder = new();
        string list = folder["d"];
        InterruptedTrack.WriteNoise(folder["a.wav"], 4410);
        InterruptedTrack.WriteNoise(folder["b.wav"], 8820);
        TrackDurations.Load(list, [folder["a.wav"], folder["b.wav"]], new TrackListOptions());
        string[] lines = File.ReadAllLines(list);
        File.WriteAllLines(list, [lines[0], lines[1], lines[1]]);
        Assert.Equal([0.2], TrackDurations.Load(list, [folder["b.wav"]], new TrackListOptions()).Tracks.Select(track => track.Seconds));
    }

    [Fact]
    public void What_is_no_file_is_not_replaced_by_lengths()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Names of pipes are no names of files here.");
        using TemporaryFolder folder = new();
        InterruptedTrack.WriteNoise(folder["a.wav"], 4410);
        NamedPipe.Create(folder["pipe"]);
        foreach (string other in new[] { folder["pipe"], folder.Path })
        {
            DemucsException error = Assert.Throws<DemucsException>(() =>
                TrackDurations.Load(other, [folder["a.wav"]], new TrackListOptions())
            );
            Assert.Equal(DemucsError.StemWriteFailed, error.Error);
            Assert.Contains(other == folder.Path ? "a folder" : "a pipe", error.Message, StringComparison.Ordinal);
            Assert.Throws<DemucsException>(() => DurableFiles.Replace(other, "x"u8, folder["x.partial"]));
        }
        Assert.Equal("a pipe", RegularFile.InsteadOf(folder["pipe"]));
        Assert.Equal(["a.wav", "pipe"], folder.Files().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Parts_of_files_are_shared_out_too_and_only_files_of_the_share_are_opened()
    {
        using TemporaryFolder folder = new();
        InterruptedTrack.WriteNoise(folder["a.wav"], 44100);
        InterruptedTrack.WriteNoise(folder["b.wav"], 4410);
        File.WriteAllText(folder["a.cue"], "FILE a.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 01 00:00:25\n");
        TrackListOptions options = new();
        string[] inputs = [folder["a.cue"], folder["b.wav"]];
        TrackDurations durations = TrackDurations.Load(folder["d"], inputs, options);
        Assert.Equal(3, durations.Tracks.Count);
        TrackSource[] taken =
        [
            .. Enumerable
                .Range(1, 3)
                .SelectMany(i =>
                    TrackShare
                        .Take(
                            inputs,
                            options,
                            new TrackList(options, _ => { }, e => Assert.Fail(e.Message)),
                            new ShardNumber(i, 3),
                            durations
                        )
                        .Mine
                ),
        ];
        Assert.Equal(["01", "02", "b"], taken.Select(track => track.Name).Order(StringComparer.Ordinal));
        Assert.Equal(3, taken.Distinct().Count());
    }
}
