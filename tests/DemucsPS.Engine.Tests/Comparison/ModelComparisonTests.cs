using DemucsPS.Engine.Comparison;
using DemucsPS.Engine.Quality;

namespace DemucsPS.Engine.Tests.Comparison;

public sealed class ModelComparisonTests
{
    [Fact]
    public void What_cannot_be_meant_is_refused_before_anything_is_looked_for()
    {
        Assert.Contains(
            "'a, overlap 0.05, shifts 2' occurs twice",
            Refusal(
                new() { Model = "a", Shifts = 2 },
                new()
                {
                    Model = "a",
                    Overlap = 0.05,
                    Shifts = 2,
                }
            ),
            StringComparison.Ordinal
        );
        Assert.Contains("1.5", Refusal(new ComparisonSetting { Overlap = 1.5 }), StringComparison.Ordinal);
        Assert.Contains("-1", Refusal(new(), new() { Shifts = -1 }), StringComparison.Ordinal);
        Assert.Contains(
            "metric",
            RefusalWith(new QualityOptions { Metrics = QualityMetric.None }, new ComparisonSetting()),
            StringComparison.Ordinal
        );
    }

    private static string Refusal(params ComparisonSetting[] settings) => RefusalWith(new QualityOptions(), settings);

    private static string RefusalWith(QualityOptions quality, params ComparisonSetting[] settings)
    {
        ModelComparison comparison = new()
        {
            Folder = Path.GetTempPath(),
            Quality = quality,
            Failed = (_, _, e) => throw e,
        };
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            comparison
                .Run(
                    [],
                    settings,
                    _ => throw new InvalidOperationException("It was looked for."),
                    null,
                    TestContext.Current.CancellationToken
                )
                .ToArray()
        );
        Assert.Equal(DemucsError.ParameterInvalid, refused.Error);
        return refused.Message;
    }
}
