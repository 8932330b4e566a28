namespace DemucsPS.Cli.Tests;

/// <summary>The console program's namespaces are built in floors, as the engine's are.</summary>
public sealed class FloorTests
{
    [Fact]
    public void No_namespace_uses_one_that_uses_it() => Assert.Empty(NamespaceGraph.Read(Demucsps.Assembly).Circles());
}
