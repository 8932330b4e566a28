using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace DemucsPS.Tests.Shared;

/// <summary>A case of the long set only; in the short one it is skipped by name.</summary>
/// <param name="data">The arguments of the test method.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class LongInlineDataAttribute(params object?[] data) : DataAttribute
{
    /// <inheritdoc/>
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([
            new TheoryDataRow(data)
            {
                Skip = TestSet.OnlyLong,
                SkipType = typeof(TestSet),
                SkipUnless = nameof(TestSet.IsLong),
            },
        ]);

    /// <inheritdoc/>
    public override bool SupportsDiscoveryEnumeration() => true;
}
