using System.CommandLine;
using System.Text.Json;
using BenchmarkDotNet.Running;
using DemucsPS.Bench;
using DemucsPS.Bench.Exactness;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Onnx;

Option<string> model = new("--model", "-m") { Description = "The model: a name or a file.", DefaultValueFactory = _ => "baseline" };
Option<int> rounds = new("--rounds", "-r")
{
    Description = "How often everything is measured; medians are reported.",
    DefaultValueFactory = _ => 5,
};
Option<string?> song = new("--song", "-s") { Description = "An audio file to separate; without it a synthetic one of thirty chunks." };
Option<string?> json = new("--json", "-j") { Description = "A file for the figures." };
Option<int> threads = new("--threads", "-t") { Description = "Threads of the runtime; 0 is one for each processor." };
Option<bool> micro = new("--micro") { Description = "Measure the parts around the runtime with BenchmarkDotNet instead." };

RootCommand root = new("Measures DemucsPS: the bare runtime, everything around it and the whole, interleaved in one run.")
{
    model,
    rounds,
    song,
    json,
    threads,
    micro,
};
root.SetAction(parsed =>
{
    if (parsed.GetValue(micro))
    {
        BenchmarkRunner.Run<StageBenchmarks>();
        return 0;
    }
    if (parsed.GetValue(rounds) < 1)
    {
        Console.Error.WriteLine("--rounds must be at least 1.");
        return 2;
    }
    try
    {
        BenchReport report = Measurement.Run(
            parsed.GetValue(model)!,
            parsed.GetValue(song),
            parsed.GetValue(rounds),
            parsed.GetValue(threads),
            Console.Error.WriteLine
        );
        Console.Write(report.ToTable());
        if (parsed.GetValue(json) is { } path)
            File.WriteAllText(path, JsonSerializer.Serialize(report, BenchReport.Json));
        return 0;
    }
    catch (DemucsException e)
    {
        Console.Error.WriteLine(e.Message);
        return 1;
    }
});

// One separation in a process of its own, so that its memory can be told from everything else's.
Option<int> jobs = new("--jobs");
Option<string> output = new("--output") { Required = true };
Option<string> input = new("--input") { Required = true };
Command separate = new("separate") { Hidden = true };
separate.Add(model);
separate.Add(threads);
separate.Add(jobs);
separate.Add(input);
separate.Add(output);
separate.SetAction(parsed =>
    Console.WriteLine(
        JsonSerializer.Serialize(
            ChildSeparation.Separate(
                parsed.GetValue(model)!,
                parsed.GetRequiredValue(input),
                parsed.GetRequiredValue(output),
                parsed.GetValue(jobs),
                parsed.GetValue(threads)
            ),
            BenchReport.Json
        )
    )
);
root.Add(separate);

// Other forms of the same model: an export, and the author's weights.
Argument<string[]> models = new("models")
{
    Description = "The models: files, or FILE@PROVIDER[:PRECISION]. All are divided by the first.",
    Arity = ArgumentArity.OneOrMore,
};
Command graphs = new(
    "graphs",
    "Loads and runs models side by side, each in a process of its own: time, processor time, load time and peak memory."
)
{
    models,
    rounds,
    threads,
};
graphs.SetAction(parsed =>
    Compare(() => GraphComparison.Report(parsed.GetValue(models)!, parsed.GetValue(rounds), parsed.GetValue(threads), Console.Out))
);
root.Add(graphs);
Command graph = new("graph") { Hidden = true };
graph.Add(model);
graph.Add(threads);
graph.SetAction(parsed => Compare(() => Console.WriteLine(GraphComparison.Run(parsed.GetValue(model)!, parsed.GetValue(threads)))));
root.Add(graph);

// Where exactness is lost: the next loss should be found in minutes.
Option<int> music = new("--music") { Description = "Frames of music, with zeros behind them.", DefaultValueFactory = _ => int.MaxValue };
Option<float> add = new("--add") { Description = "A number to add to all samples." };
Option<int> count = new("--count") { Description = "How many nodes are listed.", DefaultValueFactory = _ => 20 };
Option<bool> asExported = new("--as-exported") { Description = "The graph as it is instead of its prepared copy." };
Command nodes = new(
    "nodes",
    "Computes one chunk node by node, in the runtime and in float64 from the same inputs, and lists the nodes that are off most."
)
{
    model,
    song,
    music,
    add,
    count,
    asExported,
};
nodes.SetAction(parsed =>
    Compare(() =>
    {
        string path = Path.GetFullPath(parsed.GetValue(model)!);
        using SeparationModel loaded = SeparationModel.Load(ModelSource.Find(path), new OnnxSessionOptions());
        (float[] left, float[] right) = ExactChunk.Music(
            loaded.Contract.SegmentFrames,
            parsed.GetValue(song),
            parsed.GetValue(music),
            parsed.GetValue(add)
        );
        using PreparedModel? prepared = parsed.GetValue(asExported)
            ? null
            : PreparedModel.Prepare(path, GraphTarget.Cpu, PreparationCache.Open(), Console.Error.WriteLine, CancellationToken.None);
        NodeErrors.Report(
            new ExactGraph(GraphModel.Parse(prepared?.ToBytes() ?? File.ReadAllBytes(path)), Path.GetDirectoryName(path)!),
            new ExactChunk(loaded.Contract, left, right),
            parsed.GetValue(count),
            Console.Out
        );
    })
);
Option<int[]> lengths = new("--frames")
{
    Description = "Frames of music, with zeros behind them: a chunk each.",
    AllowMultipleArgumentsPerToken = true,
    DefaultValueFactory = _ => [343_980, 100_000, 20_000, 4_000, 1_000, 100],
};
Option<string[]> also = new("--also")
{
    Description = "Other graphs of the same model to compare, such as copies that another version prepared.",
    AllowMultipleArgumentsPerToken = true,
    DefaultValueFactory = _ => [],
};
Command chunks = new(
    "chunks",
    "Computes chunks of music and silence in the runtime, as exported and prepared, and in float64, and says how far the stems are apart."
)
{
    model,
    song,
    add,
    lengths,
    also,
};
chunks.SetAction(parsed =>
    Compare(() =>
        StemErrors.Report(
            Path.GetFullPath(parsed.GetValue(model)!),
            parsed.GetValue(also)!,
            parsed.GetValue(song),
            parsed.GetValue(add),
            parsed.GetValue(lengths)!,
            Console.Out
        )
    )
);
Option<int> runs = new("--count") { Description = "How often it runs.", DefaultValueFactory = _ => 500 };
Command leak = new("leak", "Runs a model in one process, and says what memory that holds after 20 runs and on the way to the last.")
{
    model,
    runs,
    threads,
    asExported,
};
leak.SetAction(parsed =>
    Compare(() =>
        RunMemory.Report(
            parsed.GetValue(model)!,
            parsed.GetValue(runs),
            !parsed.GetValue(asExported),
            parsed.GetValue(threads),
            Console.Out
        )
    )
);
root.Add(nodes);
root.Add(chunks);
root.Add(leak);
return root.Parse(args).Invoke();

static int Compare(Action compare)
{
    try
    {
        compare();
        return 0;
    }
    catch (Exception e) when (e is DemucsException or NotSupportedException or InvalidDataException or IOException)
    {
        Console.Error.WriteLine(e.Message);
        return 1;
    }
}
