using DemucsPS.Engine.Files;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Tests.Records;

/// <summary>Which separations are the same. Prepared copies differ by what they run on.</summary>
public sealed class SeparationIdentityTests
{
    private const string Processor = "ONNX Runtime 1.31.1, Cpu, 2 threads",
        Plugin = "ONNX Runtime 1.31.1, Plugin (Some 1.0, CPU), 2 threads";

    [Fact]
    public void The_processor_goes_on_with_its_own_copy_of_the_model()
    {
        Assert.Empty(Identity(Plugin, "ofPlugin").DifferencesTo(Identity(Processor, "ofProcessor")));
        // And with no other from then on.
        string both = Identity(Plugin, "ofPlugin").ContinuedBy(Identity(Processor, "ofProcessor"))!;
        Assert.Equal($"{Plugin}; continued by {Processor}", both);
        Assert.Empty(Identity(both, "ofProcessor").DifferencesTo(Identity(Processor, "ofProcessor")));
        Assert.Contains(
            "'model.prepared.onnx' of model model changed",
            Assert.Single(Identity(both, "ofProcessor").DifferencesTo(Identity(Processor, "other"))),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_same_provider_goes_on_with_the_same_copy_only()
    {
        Assert.Empty(Identity(Processor, "copy").DifferencesTo(Identity(Processor, "copy")));
        Assert.Contains(
            "'model.prepared.onnx' of model model changed",
            Assert.Single(Identity(Processor, "copy").DifferencesTo(Identity(Processor, "other"))),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "runtime changed",
            Assert.Single(Identity(Processor, "ofProcessor").DifferencesTo(Identity(Plugin, "ofPlugin"))),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Finished_stems_of_the_same_model_are_the_same_whatever_ran_it()
    {
        Assert.Empty(Identity(Processor, "ofProcessor").DifferencesTo(Identity(Plugin, "ofPlugin"), anyVersion: true));
        // The model itself counts, and so does whether a copy of it ran.
        Assert.Contains(
            "'model.onnx' of model model changed",
            Assert.Single(Identity(Processor, "a").DifferencesTo(Identity(Plugin, "b", "another"), anyVersion: true)),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "model model changed from prepared to not prepared",
            Identity(Processor, "a").DifferencesTo(Identity(Processor, null), anyVersion: true)
        );
    }

    private static SeparationIdentity Identity(string runtime, string? copy, string model = "model") =>
        new(
            "1.2.3",
            runtime,
            new SourceIdentity("track.wav", 1, DateTime.UnixEpoch, "track"),
            [
                new ModelIdentity(
                    "model",
                    copy is not null,
                    [
                        new FileIdentity("model.onnx", 1, model),
                        .. copy is null ? Array.Empty<FileIdentity>() : [new FileIdentity("model.prepared.onnx", 1, copy)],
                    ]
                ),
            ],
            new Dictionary<string, string>()
        );
}
