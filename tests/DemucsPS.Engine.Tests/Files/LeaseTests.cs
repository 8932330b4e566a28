using DemucsPS.Engine.Files;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Files;

/// <summary>
/// A lease is had by one at a time, on however many machines, although its file goes with it, and is taken over from the dead.
/// </summary>
public sealed class LeaseTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder["lease"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_at_a_time_has_it_and_nothing_is_left(bool locks)
    {
        // Where a file system has no locks, the note alone has to do.
        LeaseTerms terms = LeaseTerms.Here with { Locks = locks };
        int inside = 0,
            most = 0,
            taken = 0;
        Thread[] threads =
        [
            .. Enumerable
                .Range(0, 4)
                .Select(_ => new Thread(() =>
                {
                    while (Volatile.Read(ref taken) < 200)
                    {
                        using Lease? held = Lease.TryTake(Path, terms, out LeaseHolder? holder);
                        Assert.Equal(held is null, holder is not null);
                        if (held is null)
                        {
                            Thread.Yield();
                            continue;
                        }
                        InterlockedMax(ref most, Interlocked.Increment(ref inside));
                        Interlocked.Increment(ref taken);
                        Thread.Yield();
                        Interlocked.Decrement(ref inside);
                    }
                })),
        ];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.Equal(1, most);
        Assert.Empty(_folder.Files());

        static void InterlockedMax(ref int most, int value)
        {
            for (
                int seen = Volatile.Read(ref most);
                seen < value && Interlocked.CompareExchange(ref most, value, seen) != seen;
                seen = Volatile.Read(ref most)
            )
                ;
        }
    }

    [Fact]
    public void Who_has_it_keeps_others_out_also_when_it_looks_expired_and_lives()
    {
        TurnedClock clock = new();
        LeaseTerms terms = LeaseTerms.Here with { Clock = clock };
        using (Lease.TryTake(Path, terms, out _))
        {
            Assert.SkipUnless(
                Lease.TryTake(Path, terms, out LeaseHolder? holder) is null && holder is { FreeAfter: null },
                "The temporary folder's file system has no locks."
            );
            clock.Turn(TimeSpan.FromDays(1));
            Assert.Null(Lease.TryTake(Path, terms, out _));
        }
        Assert.Empty(_folder.Files());
    }

    [Fact]
    public void A_process_that_died_on_this_machine_keeps_nobody_waiting()
    {
        Abandon(LeaseTerms.Here.Machine, locks: true);
        using Lease? lease = Lease.TryTake(Path, LeaseTerms.Here, out _);
        Assert.NotNull(lease);
        Assert.Equal(["lease", "lease+1"], _folder.Files());
        // And where it has no locks, or is another machine's, it does.
        lease.Dispose();
        Assert.Empty(_folder.Files());
        Abandon(LeaseTerms.Here.Machine, locks: false);
        Assert.Null(Lease.TryTake(Path, LeaseTerms.Here, out LeaseHolder? holder));
        Assert.InRange(holder!.FreeAfter!.Value, TimeSpan.FromTicks(1), LeaseTerms.Here.Lifetime);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(-9)]
    [InlineData(-600)]
    public void Another_machines_lease_is_free_when_nothing_was_heard_of_it_for_its_lifetime_whatever_its_clock_says(int minutesAhead)
    {
        TurnedClock clock = new(),
            other = new();
        other.Turn(TimeSpan.FromMinutes(minutesAhead));
        LeaseTerms here = LeaseTerms.Here with { Clock = clock },
            there = LeaseTerms.Here with { Clock = other, Machine = "node7 x", Locks = false };
        // Never renewed: as if its machine had lost its power.
        Lease dead = Lease.TryTake(Path, there with { Renewal = TimeSpan.FromDays(1) }, out _)!;
        if (minutesAhead == -600)
        {
            // More than clocks can be apart: nobody needs to watch it.
            Lease.TryTake(Path, here, out _)!.Dispose();
            return;
        }
        Assert.Null(Lease.TryTake(Path, here, out LeaseHolder? holder));
        Assert.Equal("node7", holder!.Note!.Host);
        clock.Turn(here.Lifetime * 0.9);
        Assert.Null(Lease.TryTake(Path, here, out _));
        clock.Turn(here.Lifetime * 0.2);
        using Lease? taken = Lease.TryTake(Path, here, out _);
        Assert.NotNull(taken);
        // Who was thought dead finds out, and leaves what is the other's.
        other.Turn(here.Lifetime);
        Assert.False(dead.Check());
        Assert.True(dead.IsLost);
        dead.Dispose();
        Assert.True(taken.Check());
        Assert.Contains("lease+1", _folder.Files());
        Assert.Null(Lease.TryTake(Path, there, out _));
    }

    [Fact]
    public void A_lease_that_is_renewed_is_never_free()
    {
        TurnedClock clock = new();
        LeaseTerms here = LeaseTerms.Here with { Clock = clock },
            there = here with { Machine = "node7 x", Locks = false };
        using Lease lives = Lease.TryTake(Path, there, out _)!;
        for (int i = 0; i < 5; i++)
        {
            Assert.Null(Lease.TryTake(Path, here, out _));
            clock.Turn(here.Lifetime * 0.8);
            // Being asked, it renews itself where its timer was held up.
            Assert.True(lives.Check());
        }
    }

    [Fact]
    public void Of_many_who_find_it_expired_one_takes_it_over()
    {
        LeaseTerms terms = LeaseTerms.Here with { Locks = false };
        Abandon("node7 x", locks: false, ago: TimeSpan.FromHours(1));
        Lease?[] leases = new Lease?[8];
        Parallel.For(0, leases.Length, i => leases[i] = Lease.TryTake(Path, terms with { Machine = $"node{i} y" }, out _));
        Assert.Single(leases, lease => lease is not null);
        leases.Single(lease => lease is not null)!.Dispose();
        Assert.Empty(_folder.Files());
    }

    [Fact]
    public void A_file_that_says_nothing_counts_by_its_age()
    {
        // As versions left it that had locks only, or one that is just being made.
        File.WriteAllBytes(Path, new byte[100]);
        Assert.Null(Lease.TryTake(Path, LeaseTerms.Here, out _));
        File.SetLastWriteTimeUtc(Path, DateTime.UtcNow - TimeSpan.FromHours(1));
        using Lease? lease = Lease.TryTake(Path, LeaseTerms.Here, out _);
        Assert.NotNull(lease);
    }

    [Fact]
    public void A_worker_that_was_held_up_until_another_took_over_notes_nothing_any_more()
    {
        TurnedClock clock = new();
        LeaseTerms slow = LeaseTerms.Here with { Clock = clock, Machine = "node7 x", Locks = false, Renewal = TimeSpan.FromDays(1) };
        using PartialFolder first = PartialFolder.Take(_folder["track", "demucsps.partial"], slow);
        first.CheckOwned();
        DemucsException running = Assert.Throws<DemucsException>(() => PartialFolder.Take(first.FolderPath));
        Assert.Equal(DemucsError.SeparationRunning, running.Error);
        Assert.Contains("on node7", running.Message, StringComparison.Ordinal);
        clock.Turn(TimeSpan.FromHours(1));
        using PartialFolder second = PartialFolder.Take(first.FolderPath, LeaseTerms.Here with { Clock = clock });
        File.WriteAllText(second["0.staged.partial"], "");
        Assert.Equal(DemucsError.SeparationRunning, Assert.Throws<DemucsException>(first.CheckOwned).Error);
        first.Dispose();
        Assert.True(File.Exists(second["0.staged.partial"]));
        second.CheckOwned();
    }

    private void Abandon(string machine, bool locks, TimeSpan ago = default) =>
        File.WriteAllBytes(Path, new LeaseNote(machine, 1, locks, DateTimeOffset.UtcNow - ago, 3).ToBytes());
}
