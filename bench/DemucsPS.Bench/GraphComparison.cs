using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Bench;

/// <summary>
/// Models, or one model on several execution providers, side by side: each is loaded and run in a process of its own, one after the other,
/// for as many rounds as are asked for.
/// </summary>
internal static class GraphComparison
{
    private const int Runs = 3;

    /// <summary>
    /// Compares models, each said as <c>MODEL</c>, <c>MODEL@PROVIDER</c> or <c>MODEL@PROVIDER:PRECISION</c>; the first is what the others
    /// are divided by.
    /// </summary>
    public static void Report(IReadOnlyList<string> models, int rounds, int threads, TextWriter to)
    {
        List<Loaded>[] all = [.. models.Select(_ => new List<Loaded>())];
        // Round 0 makes copies and graphs that are missing.
        for (int round = 0; round <= rounds; round++)
        {
            for (int i = 0; i < models.Count; i++)
            {
                Loaded loaded = Measure(models[i], threads);
                if (round > 0)
                    all[i].Add(loaded);
                to.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"round {round}, {Path.GetFileName(models[i])}: load {loaded.LoadSeconds:F2} s, first run {loaded.FirstSeconds:F2} s, run {loaded.RunSeconds:F3} s, CPU {loaded.CpuSeconds:F2} s, peak {loaded.PeakBytes / 1e6:F0} MB"
                    )
                );
            }
        }
        for (int i = 0; i < models.Count; i++)
        {
            string Ratio(Func<Loaded, double> of) =>
                Median([.. all[i].Zip(all[0], (mine, first) => of(mine) / of(first))]).ToString("F3", CultureInfo.InvariantCulture);
            to.WriteLine(
                $"{Path.GetFileName(models[i])} ÷ {Path.GetFileName(models[0])}: run {Ratio(l => l.RunSeconds)}, CPU {Ratio(l => l.CpuSeconds)}, load {Ratio(l => l.LoadSeconds)}, peak {Ratio(l => l.PeakBytes)}"
            );
        }
    }

    /// <summary>What a process of its own does: loads a model as the product does, and runs it on noise.</summary>
    public static string Run(string model, int threads)
    {
        (string path, ExecutionProvider provider, ModelPrecision precision) = Parse(model);
        Stopwatch watch = Stopwatch.StartNew();
        using SeparationModel loaded = SeparationModel.Load(
            ModelSource.Find(path),
            new OnnxSessionOptions { IntraOpThreads = threads, ExecutionProvider = provider },
            prepare: true,
            precision: precision
        );
        double load = watch.Elapsed.TotalSeconds;
        ModelTensors tensors = new(loaded.Contract);
        Random random = new(1);
        for (int i = 0; i < loaded.Contract.SegmentFrames; i++)
            tensors.Segment(0).Left[i] = tensors.Segment(0).Right[i] = random.NextSingle() - 0.5f;
        for (int i = 0; i < tensors.Segment(0).Spectrogram.Length; i++)
            tensors.Segment(0).Spectrogram[i] = random.NextSingle() - 0.5f;
        double first = Seconds();
        TimeSpan before = Environment.CpuUsage.TotalTime;
        double run = Median([.. Enumerable.Range(0, Runs).Select(_ => Seconds())]);
        double cpu = (Environment.CpuUsage.TotalTime - before).TotalSeconds / Runs;
        using Process self = Process.GetCurrentProcess();
        return JsonSerializer.Serialize(new Loaded(load, first, run, cpu, self.PeakWorkingSet64), BenchReport.Json);

        double Seconds()
        {
            watch.Restart();
            loaded.Run(tensors, CancellationToken.None);
            return watch.Elapsed.TotalSeconds;
        }
    }

    private static (string Path, ExecutionProvider Provider, ModelPrecision Precision) Parse(string model)
    {
        string[] parts = model.Split('@', 2),
            how = [.. parts.Skip(1).SelectMany(part => part.Split(':', 2))];
        return (
            Path.GetFullPath(parts[0]),
            how.Length > 0 ? Enum.Parse<ExecutionProvider>(how[0], ignoreCase: true) : ExecutionProvider.Cpu,
            how.Length > 1 ? Enum.Parse<ModelPrecision>(how[1], ignoreCase: true) : ModelPrecision.Full
        );
    }

    private static Loaded Measure(string model, int threads)
    {
        ProcessStartInfo start = new(
            "dotnet",
            ["exec", typeof(GraphComparison).Assembly.Location, "graph", "--model", model, "--threads", $"{threads}"]
        )
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? JsonSerializer.Deserialize<Loaded>(text, BenchReport.Json)!
            : throw new InvalidDataException($"Running '{model}' ended with exit code {process.ExitCode}.");
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }

    private sealed record Loaded(double LoadSeconds, double FirstSeconds, double RunSeconds, double CpuSeconds, long PeakBytes);
}
