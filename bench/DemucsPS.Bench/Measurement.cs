using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Bench;

/// <summary>Measures everything once a round, one after the other, for as many rounds as are asked for.</summary>
internal sealed class Measurement
{
    // Thirty chunks, three and a half minutes: what is done once a track weighs as it does in music.
    private const int SongSegments = 27;

    // Bare runs before the separation and after it: so that both sides of their ratio are means, and what drifts disturbs both.
    private const int RunsBeside = 6;

    private const string Bare = "(a) bare runtime, best settings, prepared";

    private const string BareBeside = "(b) bare runtime a chunk, before and after";

    private const string Whole = "(b) whole separation a chunk, jobs 1";

    private const string WholeTwo = "(b) whole separation a chunk, jobs 2";

    private const string Int8 = "(a) bare runtime, best settings, Int8";

    private readonly Dictionary<string, List<double>> _seconds = [];

    /// <summary>Runs the whole benchmark.</summary>
    public static BenchReport Run(string modelName, string? song, int rounds, int threads, Action<string> say)
    {
        bool isFile = Path.Exists(modelName);
        string model = isFile ? Path.GetFullPath(modelName) : modelName;
        ModelSource source = ModelSource.Find(model);
        string? made = song is null ? Path.GetTempFileName() : null;
        try
        {
            return new Measurement().Measure(
                source,
                model,
                song is null ? made! : Path.GetFullPath(song),
                made is not null,
                rounds,
                threads,
                say
            );
        }
        finally
        {
            if (made is not null)
                File.Delete(made);
        }
    }

    private BenchReport Measure(ModelSource source, string model, string song, bool makeSong, int rounds, int threads, Action<string> say)
    {
        OnnxSessionOptions best = new() { IntraOpThreads = threads },
            runtimeDefaults = best with { MemoryPattern = true };
        say("Loading.");
        // The prepared copy is made before anything is timed.
        using PreparedModel? prepared = source.Path is { } file
            ? PreparedModel.Prepare(file, GraphTarget.Cpu, PreparationCache.Open(), say, CancellationToken.None)
            : null;
        using SeparationModel plain = SeparationModel.Load(source, best);
        using SeparationModel byDefault = SeparationModel.Load(source, runtimeDefaults);
        using SeparationModel quick = SeparationModel.Load(source, best, prepare: true);
        using SeparationModel? int8 = source.Path is null ? null : LoadInt8(source, best, say);
        using MatrixMultiplication peak = new(threads);
        using StageBenchmarks stages = new() { Segment = plain.Contract.SegmentFrames, Stems = plain.Contract.Stems.Count };
        stages.Setup();
        if (makeSong)
            WriteSong(song, SongSegments * plain.Contract.SegmentFrames);
        ModelTensors tensors = new(plain.Contract);
        Random random = new(1);
        for (int i = 0; i < plain.Contract.SegmentFrames; i++)
            tensors.Segment(0).Left[i] = tensors.Segment(0).Right[i] = random.NextSingle() - 0.5f;
        for (int i = 0; i < tensors.Segment(0).Spectrogram.Length; i++)
            tensors.Segment(0).Spectrogram[i] = random.NextSingle() - 0.5f;

        Dictionary<string, long> memory = [];
        // Round 0 warms up and is not counted.
        for (int round = 0; round <= rounds; round++)
        {
            if (round == 1)
                _seconds.Clear();
            say(round == 0 ? "Warming up." : $"Round {round} of {rounds}.");
            Time("(f) matrix multiplication 2048³", peak.Run);
            TimeRun("(a) bare runtime, its own settings", byDefault);
            TimeRun("(a) bare runtime, best settings", plain);
            TimeRun(Bare, quick);
            if (int8 is not null)
                TimeRun(Int8, int8);
            Time("(c) STFT", stages.Stft);
            Time("(c) inverse STFT of all stems", stages.InverseStft);
            Time("(c) blend", stages.Blend);
            Time("(c) WAV in", stages.WavIn);
            Time("(c) WAV out", stages.WavOut);
            foreach (bool prepare in new[] { false, true })
            {
                string kind = prepare ? "prepared" : "as exported";
                SeparationModel? loaded = null;
                double load = Time($"(d) load the model, {kind}", () => loaded = SeparationModel.Load(source, best, prepare));
                using (loaded)
                    Add($"(d) load and first chunk, {kind}", load + Seconds(() => loaded!.Run(tensors, CancellationToken.None)));
            }
            if (round == 0)
                continue;
            double before = RunBeside(),
                whole = Separate(Whole, jobs: 1),
                after = RunBeside();
            Add(BareBeside, (before + after) / 2);
            say(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"A chunk takes {before:F3} s bare, {whole:F3} s in a separation, {after:F3} s bare."
                )
            );
            Separate(WholeTwo, jobs: 2);
        }

        double Separate(string name, int jobs)
        {
            ChildSeparation child = ChildSeparation.Run(model, song, jobs, threads);
            double seconds = child.Seconds / child.Chunks;
            Add(name, seconds);
            string key = $"(e) peak memory, jobs {jobs}";
            memory[key] = Math.Max(memory.GetValueOrDefault(key), child.PeakBytes);
            return seconds;
        }

        void TimeRun(string name, SeparationModel loaded)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            Time(name, () => loaded.Run(tensors, CancellationToken.None));
            Add(name + ", CPU", (Environment.CpuUsage.TotalTime - before).TotalSeconds);
        }

        double RunBeside() =>
            Seconds(() =>
            {
                for (int i = 0; i < RunsBeside; i++)
                    quick.Run(tensors, CancellationToken.None);
            }) / RunsBeside;

        double? flop = source.Path is null ? null : GraphCost.Flop(prepared?.ToBytes() ?? File.ReadAllBytes(source.Path));
        Dictionary<string, double> speeds = new()
        {
            ["(f) matrix multiplication"] = MatrixMultiplication.Flop / Median("(f) matrix multiplication 2048³") / 1e9,
        };
        Dictionary<string, double> ratios = new()
        {
            ["(a) prepared ÷ as exported"] = Ratio(Bare, "(a) bare runtime, best settings"),
            ["(a) prepared ÷ as exported, CPU"] = Ratio(Bare + ", CPU", "(a) bare runtime, best settings, CPU"),
            ["(a) best settings ÷ the runtime's own"] = Ratio("(a) bare runtime, best settings", "(a) bare runtime, its own settings"),
            ["(b) whole separation ÷ bare runtime"] = Ratio(Whole, BareBeside),
            ["(b) whole separation, jobs 2 ÷ bare runtime"] = Ratio(WholeTwo, BareBeside),
            ["(c) STFT, inverse STFT and blend ÷ bare runtime"] =
                Ratio("(c) STFT", Bare) + Ratio("(c) inverse STFT of all stems", Bare) + Ratio("(c) blend", Bare),
            ["(c) WAV in and out ÷ bare runtime"] = Ratio("(c) WAV in", Bare) + Ratio("(c) WAV out", Bare),
            ["(g) jobs 2 ÷ jobs 1"] = Ratio(WholeTwo, Whole),
        };
        if (int8 is not null)
            ratios["(a) Int8 ÷ full precision, CPU"] = Ratio(Int8 + ", CPU", Bare + ", CPU");
        if (flop is { } operations)
        {
            speeds["(a) bare runtime, prepared"] = operations / Median(Bare) / 1e9;
            ratios["(f) model's speed ÷ matrix multiplication's"] =
                speeds["(a) bare runtime, prepared"] / speeds["(f) matrix multiplication"];
        }
        return new BenchReport
        {
            Machine = string.Create(
                CultureInfo.InvariantCulture,
                $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:F0} GB"
            ),
            Runtime = $"ONNX Runtime {OnnxRuntimeLibrary.Version}",
            Model = source.Name,
            Rounds = rounds,
            Threads = threads > 0 ? threads : Environment.ProcessorCount,
            ChunkGigaflop = flop / 1e9,
            Seconds = _seconds.ToDictionary(entry => entry.Key, entry => Median(entry.Value)),
            Ratios = ratios,
            GigaflopsPerSecond = speeds,
            PeakBytes = memory,
        };
    }

    private static SeparationModel? LoadInt8(ModelSource source, OnnxSessionOptions options, Action<string> say)
    {
        try
        {
            return SeparationModel.Load(source, options, prepare: true, precision: ModelPrecision.Int8);
        }
        catch (DemucsException e)
        {
            say($"The precision Int8 is not measured. {e.Message}");
            return null;
        }
    }

    private static double Seconds(Action action)
    {
        long started = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static void WriteSong(string path, int frames)
    {
        Random random = new(2);
        float[] samples = new float[2 * frames];
        for (int i = 0; i < frames; i++)
        {
            float tone = 0.3f * MathF.Sin(i * 0.05f);
            samples[2 * i] = tone + 0.1f * (random.NextSingle() - 0.5f);
            samples[2 * i + 1] = tone + 0.1f * (random.NextSingle() - 0.5f);
        }
        File.Delete(path);
        using WavWriter writer = WavWriter.Create(path, 44_100, 2, WavSampleFormat.Float32);
        writer.Write(samples);
        writer.Complete();
    }

    private double Time(string name, Action action)
    {
        double seconds = Seconds(action);
        Add(name, seconds);
        return seconds;
    }

    private void Add(string name, double seconds)
    {
        if (!_seconds.TryGetValue(name, out List<double>? list))
            _seconds.Add(name, list = []);
        list.Add(seconds);
    }

    private double Median(string name) => Median(_seconds[name]);

    private double Ratio(string over, string under) => Median(_seconds[over].Zip(_seconds[under], (a, b) => a / b));
}
