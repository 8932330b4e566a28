namespace DemucsPS.Tests.Shared;

/// <summary>
/// Which set of inputs a test takes: the short one, or the long one where <c>DEMUCSPS_TESTS</c> is <c>long</c>, as in <c>.ci/run</c>. The
/// tests are the same; docs/CONTRIBUTING.md says what
/// differs.
/// </summary>
internal static class TestSet
{
    /// <summary>The name of the variable.</summary>
    public const string Variable = "DEMUCSPS_TESTS";

    /// <summary>Why a case is skipped.</summary>
    public const string OnlyLong = "Of the long set: set " + Variable + " to 'long'.";

    /// <summary>Whether the long set is asked for.</summary>
    public static bool IsLong { get; } =
        Environment.GetEnvironmentVariable(Variable) switch
        {
            null or "" or "short" => false,
            "long" => true,
            string other => throw new InvalidOperationException($"{Variable} is '{other}'; it can be 'short' or 'long'."),
        };

    /// <summary>One of two sizes.</summary>
    public static int Size(int ofShort, int ofLong) => IsLong ? ofLong : ofShort;
}
