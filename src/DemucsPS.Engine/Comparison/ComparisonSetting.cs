using System.Globalization;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Comparison;

/// <summary>One of several compared settings.</summary>
public sealed record ComparisonSetting
{
    /// <summary>A model's or bag's name, or the path of a model; null for the default.</summary>
    public string? Model { get; init; }

    /// <summary>Share of a chunk that neighbors have in common.</summary>
    public double Overlap { get; init; } = new SeparationOptions().Overlap;

    /// <summary>Random shifts to average over, always the same ones.</summary>
    public int Shifts { get; init; }

    /// <summary>The precision in which the model is computed.</summary>
    public ModelPrecision Precision { get; init; }

    /// <summary>What it is called, also as a folder.</summary>
    /// <param name="model">The model's name.</param>
    internal string NameOf(string model) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{model}, overlap {Overlap}{(Shifts > 0 ? $", shifts {Shifts}" : "")}{(Precision == ModelPrecision.Full ? "" : $", {Precision}")}"
        );
}
