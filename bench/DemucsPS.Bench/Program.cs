using System.CommandLine;
using System.Text.Json;
using BenchmarkDotNet.Running;
using DemucsPS.Bench;
using DemucsPS.Engine;

Option<string> model = new("--model", "-m") { Description = "The model: a name or a file.", DefaultValueFactory = _ => "baseline" };
Option<int> rounds = new("--rounds", "-r") { Description = "How often everything is measured; medians are reported.", DefaultValueFactory = _ => 5 };
Option<string?> song = new("--song", "-s") { Description = "An audio file to separate; without it a synthetic one of thirty chunks." };
Option<string?> json = new("--json", "-j") { Description = "A file for the figures." };
Option<int> threads = new("--threads", "-t") { Description = "Threads of the runtime; 0 is one for each processor." };
Option<bool> micro = new("--micro") { Description = "Measure the parts around the runtime with BenchmarkDotNet instead." };

RootCommand root = new("Measures DemucsPS: the bare runtime, everything around it and the whole, interleaved in one run.") { model, rounds, song, json, threads, micro };
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
        BenchReport report = Measurement.Run(parsed.GetValue(model)!, parsed.GetValue(song), parsed.GetValue(rounds), parsed.GetValue(threads), Console.Error.WriteLine);
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
separate.SetAction(parsed => Console.WriteLine(JsonSerializer.Serialize(
    ChildSeparation.Separate(parsed.GetValue(model)!, parsed.GetRequiredValue(input), parsed.GetRequiredValue(output), parsed.GetValue(jobs), parsed.GetValue(threads)), BenchReport.Json)));
root.Add(separate);
return root.Parse(args).Invoke();
