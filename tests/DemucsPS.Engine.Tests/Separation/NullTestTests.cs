using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Audio;
using DemucsPS.Engine.Tests.Inference;
using TemporaryFolder = DemucsPS.Tests.Shared.TemporaryFolder;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>
/// What is said where stems do not sum to the mix for the track's offset: each of n stems gets the track's mean back, so n − 1 means are
/// too much (demucs.separate).
/// </summary>
public sealed class NullTestTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("all", 0.01f, 0.03)]
    [InlineData("all", -0.001f, -0.003)]
    [InlineData("all of three", 0.01f, 0.02)]
    [InlineData("two stems", 0.01f, 0.03)]
    // The mix is in the outputs, or not all of it is; the model takes the mix as it is; the offset is none, of one channel against the
    // other, or less than what a 16-bit step is.
    [InlineData("residual", 0.01f, null)]
    [InlineData("one stem", 0.01f, null)]
    [InlineData("model without normalization", 0.01f, null)]
    [InlineData("all", 0f, null)]
    [InlineData("opposite channels", 0.01f, null)]
    [InlineData("all", 0.000005f, null)]
    // A model whose stems are far from the mix by themselves.
    [InlineData("inexact model", 0.01f, null)]
    public void An_offset_that_stems_have_too_much_of_is_said_with_what_takes_it_off(string what, float offset, double? excess)
    {
        const int Frames = 20_000;
        int stems = what == "all of three" ? 3 : 4;
        // Stem k is k + 1 times the mix times the factor.
        File.WriteAllBytes(
            _folder["model.onnx"],
            SmallModels.Split(
                stems,
                sources: string.Join(',', Enumerable.Range(0, stems).Select(i => $"s{i}")),
                normalization: what == "model without normalization" ? "none" : null,
                factor: (what == "inexact model" ? 1.5f : 1f) / (stems * (stems + 1) / 2)
            )
        );
        float[] samples = new float[2 * Frames];
        for (int i = 0; i < Frames; i++)
        {
            // Whole periods, so the offset is the mean.
            float sine = 0.2f * (float)Math.Sin(2 * Math.PI * i / 100);
            (samples[2 * i], samples[(2 * i) + 1]) = (sine + offset, what == "opposite channels" ? -sine - offset : sine + offset);
        }
        using (WavWriter writer = WavWriter.Create(_folder["song.wav"], 44100, 2, WavSampleFormat.Float32))
        {
            writer.Write(samples);
            writer.Complete();
        }
        using ModelBag bag = ModelBag.Load([ModelSource.Find(_folder["model.onnx"])], null, new OnnxSessionOptions());
        StemMatrix all = StemMatrix.Choose(bag.Contract.Stems, null);
        StemMatrix selection = what switch
        {
            "residual" => all.WithResidual(),
            "one stem" => StemMatrix.Choose(bag.Contract.Stems, ["s1"]),
            "two stems" => StemMatrix.TwoStems(bag.Contract.Stems, "s1"),
            _ => all,
        };
        StemFormat format = new() { Sample = WavSampleFormat.Float32 };
        SeparationResult result = new FileSeparator(
            bag,
            selection,
            new SeparationOptions(),
            new StemOutput(new StemNames(_folder["out"]), format)
        ).Separate(new TrackSource(_folder["song.wav"]));
        string[] said = [.. result.Warnings.Where(w => w.Contains("offset", StringComparison.Ordinal))];
        Assert.Equal(said, SeparationProvenance.Read(result.ProvenancePath).Warnings);
        if (excess is not { } more)
        {
            Assert.Empty(said);
            return;
        }
        string warning = Assert.Single(said);
        Assert.Contains(
            FormattableString.Invariant($"differs from the mix by {more} ({result.NullTestDb:F1} dB of it)"),
            warning,
            StringComparison.Ordinal
        );
        Assert.Contains(FormattableString.Invariant($"-af dcshift={-offset:G3} OUT"), warning, StringComparison.Ordinal);
        Assert.Contains($"each of its {stems} stems", warning, StringComparison.Ordinal);
        // That is what the stems are.
        float[][] written =
        [
            .. result
                .Stems.Select(s => AudioFile.Open(s.FilePath))
                .Select(reader =>
                {
                    using (reader)
                        return reader.ReadAll();
                }),
        ];
        for (int i = 0; i < samples.Length; i += 997)
            Assert.Equal(samples[i] + more, written.Sum(stem => stem[i]), 1e-5);
    }
}
