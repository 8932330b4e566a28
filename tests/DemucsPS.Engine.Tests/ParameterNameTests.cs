using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Clusters;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Pictures;
using DemucsPS.Engine.Quality;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Tests;

/// <summary>An error for one parameter's value says which it is, so that front ends can name it.</summary>
public sealed class ParameterNameTests
{
    private static readonly string[] s_stems = ["drums", "bass", "other", "vocals"];

    private static readonly (EngineParameter Parameter, Action Check)[] s_wrong =
    [
        (EngineParameter.FrameSize, new SpectrogramOptions { FrameSize = 100 }.Check),
        (EngineParameter.HopSize, new SpectrogramOptions { Hop = 0 }.Check),
        (EngineParameter.Width, new SpectrogramOptions { Width = 0 }.Check),
        (EngineParameter.Height, new SpectrogramOptions { Height = 0 }.Check),
        (EngineParameter.Dpi, new SpectrogramOptions { Dpi = 0 }.Check),
        (EngineParameter.MinDb, new SpectrogramOptions { MinDb = -300 }.Check),
        (EngineParameter.MaxDb, new SpectrogramOptions { MaxDb = 100 }.Check),
        (EngineParameter.MinFrequency, new SpectrogramOptions { MinFrequency = -1 }.Check),
        (EngineParameter.MinFrequency, new SpectrogramOptions { MinFrequency = 0, FrequencyScale = FrequencyScale.Log }.Check),
        (EngineParameter.MaxFrequency, new SpectrogramOptions { MaxFrequency = 0 }.Check),
        (EngineParameter.Start, new SpectrogramOptions { Start = -1 }.Check),
        (EngineParameter.Duration, new SpectrogramOptions { Duration = 0 }.Check),
        (EngineParameter.Segment, new SpectrogramOptions { ChunkGrid = true, Segment = 0 }.Check),
        (EngineParameter.Overlap, new SpectrogramOptions { ChunkGrid = true, Overlap = 1 }.Check),
        (EngineParameter.Window, new QualityOptions { Window = -1 }.Check),
        (EngineParameter.Hop, new QualityOptions { Hop = 0 }.Check),
        (EngineParameter.Hop, new QualityOptions { Window = 100, Hop = 0.1 }.Check),
        (EngineParameter.Metric, new QualityOptions { Metrics = 0 }.Check),
        (EngineParameter.CpusPerTask, new SlurmOptions { Cpus = 0 }.Check),
        (EngineParameter.Throttle, new SlurmOptions { Throttle = 0 }.Check),
        (EngineParameter.SbatchOption, new SlurmOptions { Extra = ["qos"] }.Check),
        (EngineParameter.SbatchOption, new SlurmOptions { Extra = ["--array=1"] }.Check),
        (EngineParameter.RealTimeFactor, new ClusterPlanOptions { RealTimeFactor = 0 }.Check),
        (EngineParameter.TaskLength, new ClusterPlanOptions { TaskLength = TimeSpan.Zero }.Check),
        (EngineParameter.TimeLimit, new ClusterPlanOptions { TimeLimit = TimeSpan.Zero }.Check),
        (EngineParameter.MaxTasks, new ClusterPlanOptions { MaxTasks = 0 }.Check),
        (
            EngineParameter.TimeLimit,
            () => ClusterPlan.Create(["/a"], [9000], new ClusterPlanOptions { TimeLimit = TimeSpan.FromMinutes(1) })
        ),
        (
            EngineParameter.ChannelLayout,
            () => ClusterInput.Files([], new() { ChannelLayout = ChannelLayout.Pairs }, _ => { }, _ => { })
        ),
        (EngineParameter.Mixdown, () => StemGains.Parse("")),
        (EngineParameter.Mixdown, () => StemGains.Parse("vocals")),
        (EngineParameter.Mixdown, () => StemGains.Parse("vocals=loud")),
        (EngineParameter.Mixdown, () => StemGains.Parse("vocals=1,vocals=2")),
        (EngineParameter.Mixdown, () => new StemRequest { Mixdown = StemGains.Parse("kazoo=1") }.Select(s_stems)),
        (EngineParameter.Stem, () => new StemRequest { Stems = ["kazoo"] }.Select(s_stems)),
        (EngineParameter.TwoStems, () => new StemRequest { TwoStems = "kazoo" }.Select(s_stems)),
        (EngineParameter.TwoStemsMethod, () => new StemRequest { TwoStems = "all" }.Select(["all"])),
        (EngineParameter.TwoStemsMethod, new StemRequest { TwoStemsMethod = TwoStemsMethod.Minus }.Check),
        (EngineParameter.BitDepth, () => StemFormat.Create(StemFileFormat.Flac, bits: 32)),
        (EngineParameter.BitDepth, () => StemFormat.Create(StemFileFormat.Mp3, bits: 16)),
        (EngineParameter.BitRate, () => StemFormat.Create(StemFileFormat.Wav, bitRate: 128)),
        (EngineParameter.Quality, () => StemFormat.Create(StemFileFormat.Aac, quality: 2)),
        (EngineParameter.FileNameTemplate, () => FileNameTemplate.Parse("{kazoo}")),
        (EngineParameter.ProviderLibrary, () => ProviderLibraries.CheckUse(new() { ExecutionProvider = ExecutionProvider.Plugin })),
    ];

    public static TheoryData<int> Wrong => [.. Enumerable.Range(0, s_wrong.Length)];

    [Theory]
    [MemberData(nameof(Wrong))]
    public void An_error_names_its_parameter(int number)
    {
        (EngineParameter parameter, Action check) = s_wrong[number];
        DemucsException e = Assert.Throws<DemucsException>(check);
        Assert.Equal((DemucsError.ParameterInvalid, parameter), (e.Error, e.Parameter));
    }
}
