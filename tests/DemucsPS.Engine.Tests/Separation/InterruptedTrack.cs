using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>A file of noise and a model in a folder of their own, to be separated and interrupted.</summary>
internal sealed class InterruptedTrack : IDisposable
{
    private ModelBag _bag;

    public InterruptedTrack(string model, int frames = 200_000, bool copyModel = false)
    {
        SourcePath = Folder["noise.wav"];
        WriteNoise(SourcePath, frames);
        ModelPath = model;
        if (copyModel)
        {
            ModelPath = Folder[Path.GetFileName(model)];
            File.Copy(model, ModelPath);
        }
        _bag = ModelBag.Load([ModelSource.Find(ModelPath)], null, new OnnxSessionOptions());
    }

    public TemporaryFolder Folder { get; } = new();

    public string SourcePath { get; }

    public string ModelPath { get; }

    public TimeProvider Clock { get; set; } = TimeProvider.System;

    public static void WriteNoise(string path, int frames)
    {
        MemoryTrack noise = MemoryTrack.Noise(frames, 11);
        using WavWriter writer = WavWriter.Create(path, 44100, 2, WavSampleFormat.Float32);
        float[] interleaved = new float[2 * frames];
        for (int i = 0; i < frames; i++)
            (interleaved[2 * i], interleaved[2 * i + 1]) = (0.25f * noise.Left[i], 0.25f * noise.Right[i]);
        writer.Write(interleaved);
        writer.Complete();
    }

    public void LoadModel()
    {
        _bag.Dispose();
        _bag = ModelBag.Load([ModelSource.Find(ModelPath)], null, new OnnxSessionOptions());
    }

    public SeparationResult Separate(
        string destination,
        SeparationOptions options,
        Func<StemOutput, StemOutput>? output = null,
        IProgress<SeparationProgress>? progress = null,
        CancellationToken cancellationToken = default
    ) => Over(Folder[destination], options, output).Separate(new TrackSource(SourcePath), progress, cancellationToken);

    public FileSeparator Over(string destination, SeparationOptions options, Func<StemOutput, StemOutput>? output = null)
    {
        StemOutput usual = new(new StemNames(destination), new StemFormat());
        return new FileSeparator(_bag, StemMatrix.Choose(_bag.Contract.Stems, null), options, output is null ? usual : output(usual))
        {
            Clock = Clock,
        };
    }

    /// <summary>Cancels a separation after some chunks.</summary>
    public void Interrupt(string destination, SeparationOptions options, Func<StemOutput, StemOutput>? output = null)
    {
        using CancellationTokenSource stop = new();
        SeparationCanceledException e = Assert.Throws<SeparationCanceledException>(() =>
            Separate(
                destination,
                options,
                output,
                new ProgressCallback(p =>
                {
                    if (p is { Stage: SeparationStage.Separating, Done: 5 })
                        stop.Cancel();
                }),
                stop.Token
            )
        );
        Assert.Equal([Remedy.Resume], e.Remedies);
    }

    /// <summary>Names of what lies in the folder of the stems.</summary>
    public string[] Names(string destination) =>
        [.. Directory.EnumerateFileSystemEntries(StemFolder(destination)).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    public void AssertSameStems(string expected, string actual)
    {
        string[] stems = [.. Directory.GetFiles(StemFolder(expected), "*.wav").Select(f => Path.GetFileName(f))];
        Assert.Equal(_bag.Contract.Stems.Count, stems.Length);
        Assert.Equal(stems.Append(SeparationProvenance.FileName).Order(StringComparer.Ordinal), Names(actual));
        Assert.All(stems, stem =>
            Assert.True(
                File.ReadAllBytes(Path.Combine(StemFolder(expected), stem))
                    .AsSpan()
                    .SequenceEqual(File.ReadAllBytes(Path.Combine(StemFolder(actual), stem))),
                $"{stem} differs"
            )
        );
    }

    public void Dispose()
    {
        _bag.Dispose();
        Folder.Dispose();
    }

    private string StemFolder(string destination) => Folder[destination, _bag.Name, "noise"];
}
