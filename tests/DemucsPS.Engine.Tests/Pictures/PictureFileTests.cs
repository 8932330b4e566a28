using DemucsPS.Engine.Pictures;

namespace DemucsPS.Engine.Tests.Pictures;

public sealed class PictureFileTests
{
    [Fact]
    public void A_picture_is_written_whole_and_replaces_nothing_unasked()
    {
        using TemporaryFolder folder = new();
        new PictureFile(folder["a.png"], overwrite: false).Write([1, 2, 3]);
        DemucsException exists = Assert.Throws<DemucsException>(() => new PictureFile(folder["a.png"], overwrite: false).Write([4]));
        Assert.Equal((DemucsError.PictureExists, Remedy.Replace), (exists.Error, Assert.Single(exists.Remedies)));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(folder["a.png"]));
        new PictureFile(folder["a.png"], overwrite: true).Write([4]);
        Assert.Equal([4], File.ReadAllBytes(folder["a.png"]));
        Assert.Equal(["a.png"], folder.Files());
        Directory.CreateDirectory(folder["b.png"]);
        foreach (string path in (string[])[folder["b.png"], folder["none", "a.png"]])
            Assert.Equal(
                DemucsError.PictureWriteFailed,
                Assert.Throws<DemucsException>(() => new PictureFile(path, overwrite: true).Write([4])).Error
            );
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert.Throws<DemucsException>(() => new PictureFile(folder["a.jpg"], overwrite: true)).Error
        );
        Assert.True(new PictureFile(folder["a.SVG"], overwrite: true).IsSvg);
    }

    [Fact]
    public void A_full_disk_leaves_what_was_there()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["disk"]);
        using SmallDisk? disk = SmallDisk.TryMount(folder["disk"], 1 << 20, readOnly: false);
        Assert.SkipWhen(disk is null, "No file system can be mounted here.");
        string path = folder["disk", "a.png"];
        new PictureFile(path, overwrite: false).Write([1]);
        DemucsException full = Assert.Throws<DemucsException>(() => new PictureFile(path, overwrite: true).Write(new byte[4 << 20]));
        Assert.Equal(DemucsError.PictureWriteFailed, full.Error);
        Assert.Equal([1], File.ReadAllBytes(path));
        Assert.Single(Directory.EnumerateFiles(folder["disk"]));
    }
}
