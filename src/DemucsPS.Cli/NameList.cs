namespace DemucsPS.Cli;

/// <summary>Names that are given by repeating an option, or between commas, or both.</summary>
internal static class NameList
{
    /// <summary>The names, in order; none where the option was not given.</summary>
    public static string[] Of(string[]? given) =>
        [.. (given ?? []).SelectMany(s => s.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
}
