using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Inference;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>Interrupted separations, in this process: whatever ends them, they go on with the same bits or say why not.</summary>
public sealed class ResumeTests
{
    private static readonly string s_small = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx");

    [Theory]
    [InlineData(0.05, 0, 1, "stems")]
    [InlineData(0.25, 1, 2, "stems")]
    [LongInlineData(0.5, 3, 1, "stems")]
    [LongInlineData(0.9, 2, 3, "stems")]
    [InlineData(0.25, 0, 1, "minus")]
    [InlineData(0.25, 2, 2, "residual")]
    [InlineData(0.6, 1, 1, "mixdown")]
    [InlineData(0.25, 0, 2, "stem.mp4")]
    public void A_separation_goes_on_from_any_frame_with_the_same_bits(double overlap, int shifts, int jobs, string outputs)
    {
        using ModelBag bag = ModelBag.Load([ModelSource.Find(s_small)], null, new OnnxSessionOptions());
        StemMatrix selection = Choice(outputs).Select(bag.Contract.Stems);
        Separator separator = new(
            bag,
            selection,
            new SeparationOptions
            {
                Overlap = overlap,
                Shifts = shifts,
                Seed = 4,
                Jobs = jobs,
            }
        );
        MemoryTrack noise = MemoryTrack.Noise(100_001, 11);
        TrackStatistics statistics = TrackStatistics.Measure(noise, "noise");
        MemorySink whole = new(selection.Names.Count);
        separator.Separate(noise.Restarted(), "noise", statistics, whole, null, CancellationToken.None);
        int count = separator.CountChunks(statistics.Frames);
        foreach (int first in new[] { 1, 4095, 8192, 50_000, 91_809, 99_999, 100_000 })
        {
            MemorySink rest = new(selection.Names.Count);
            int last = 0,
                run = 0;
            separator.Separate(
                noise.Restarted(),
                "noise",
                statistics,
                rest,
                done => (last, run) = (done, run + 1),
                first,
                null,
                null,
                CancellationToken.None
            );
            Assert.Equal(count, last);
            Assert.True(first < 8192 || run < count, $"all {count} chunks were run from frame {first}");
            for (int output = 0; output < selection.Names.Count; output++)
                Assert.Equal(whole.Interleaved(output)[(2 * first)..], rest.Interleaved(output));
        }
    }

    private static StemRequest Choice(string outputs) =>
        outputs switch
        {
            "minus" => new StemRequest { TwoStems = "vocals", TwoStemsMethod = TwoStemsMethod.Minus },
            "residual" => new StemRequest { Stems = ["drums", "vocals"], Residual = true },
            "mixdown" => new StemRequest { Residual = true, Mixdown = StemGains.Parse("vocals=-inf,drums=-6") },
            "stem.mp4" => new StemRequest { StemMp4 = true },
            _ => new StemRequest(),
        };

    [Fact]
    public void Canceled_again_and_again_and_continued_the_files_and_the_null_test_are_the_same()
    {
        using InterruptedTrack track = new(s_small);
        SeparationOptions options = new()
        {
            Overlap = 0.6,
            Shifts = 1,
            Seed = 3,
        };
        SeparationResult whole = track.Separate("whole", options);
        int interruptions = 0;
        SeparationResult? result = null;
        while (result is null)
        {
            using CancellationTokenSource stop = new();
            try
            {
                int chunks = 0;
                result = track.Separate(
                    "parts",
                    options,
                    output => output with { Resume = true },
                    new ProgressCallback(p =>
                    {
                        // Enough that each run makes frames of its own final.
                        if (p is { Stage: SeparationStage.Separating, Done: > 0 } && ++chunks == 8)
                            stop.Cancel();
                    }),
                    stop.Token
                );
            }
            catch (OperationCanceledException e)
            {
                interruptions++;
                Assert.True(interruptions < 20);
                Assert.Contains(track.Folder["parts", "small", "noise", "demucsps.partial"], e.Message, StringComparison.Ordinal);
                Assert.Equal(["demucsps.partial"], track.Names("parts"));
            }
        }
        Assert.InRange(interruptions, 5, 20);
        Assert.True(result.Resumed);
        track.AssertSameStems("whole", "parts");
        Assert.NotNull(whole.NullTestDb);
        Assert.Equal(whole.NullTestDb, result.NullTestDb);
        Assert.True(SeparationVerification.Verify(track.Folder["parts", "small", "noise"]).IsIntact);
    }

    [Fact]
    public void Where_files_are_named_by_a_template_what_belongs_to_a_track_is_told_apart_by_name()
    {
        using InterruptedTrack track = new(s_small);
        StemOutput Named(StemOutput output) =>
            output with
            {
                Resume = true,
                Names = new StemNames(track.Folder["named"], FileNameTemplate.Parse("{stem}/{name}")),
            };
        SeparationOptions options = new() { Overlap = 0.6 };
        SeparationResult whole = track.Separate("whole", options);
        track.Interrupt("named", options, Named);
        // Folders for stems are not left behind empty.
        Assert.Equal([track.Folder["named", "drums - noise.demucsps.partial"]], Directory.GetFileSystemEntries(track.Folder["named"]));
        SeparationResult result = track.Separate("named", options, Named);
        Assert.True(result.Resumed);
        Assert.Equal(track.Folder["named", "drums - noise.demucsps.json"], result.ProvenancePath);
        Assert.All(whole.Stems.Zip(result.Stems), pair => Assert.True(SameBytes(pair.First.FilePath, pair.Second.FilePath)));
        Assert.Equal(track.Folder["named", "vocals", "noise.wav"], result.Stems[^1].FilePath);
        Assert.Equal([result.ProvenancePath], SeparationVerification.Find(track.Folder["named"]));
        Assert.True(SeparationVerification.Verify(result.ProvenancePath).IsIntact);
        Assert.True(track.Separate("named", options, output => Named(output) with { SkipExisting = true }).Skipped);
    }

    [Fact]
    public void Canceled_while_stems_are_finished_it_goes_on_with_the_next_stem()
    {
        using InterruptedTrack track = new(s_small);
        track.Separate("whole", new SeparationOptions());
        for (int stem = 1; stem <= 4; stem++)
        {
            using CancellationTokenSource stop = new();
            Assert.ThrowsAny<OperationCanceledException>(() =>
                track.Separate(
                    "parts",
                    new SeparationOptions(),
                    output => output with { Resume = true },
                    new ProgressCallback(p =>
                    {
                        if (p.Stage == SeparationStage.Writing && p.Done == stem)
                            stop.Cancel();
                    }),
                    stop.Token
                )
            );
            Assert.Equal(["demucsps.partial"], track.Names("parts"));
            // Floats of what is finished already take no room any more.
            Assert.Equal(
                4 - stem,
                Directory.GetFiles(track.Folder["parts", "small", "noise", "demucsps.partial"], "*.staged.partial").Length
            );
        }
        track.Separate("parts", new SeparationOptions(), output => output with { Resume = true });
        track.AssertSameStems("whole", "parts");
    }

    [Fact]
    public void Canceled_while_stems_are_taken_to_another_rate_it_goes_on_with_the_same_gain()
    {
        using InterruptedTrack track = new(s_small);
        static StemOutput Resampled(StemOutput output) =>
            output with
            {
                Resume = true,
                Format = new StemFormat { SampleRate = 48_000 },
            };
        SeparationResult whole = track.Separate("whole", new SeparationOptions(), Resampled);
        Assert.InRange(whole.Gain, 0.01f, 0.99f);
        Assert.Equal(48_000, whole.SampleRate);
        for (int stem = 1; stem <= 4; stem++)
        {
            using CancellationTokenSource stop = new();
            Assert.ThrowsAny<OperationCanceledException>(() =>
                track.Separate(
                    "parts",
                    new SeparationOptions(),
                    Resampled,
                    new ProgressCallback(p =>
                    {
                        if (p.Stage == SeparationStage.Writing && p.Done == stem)
                            stop.Cancel();
                    }),
                    stop.Token
                )
            );
        }
        SeparationResult result = track.Separate("parts", new SeparationOptions(), Resampled);
        track.AssertSameStems("whole", "parts");
        Assert.Equal(whole.Gain, result.Gain);
        Assert.Equal(whole.Frames, result.Frames);
        Assert.Equal(whole.Stems.Select(s => s.Peak), result.Stems.Select(s => s.Peak));
        SeparationResult skipped = track.Separate("parts", new SeparationOptions(), output =>
            Resampled(output) with
            {
                SkipExisting = true,
            }
        );
        Assert.True(skipped.Skipped);
        Assert.Equal((whole.Frames, 48_000, whole.Duration), (skipped.Frames, skipped.SampleRate, skipped.Duration));
        Assert.False(
            track.Separate("parts", new SeparationOptions(), output => output with { SkipExisting = true, Overwrite = true }).Skipped
        );
    }

    [Fact]
    public void Killed_between_two_names_it_gives_the_others_theirs()
    {
        using InterruptedTrack track = new(s_small);
        track.Separate("whole", new SeparationOptions());
        using CancellationTokenSource stop = new();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            track.Separate(
                "parts",
                new SeparationOptions(),
                progress: new ProgressCallback(p =>
                {
                    if (p.Stage == SeparationStage.Writing && p.Done == 4)
                        stop.Cancel();
                }),
                cancellationToken: stop.Token
            )
        );
        // As a death within the renaming leaves it.
        string folder = track.Folder["parts", "small", "noise"],
            partial = Path.Combine(folder, "demucsps.partial"),
            journal = Path.Combine(partial, "journal.json");
        string first = Path.GetFileName(
            Directory
                .GetFiles(track.Folder["whole", "small", "noise"], "*.wav")
                .Single(w => SameBytes(w, Path.Combine(partial, "0.finished.partial")))
        );
        File.Move(Path.Combine(partial, "0.finished.partial"), Path.Combine(folder, first));
        File.WriteAllText(
            journal,
            File.ReadAllText(journal).Replace("\"renaming\": false", "\"renaming\": true", StringComparison.Ordinal)
        );
        track.Separate("parts", new SeparationOptions(), output => output with { Resume = true });
        track.AssertSameStems("whole", "parts");
        Assert.DoesNotContain("demucsps.partial", track.Names("parts"));
    }

    [Fact]
    public void What_differs_is_said_and_force_begins_anew()
    {
        using InterruptedTrack track = new(s_small);
        track.Interrupt("parts", new SeparationOptions { Overlap = 0.25 });
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            track.Separate("parts", new SeparationOptions { Overlap = 0.5, Seed = 2 }, output => output with
            {
                Resume = true,
                Format =
                        new StemFormat { Dither = true }
            })
        );
        Assert.Equal(DemucsError.ResumeMismatch, refused.Error);
        Assert.Contains(
            "dither changed from off to on; overlap changed from 0.25 to 0.5; seed changed from 0 to 2",
            refused.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(["demucsps.partial"], track.Names("parts"));

        // Without either option the hours that went into it are not thrown away.
        Assert.Equal(
            DemucsError.SeparationUnfinished,
            Assert.Throws<DemucsException>(() => track.Separate("parts", new SeparationOptions())).Error
        );
        Assert.Equal(["demucsps.partial"], track.Names("parts"));

        // Jobs and retries change no bit, so they may differ.
        track.Separate("whole", new SeparationOptions { Overlap = 0.25 });
        Assert.True(
            track
                .Separate(
                    "parts",
                    new SeparationOptions
                    {
                        Overlap = 0.25,
                        Jobs = 2,
                        RetryCount = 0,
                    },
                    output => output with { Resume = true }
                )
                .Resumed
        );
        track.AssertSameStems("whole", "parts");

        track.Interrupt("other", new SeparationOptions { Overlap = 0.25 });
        Assert.False(
            track
                .Separate("other", new SeparationOptions { Overlap = 0.5 }, output => output with { Resume = true, Overwrite = true })
                .Resumed
        );
        Assert.DoesNotContain("demucsps.partial", track.Names("other"));
    }

    [Fact]
    public void Another_precision_is_refused_and_a_journal_from_before_there_was_one_is_of_full_precision()
    {
        using InterruptedTrack track = new(s_small);
        track.Interrupt("parts", new SeparationOptions());
        string path = track.Folder["parts", "small", "noise", "demucsps.partial", "journal.json"];
        JsonNode journal = JsonNode.Parse(File.ReadAllText(path))!;
        JsonObject parameters = journal["identity"]!["parameters"]!.AsObject();
        Assert.Equal("Full", (string?)parameters["precision"]);
        parameters["precision"] = "Int8";
        File.WriteAllText(path, journal.ToJsonString());
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            track.Separate("parts", new SeparationOptions(), output => output with { Resume = true })
        );
        Assert.Equal(DemucsError.ResumeMismatch, refused.Error);
        Assert.Contains("precision changed from Int8 to Full", refused.Message, StringComparison.Ordinal);

        parameters.Remove("precision");
        File.WriteAllText(path, journal.ToJsonString());
        SeparationResult result = track.Separate("parts", new SeparationOptions(), output => output with { Resume = true });
        Assert.True(result.Resumed);
        Assert.Equal(ModelPrecision.Full, result.Precision);
    }

    [Fact]
    public void Shifts_that_another_version_drew_of_the_same_seed_are_not_mixed_with_those_of_this_one()
    {
        using InterruptedTrack track = new(s_small);
        SeparationOptions options = new() { Shifts = 2, Seed = 7 };
        track.Interrupt("parts", options);
        string path = track.Folder["parts", "small", "noise", "demucsps.partial", "journal.json"];
        JsonNode journal = JsonNode.Parse(File.ReadAllText(path))!;
        JsonObject parameters = journal["identity"]!["parameters"]!.AsObject();
        // What the runtime's generator gave, which earlier builds used.
        Random random = new(7);
        string then = $"{random.Next(SeparationOptions.MaxShift + 1)},{random.Next(SeparationOptions.MaxShift + 1)}";
        parameters["shift offsets"] = then;
        File.WriteAllText(path, journal.ToJsonString());
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            track.Separate("parts", options, output => output with { Resume = true })
        );
        Assert.Equal(DemucsError.ResumeMismatch, refused.Error);
        Assert.Contains(
            $"shift offsets changed from {then} to {string.Join(',', options.DrawShifts())}",
            refused.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Stems_of_another_precision_are_not_skipped_and_those_from_before_there_was_one_are()
    {
        using InterruptedTrack track = new(s_small);
        string path = track.Separate("out", new SeparationOptions()).ProvenancePath;
        JsonNode provenance = JsonNode.Parse(File.ReadAllText(path))!;
        JsonObject parameters = provenance["separation"]!["parameters"]!.AsObject();
        parameters["precision"] = "Int8";
        File.WriteAllText(path, provenance.ToJsonString());
        DemucsException exists = Assert.Throws<DemucsException>(() =>
            track.Separate("out", new SeparationOptions(), output => output with { SkipExisting = true })
        );
        Assert.Equal(DemucsError.StemExists, exists.Error);
        Assert.Equal([Remedy.Replace], exists.Remedies);
        Assert.Equal(
            [Remedy.Replace, Remedy.SkipExisting],
            Assert.Throws<DemucsException>(() => track.Separate("out", new SeparationOptions())).Remedies
        );
        // Who resumes already is not told to.
        Assert.Equal(
            [Remedy.Replace, Remedy.SkipFinished],
            Assert
                .Throws<DemucsException>(() => track.Separate("out", new SeparationOptions(), output => output with { Resume = true }))
                .Remedies
        );
        parameters.Remove("precision");
        File.WriteAllText(path, provenance.ToJsonString());
        Assert.True(track.Separate("out", new SeparationOptions(), output => output with { SkipExisting = true }).Skipped);
    }

    [Fact]
    public void A_source_that_changed_is_refused_and_one_that_was_only_touched_is_not()
    {
        using InterruptedTrack track = new(s_small);
        track.Separate("whole", new SeparationOptions());
        track.Interrupt("parts", new SeparationOptions());
        byte[] original = File.ReadAllBytes(track.SourcePath);
        byte[] changed = [.. original];
        changed[^1] ^= 1;
        File.WriteAllBytes(track.SourcePath, changed);
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            track.Separate("parts", new SeparationOptions(), output => output with { Resume = true })
        );
        Assert.Equal(DemucsError.ResumeMismatch, refused.Error);
        Assert.Contains(
            $"the source changed (SHA-256 from {Convert.ToHexStringLower(SHA256.HashData(original))[..12]}… to {Convert.ToHexStringLower(SHA256.HashData(changed))[..12]}…)",
            refused.Message,
            StringComparison.Ordinal
        );

        File.Delete(track.SourcePath);
        Assert.Equal(
            DemucsError.AudioTrackNotFound,
            Assert
                .Throws<DemucsException>(() => track.Separate("parts", new SeparationOptions(), output => output with { Resume = true }))
                .Error
        );
        Assert.Equal(["demucsps.partial"], track.Names("parts"));

        File.WriteAllBytes(track.SourcePath, original);
        track.Separate("parts", new SeparationOptions(), output => output with { Resume = true });
        track.AssertSameStems("whole", "parts");
    }

    [Fact]
    public void A_model_that_was_replaced_is_refused()
    {
        using InterruptedTrack track = new(s_small, copyModel: true);
        // While it is loaded nothing can happen to the run, nor to what it says of itself.
        track.Interrupt("parts", new SeparationOptions());
        byte[] model = File.ReadAllBytes(track.ModelPath);
        // Another producer name: a model of the same behavior, but not the same file.
        model[4] ^= 1;
        File.WriteAllBytes(track.ModelPath, model);
        track.LoadModel();
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            track.Separate("parts", new SeparationOptions(), output => output with { Resume = true })
        );
        Assert.Equal(DemucsError.ResumeMismatch, refused.Error);
        Assert.Contains("'small.onnx' of model small changed (SHA-256 ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_that_were_replaced_are_seen_whatever_their_file_is_called()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["small.onnx"], SmallModels.WithUnusedOutsideWeight("модель.data"));
        File.WriteAllBytes(folder["модель.data"], BitConverter.GetBytes(2f));
        using InterruptedTrack track = new(folder["small.onnx"]);
        SeparationResult whole = track.Separate("whole", new SeparationOptions());
        Assert.Contains("модель.data", File.ReadAllText(whole.ProvenancePath), StringComparison.Ordinal);
        Assert.True(track.Separate("whole", new SeparationOptions(), output => output with { SkipExisting = true }).Skipped);
        track.Interrupt("parts", new SeparationOptions());

        File.WriteAllBytes(folder["модель.data"], BitConverter.GetBytes(3f));
        track.LoadModel();
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            track.Separate("parts", new SeparationOptions(), output => output with { Resume = true })
        );
        Assert.Equal(DemucsError.ResumeMismatch, refused.Error);
        Assert.Contains("'модель.data' of model small changed (SHA-256 ", refused.Message, StringComparison.Ordinal);
        Assert.Equal(
            DemucsError.StemExists,
            Assert
                .Throws<DemucsException>(() =>
                    track.Separate("whole", new SeparationOptions(), output => output with { SkipExisting = true })
                )
                .Error
        );
    }

    [Fact]
    public void A_model_that_is_replaced_before_the_first_track_is_named()
    {
        using InterruptedTrack track = new(s_small, copyModel: true);
        File.WriteAllBytes(track.ModelPath, [1, 2, 3]);
        DemucsException e = Assert.Throws<DemucsException>(() => track.Separate("out", new SeparationOptions()));
        Assert.Equal(DemucsError.DemucsModelInvalid, e.Error);
        Assert.Contains(track.ModelPath, e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(track.Folder["out"]));
    }

    [Fact]
    public void A_model_that_is_replaced_during_a_track_changes_nothing_of_it()
    {
        using InterruptedTrack track = new(s_small, copyModel: true);
        track.Separate("whole", new SeparationOptions());
        track.Separate(
            "out",
            new SeparationOptions(),
            progress: new ProgressCallback(p =>
            {
                if (p is { Stage: SeparationStage.Separating, Done: 3 })
                    File.WriteAllBytes(track.ModelPath, [1, 2, 3]);
            })
        );
        track.AssertSameStems("whole", "out");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1,2")]
    [InlineData("{\"schema\": 99}")]
    [InlineData("\0\0\0\0")]
    public void A_damaged_journal_is_said_to_be_and_never_trusted(string content)
    {
        using InterruptedTrack track = new(s_small);
        track.Interrupt("parts", new SeparationOptions());
        string journal = track.Folder["parts", "small", "noise", "demucsps.partial", "journal.json"];
        File.WriteAllText(journal, content);
        DemucsException e = Assert.Throws<DemucsException>(() =>
            track.Separate("parts", new SeparationOptions(), output => output with { Resume = true })
        );
        Assert.Equal(DemucsError.ResumeMismatch, e.Error);
        Assert.Contains(journal, e.Path, StringComparison.Ordinal);
        Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
        Assert.False(track.Separate("parts", new SeparationOptions(), output => output with { Resume = true, Overwrite = true }).Resumed);
    }

    [Fact]
    public void A_journal_beyond_all_bounds_is_not_read()
    {
        using InterruptedTrack track = new(s_small);
        track.Interrupt("parts", new SeparationOptions());
        using (FileStream journal = File.OpenWrite(track.Folder["parts", "small", "noise", "demucsps.partial", "journal.json"]))
            journal.SetLength(RecordFile.MaxBytes + 1);
        Assert.Equal(
            DemucsError.ResumeMismatch,
            Assert
                .Throws<DemucsException>(() => track.Separate("parts", new SeparationOptions(), output => output with { Resume = true }))
                .Error
        );
    }

    [Fact]
    public void Staged_stems_that_are_gone_or_too_short_are_missed()
    {
        using InterruptedTrack track = new(s_small);
        track.Interrupt("parts", new SeparationOptions());
        string staged = track.Folder["parts", "small", "noise", "demucsps.partial", "1.staged.partial"];
        using (FileStream stream = File.OpenWrite(staged))
            stream.SetLength(stream.Length / 2);
        DemucsException e = Assert.Throws<DemucsException>(() =>
            track.Separate("parts", new SeparationOptions(), output => output with { Resume = true })
        );
        Assert.Equal(DemucsError.ResumeMismatch, e.Error);
        Assert.Contains(staged, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Old_stems_stay_until_all_new_ones_are_ready()
    {
        using InterruptedTrack track = new(s_small);
        track.Separate("out", new SeparationOptions());
        Dictionary<string, byte[]> old = Directory.GetFiles(track.Folder["out", "small", "noise"]).ToDictionary(f => f, File.ReadAllBytes);
        track.Interrupt("out", new SeparationOptions { Overlap = 0.5 }, output => output with { Overwrite = true });
        Assert.All(old, file => Assert.Equal(file.Value, File.ReadAllBytes(file.Key)));
        track.Separate("out", new SeparationOptions { Overlap = 0.5 }, output => output with { Overwrite = true, Resume = true });
        Assert.True(SeparationVerification.Verify(track.Folder["out", "small", "noise"]).IsIntact);
        Assert.Contains(old, file => !file.Value.AsSpan().SequenceEqual(File.ReadAllBytes(file.Key)));
    }

    [Fact]
    public void A_clock_that_jumps_back_harms_nothing()
    {
        using InterruptedTrack track = new(s_small);
        track.Separate("whole", new SeparationOptions());
        TurnedClock clock = new();
        track.Clock = clock;
        track.Interrupt("parts", new SeparationOptions());
        clock.Turn(TimeSpan.FromDays(-400));
        SeparationResult result = track.Separate(
            "parts",
            new SeparationOptions(),
            output => output with { Resume = true },
            new ProgressCallback(p =>
            {
                Assert.True(p.Remaining is null || p.Remaining >= TimeSpan.Zero);
                clock.Turn(TimeSpan.FromSeconds(-1000));
            })
        );
        Assert.True(result.Resumed);
        Assert.InRange(result.Elapsed, TimeSpan.Zero, TimeSpan.FromHours(1));
        track.AssertSameStems("whole", "parts");
        // A damaged record file would say so.
        Assert.True(SeparationVerification.Verify(track.Folder["parts", "small", "noise"]).IsIntact);
    }

    private static bool SameBytes(string one, string two) => File.ReadAllBytes(one).AsSpan().SequenceEqual(File.ReadAllBytes(two));
}
