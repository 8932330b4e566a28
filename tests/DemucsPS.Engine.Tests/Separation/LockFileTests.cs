using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>A lock is had by one at a time, although its file goes with it.</summary>
public sealed class LockFileTests
{
    [Fact]
    public void One_at_a_time_has_it_and_nothing_is_left()
    {
        using TemporaryFolder folder = new();
        string path = folder["lock"];
        int inside = 0, most = 0, taken = 0;
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            while (Volatile.Read(ref taken) < 2000)
            {
                try
                {
                    using LockFile? held = LockFile.TryTake(path);
                    if (held is null)
                        continue;
                    InterlockedMax(ref most, Interlocked.Increment(ref inside));
                    Interlocked.Increment(ref taken);
                    Thread.Yield();
                    Interlocked.Decrement(ref inside);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // Another has it; Windows says of one that is just being deleted that it may not be opened.
                    Thread.Yield();
                }
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.Equal(1, most);
        Assert.Empty(folder.Files());

        static void InterlockedMax(ref int most, int value)
        {
            for (int seen = Volatile.Read(ref most); seen < value && Interlocked.CompareExchange(ref most, value, seen) != seen; seen = Volatile.Read(ref most))
                ;
        }
    }

    [Fact]
    public void A_lock_on_a_file_that_lost_its_name_is_none_and_leaves_the_one_of_that_name()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows keeps open files from losing their names.");
        using TemporaryFolder folder = new();
        // The last owner deletes it, and perhaps another one makes it anew, between the opening and the lock.
        Assert.Null(LockFile.TryTake(folder["lock"], () => File.Delete(folder["lock"])));
        LockFile? other = null;
        Assert.Null(LockFile.TryTake(folder["lock"], () =>
        {
            File.Delete(folder["lock"]);
            other = LockFile.TryTake(folder["lock"]);
        }));
        Assert.Equal(["lock"], folder.Files());
        other!.Dispose();
        Assert.Empty(folder.Files());
    }

    [Fact]
    public void Who_has_it_keeps_others_out_and_a_file_that_was_left_does_not()
    {
        using TemporaryFolder folder = new();
        // As a process leaves it that was killed.
        File.WriteAllBytes(folder["lock"], new byte[100]);
        using (LockFile.TryTake(folder["lock"]))
            Assert.ThrowsAny<IOException>(() => LockFile.TryTake(folder["lock"]));
        Assert.Empty(folder.Files());
    }
}
