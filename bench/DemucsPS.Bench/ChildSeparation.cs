using System.Diagnostics;
using System.Text.Json;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Bench;

/// <summary>A whole separation, from file to files, in a process of its own.</summary>
/// <param name="Seconds">From the opened song to the last stem, without loading the model.</param>
/// <param name="Chunks">The song's chunks.</param>
/// <param name="PeakBytes">The most memory the process had at once, libraries and model included.</param>
internal sealed record ChildSeparation(double Seconds, int Chunks, long PeakBytes)
{
    /// <summary>Starts this program again to separate a song.</summary>
    public static ChildSeparation Run(string model, string song, int jobs, int threads)
    {
        string output = Directory.CreateTempSubdirectory("demucsps-bench").FullName;
        try
        {
            ProcessStartInfo start = new(
                "dotnet",
                [
                    "exec",
                    typeof(ChildSeparation).Assembly.Location,
                    "separate",
                    "--model",
                    model,
                    "--input",
                    song,
                    "--output",
                    output,
                    "--jobs",
                    $"{jobs}",
                    "--threads",
                    $"{threads}",
                ]
            )
            {
                RedirectStandardOutput = true,
            };
            using Process process = Process.Start(start)!;
            string text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? JsonSerializer.Deserialize<ChildSeparation>(text, BenchReport.Json)!
                : throw new InvalidOperationException($"The separation with {jobs} jobs ended with exit code {process.ExitCode}.");
        }
        finally
        {
            Directory.Delete(output, recursive: true);
        }
    }

    /// <summary>What the other process does.</summary>
    public static ChildSeparation Separate(string model, string song, string output, int jobs, int threads)
    {
        // As the cmdlets and the console choose.
        JobPlan plan = JobPlan.Choose(jobs, threads);
        using ModelBag bag = ModelBag.Load(
            new ModelSelection { Models = [ModelSource.Find(model)] },
            null,
            new OnnxSessionOptions { IntraOpThreads = plan.Threads },
            prepare: true,
            jobs: plan.Jobs
        );
        FileSeparator separator = new(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, []),
            new SeparationOptions { Jobs = plan.Jobs },
            new StemOutput(new StemNames(output), new StemFormat())
        );
        SeparationResult result = separator.Separate(new TrackSource(song));
        using Process self = Process.GetCurrentProcess();
        return new ChildSeparation(result.Elapsed.TotalSeconds, result.Chunks, self.PeakWorkingSet64);
    }
}
