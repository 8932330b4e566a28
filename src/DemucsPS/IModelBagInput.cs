using System.Management.Automation;

namespace DemucsPS;

/// <summary>The parameters by which cmdlets that separate choose their models.</summary>
internal interface IModelBagInput : IModelInput
{
    /// <summary>
    /// A model's or bag's name, or the path of a model; several for a bag. Default: <c>$env:DEMUCSPS_MODEL</c>, else an installed htdemucs,
    /// else <c>baseline</c>.
    /// </summary>
    string[]? Model { get; }

    /// <summary>For a bag: a row of weights for each model, one for each stem.</summary>
    double[][]? Weight { get; }

    /// <summary>Names for the model's stems, in its order. Default: the model's own names, or the usual ones.</summary>
    string[]? StemName { get; }

    /// <summary>Use an execution provider without comparing what it computes with the processor.</summary>
    SwitchParameter SkipProviderCheck { get; }

    /// <summary>Chunks to separate at once; 0 to choose by processors and memory.</summary>
    int ThrottleLimit { get; }

    /// <summary>How often to retry a failed chunk.</summary>
    int RetryCount { get; }
}
