using DemucsPS.Cmdlets;

namespace DemucsPS.Tests;

/// <summary>The module's namespaces are built in floors, as the engine's are.</summary>
public sealed class FloorTests
{
    [Fact]
    public void No_namespace_uses_one_that_uses_it() =>
        Assert.Empty(NamespaceGraph.Read(typeof(ImportAudioTrackCommand).Assembly.Location).Circles());
}
