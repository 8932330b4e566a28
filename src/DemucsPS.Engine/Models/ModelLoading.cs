using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Models;

/// <summary>How a model is loaded.</summary>
internal sealed record ModelLoading
{
    /// <summary>How it will run, in which precision, and how many segments at once.</summary>
    public OnnxSessionOptions Options { get; init; } = new();

    /// <summary>Whether its prepared copy is to run, see <see cref="PreparedModel"/>, which is made if it is missing. Built-in models need
    /// none; of a model that is weights only, the graph is written in any case.</summary>
    public bool Prepare { get; init; }

    /// <summary>Names for its stems, in its order; null for those in its metadata or, without, the usual ones of four or six
    /// stems.</summary>
    public IReadOnlyList<string>? StemNames { get; init; }

    /// <summary>Whether <see cref="SeparationModel.Files"/> will be asked what is in them: then they are read beside the runtime, which
    /// loads a model on one thread.</summary>
    public bool Identify { get; init; }

    /// <summary>Receives a message for the user where the copy cannot be kept; null to go without.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Receives a message for the user where the copy was damaged; null to go without.</summary>
    public Action<string>? WarnOfDamage { get; init; }

    /// <summary>Receives verbose messages: on the execution provider that is chosen, and where there is nothing to prepare; null to go
    /// without.</summary>
    public Action<string>? Tell { get; init; }
}
