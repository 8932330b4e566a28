using System.Collections;
using System.Management.Automation;
using DemucsPS.Engine.Inference;

namespace DemucsPS;

/// <summary>
/// The parameters by which cmdlets say how a model runs. They have different bases, so that they repeat these, which this interface keeps
/// alike; <see cref="ModelInput"/> reads them.
/// </summary>
internal interface IModelInput
{
    /// <summary>Run models unchanged, without the preparation that improves accuracy.</summary>
    SwitchParameter NoPreparation { get; }

    /// <summary>The precision in which models are computed.</summary>
    ModelPrecision Precision { get; }

    /// <summary>What runs the model.</summary>
    ExecutionProvider ExecutionProvider { get; }

    /// <summary>The plug-in library with the execution provider; without it, one in the folder of such.</summary>
    string? ProviderLibrary { get; }

    /// <summary>
    /// Options of the execution provider, by name; of a plug-in library <c>device</c> chooses what <c>Get-DemucsDevice</c> lists.
    /// </summary>
    Hashtable? ProviderOption { get; }
}
