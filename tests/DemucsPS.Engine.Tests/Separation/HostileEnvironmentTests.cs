using System.Security.AccessControl;
using System.Security.Principal;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>
/// Disks and sources that fail in the middle of a separation: a clear error, what is kept can be continued, and nothing wrong is left.
/// </summary>
public sealed class HostileEnvironmentTests
{
    private static readonly string s_small = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx");

    [Theory]
    [InlineData(3_000_000, "demucsps.partial")]
    [InlineData(7_000_000, "finished")]
    public void A_full_disk_is_said_to_be_and_when_there_is_room_again_it_goes_on(int bytes, string where)
    {
        using InterruptedTrack track = new(s_small);
        using SmallDisk? disk = SmallDisk.TryMount(track.Folder["disk"], bytes, readOnly: false);
        if (disk is null)
        {
            Assert.Skip("Mounting a small disk needs an administrator on Linux.");
            return;
        }
        track.Separate("whole", new SeparationOptions());
        DemucsException e = Assert.Throws<DemucsException>(() => track.Separate("disk", new SeparationOptions()));
        Assert.Equal(DemucsError.StemWriteFailed, e.Error);
        Assert.Contains(where, e.Message, StringComparison.Ordinal);
        Assert.Contains("No space left", e.Message, StringComparison.Ordinal);
        Assert.Equal([Remedy.Resume], e.Remedies);
        Assert.Equal(["demucsps.partial"], track.Names("disk"));
        // Still full: still an error, and still nothing lost.
        Assert.Equal(
            DemucsError.StemWriteFailed,
            Assert
                .Throws<DemucsException>(() => track.Separate("disk", new SeparationOptions(), output => output with { Resume = true }))
                .Error
        );
        disk.Grow(40_000_000);
        SeparationResult result = track.Separate("disk", new SeparationOptions(), output => output with { Resume = true });
        Assert.True(result.Resumed);
        track.AssertSameStems("whole", "disk");
    }

    [Fact]
    public void A_destination_that_may_only_be_read_is_named_before_any_chunk_is_separated()
    {
        using InterruptedTrack track = new(s_small);
        using SmallDisk? disk = SmallDisk.TryMount(track.Folder["disk"], 1_000_000, readOnly: true);
        if (disk is null)
        {
            LockOut(Directory.CreateDirectory(track.Folder["disk"]));
        }
        int chunks = 0;
        DemucsException e = Assert.Throws<DemucsException>(() =>
            track.Separate(
                "disk",
                new SeparationOptions(),
                progress: new ProgressCallback(p => chunks += p.Stage == SeparationStage.Separating ? 1 : 0)
            )
        );
        Assert.Equal(DemucsError.StemWriteFailed, e.Error);
        Assert.Contains(track.Folder["disk"], e.Message, StringComparison.Ordinal);
        Assert.Equal(0, chunks);
    }

    [Fact]
    public void A_stem_that_another_program_has_open_is_named_and_once_it_is_closed_it_goes_on()
    {
        if (!OperatingSystem.IsWindows())
            Assert.Skip("Only Windows refuses to replace open files.");
        using InterruptedTrack track = new(s_small);
        track.Separate("whole", new SeparationOptions());
        string stem = track.Separate("out", new SeparationOptions { Overlap = 0.5 }).Stems[2].FilePath;
        DemucsException e;
        using (FileStream player = new(stem, FileMode.Open, FileAccess.Read, FileShare.Read))
            e = Assert.Throws<DemucsException>(() =>
                track.Separate("out", new SeparationOptions(), output => output with { Overwrite = true })
            );
        Assert.Equal(DemucsError.StemWriteFailed, e.Error);
        Assert.Contains(stem, e.Message, StringComparison.Ordinal);
        Assert.Contains("Close program", e.Message, StringComparison.Ordinal);
        Assert.Equal([Remedy.Resume], e.Remedies);
        track.Separate("out", new SeparationOptions(), output => output with { Resume = true });
        track.AssertSameStems("whole", "out");
    }

    [Fact]
    public void A_source_that_vanishes_is_read_to_its_end_or_said_to_be_missing()
    {
        using InterruptedTrack track = new(s_small);
        track.Separate("whole", new SeparationOptions());
        track.Separate(
            "out",
            new SeparationOptions(),
            progress: new ProgressCallback(p =>
            {
                if (p is { Stage: SeparationStage.Separating, Done: 3 })
                    File.Delete(track.SourcePath);
            })
        );
        track.AssertSameStems("whole", "out");

        InterruptedTrack.WriteNoise(track.SourcePath, 200_000);
        DemucsException e = Assert.Throws<DemucsException>(() =>
            track.Separate(
                "early",
                new SeparationOptions(),
                progress: new ProgressCallback(p =>
                {
                    if (p.Stage == SeparationStage.Measuring)
                        File.Delete(track.SourcePath);
                })
            )
        );
        Assert.Equal(DemucsError.AudioTrackNotFound, e.Error);
        Assert.False(Directory.Exists(track.Folder["early"]));
    }

    [Theory]
    [InlineData(SeparationStage.Measuring)]
    [InlineData(SeparationStage.Separating)]
    public void A_source_that_grows_or_changes_gives_no_stems(SeparationStage when)
    {
        using InterruptedTrack track = new(s_small);
        bool written = false;
        DemucsException e = Assert.Throws<DemucsException>(() =>
            track.Separate(
                "out",
                new SeparationOptions(),
                progress: new ProgressCallback(p =>
                {
                    if (written || p.Stage != when || p.Done < 3)
                        return;
                    written = true;
                    using FileStream stream = new(track.SourcePath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
                    stream.Write(new byte[80_000]);
                })
            )
        );
        Assert.Equal(DemucsError.AudioTrackCorrupt, e.Error);
        Assert.Contains("changed during the separation", e.Message, StringComparison.Ordinal);
        Assert.Empty(
            Directory.Exists(track.Folder["out"]) ? Directory.GetFiles(track.Folder["out"], "*.wav", SearchOption.AllDirectories) : []
        );
        if (when == SeparationStage.Separating)
            Assert.Equal(
                DemucsError.ResumeMismatch,
                Assert
                    .Throws<DemucsException>(() => track.Separate("out", new SeparationOptions(), output => output with { Resume = true }))
                    .Error
            );
    }

    /// <summary>Takes from this user the right to write to a folder. A user who writes to it all the same cannot be tested with.</summary>
    private static void LockOut(DirectoryInfo folder)
    {
        if (OperatingSystem.IsWindows())
        {
            DirectorySecurity security = folder.GetAccessControl();
            security.AddAccessRule(
                new FileSystemAccessRule(
                    new SecurityIdentifier(WellKnownSidType.WorldSid, null),
                    FileSystemRights.CreateFiles | FileSystemRights.CreateDirectories,
                    AccessControlType.Deny
                )
            );
            folder.SetAccessControl(security);
        }
        else
        {
            folder.UnixFileMode = UnixFileMode.UserRead | UnixFileMode.UserExecute;
        }
        try
        {
            folder.CreateSubdirectory("written");
        }
        catch (UnauthorizedAccessException)
        {
            return;
        }
        Assert.Skip("There is no way to a folder that this user may only read.");
    }
}
