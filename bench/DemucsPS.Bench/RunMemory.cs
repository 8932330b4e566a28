using System.Globalization;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Bench;

/// <summary>
/// Runs a model on the same chunk again and again in one process, and says what memory that process holds after some of the runs: what
/// grows with them is a leak.
/// </summary>
internal static class RunMemory
{
    /// <summary>By then the arena has grown, and code is compiled.</summary>
    private const int First = 20;

    /// <param name="model">A name or a file.</param>
    /// <param name="runs">How often the model runs.</param>
    /// <param name="prepare">Whether its prepared copy runs.</param>
    /// <param name="threads">Threads of the runtime; 0 is one for each processor.</param>
    /// <param name="output">Where to say it.</param>
    public static void Report(string model, int runs, bool prepare, int threads, TextWriter output)
    {
        ModelSource source = ModelSource.Find(Path.Exists(model) ? Path.GetFullPath(model) : model);
        using SeparationModel loaded = SeparationModel.Load(source, new OnnxSessionOptions { IntraOpThreads = threads }, prepare);
        ModelTensors tensors = new(loaded.Contract);
        long? first = null;
        for (int run = 1; run <= runs; run++)
        {
            loaded.Run(tensors, CancellationToken.None);
            bool isFirst = run == Math.Min(First, runs);
            if (!isFirst && run != runs && run % 100 != 0)
                continue;
            // What the collector has not come for yet is no leak.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            long bytes = Environment.WorkingSet;
            first ??= bytes;
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{run,6} runs: {bytes / 1e6,8:F1} MB, {(bytes - first.Value) / 1e6,8:+0.0;-0.0;0.0} MB since {Math.Min(First, runs)}"
                )
            );
        }
    }
}
