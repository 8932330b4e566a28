using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DemucsPS.Bench;

/// <summary>
/// The figures of one run. Times are medians in seconds; ratios are medians of the rounds' ratios, so that what disturbs a round disturbs
/// both sides.
/// </summary>
internal sealed class BenchReport
{
    public static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public required string Machine { get; init; }

    public required string Runtime { get; init; }

    public required string Model { get; init; }

    public required int Rounds { get; init; }

    public required int Threads { get; init; }

    /// <summary>Operations of one chunk in 10⁹; null where they cannot be counted.</summary>
    public double? ChunkGigaflop { get; init; }

    /// <summary>Seconds by what was measured.</summary>
    public required IReadOnlyDictionary<string, double> Seconds { get; init; }

    public required IReadOnlyDictionary<string, double> Ratios { get; init; }

    /// <summary>10⁹ operations a second of the machine's matrix multiplication, and of the model.</summary>
    public required IReadOnlyDictionary<string, double> GigaflopsPerSecond { get; init; }

    public required IReadOnlyDictionary<string, long> PeakBytes { get; init; }

    /// <summary>The report as aligned text.</summary>
    public string ToTable()
    {
        StringBuilder table = new();
        Line("machine", Machine);
        Line("runtime", Runtime);
        Line("model", Model);
        Line("rounds, threads", $"{Rounds}, {Threads}");
        foreach ((string name, double seconds) in Seconds)
            Line(name, string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000,10:F1} ms"));
        foreach ((string name, double ratio) in Ratios)
            Line(name, string.Create(CultureInfo.InvariantCulture, $"{ratio,10:F3}"));
        foreach ((string name, double speed) in GigaflopsPerSecond)
            Line(name, string.Create(CultureInfo.InvariantCulture, $"{speed,10:F1} GFLOP/s"));
        foreach ((string name, long bytes) in PeakBytes)
            Line(name, string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6,10:F0} MB"));
        return table.ToString();

        void Line(string name, string value) => table.AppendLine(CultureInfo.InvariantCulture, $"{name,-44} {value}");
    }
}
