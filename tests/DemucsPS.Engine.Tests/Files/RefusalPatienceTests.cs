using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Tests.Files;

public sealed class RefusalPatienceTests
{
    private readonly List<TimeSpan> _waits = [];

    public static TheoryData<Exception> Refusals =>
        [OpenElsewhere(), Windows(33), Windows(303), Windows(1224), new UnauthorizedAccessException()];

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_Windows_refuses_for_a_moment_is_tried_again(Exception refusal)
    {
        int tries = 0;
        Assert.Equal(4, Patience(onWindows: true).Do(() => ++tries < 4 ? throw refusal : tries));
        Assert.Equal(3, _waits.Count);
        Assert.Equal(_waits.Order(), _waits);
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_stays_refused_is_an_error_after_two_seconds(Exception refusal)
    {
        Assert.Same(refusal, Record.Exception(() => Patience(onWindows: true).Do<int>(() => throw refusal)));
        Assert.InRange(_waits.Aggregate(TimeSpan.Zero, (sum, wait) => sum + wait), TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void Other_errors_are_told_at_once()
    {
        foreach (
            Exception other in new Exception[]
            {
                Windows(112),
                new FileNotFoundException(),
                new DirectoryNotFoundException(),
                new InvalidOperationException(),
            }
        )
            Assert.Same(other, Record.Exception(() => Patience(onWindows: true).Do<int>(() => throw other)));
        // No other system refuses for a moment.
        foreach (Exception refusal in Refusals.Select(row => row.Data))
            Assert.Same(refusal, Record.Exception(() => Patience(onWindows: false).Do<int>(() => throw refusal)));
        Assert.Empty(_waits);
    }

    [Fact]
    public void The_remedy_is_to_close_the_program_where_one_has_the_file_open()
    {
        Assert.Equal("Close the program that has it open, and try again.", Patience(onWindows: true).RemedyFor(OpenElsewhere()));
        Assert.StartsWith(
            "Close programs that have it open. Check its permissions",
            Patience(onWindows: true).RemedyFor(new UnauthorizedAccessException()),
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            "Check that the disk is connected and has free space",
            Patience(onWindows: true).RemedyFor(Windows(112)),
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            "Check that the disk is connected and has free space",
            Patience(onWindows: false).RemedyFor(new UnauthorizedAccessException()),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_file_is_replaced_once_the_program_that_has_it_open_has_closed_it()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["new"], "new");
        File.WriteAllText(folder["old"], "old");
        if (!OperatingSystem.IsWindows())
            Assert.Skip("Only Windows refuses to replace open files.");
        FileStream reader = new(folder["old"], FileMode.Open, FileAccess.Read, FileShare.Read);
        int waits = 0;
        new RefusalPatience(onWindows: true, _ =>
        {
            if (++waits == 2)
                reader.Dispose();
        }).Do(() =>
        {
            File.Move(folder["new"], folder["old"], overwrite: true);
            return true;
        });
        Assert.Equal(2, waits);
        Assert.Equal("new", File.ReadAllText(folder["old"]));
    }

    private RefusalPatience Patience(bool onWindows) => new(onWindows, _waits.Add);

    private static IOException OpenElsewhere() => Windows(32);

    private static IOException Windows(int code) => new("said by Windows", unchecked((int)0x80070000) | code);
}
