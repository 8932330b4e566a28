using System.Collections;
using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Checks;

namespace DemucsPS.Cmdlets;

/// <summary><c>Test-DemucsModel</c>: hashes, the contract, one segment that is always the same, and what preparation changes.</summary>
[Cmdlet(VerbsDiagnostic.Test, "DemucsModel", DefaultParameterSetName = NameSet)]
[OutputType(typeof(ModelTestResult))]
public sealed class TestDemucsModelCommand : ModelCommand, IModelInput
{
    private const string NameSet = "Name",
        PathSet = "Path";

    /// <summary>Names of models or bags; paths will do, too.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = NameSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Literal paths of model files, or of folders with one model.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PathSet)]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Test the model without preparation.</summary>
    [Parameter]
    public SwitchParameter NoPreparation { get; set; }

    /// <summary>Run the model in this precision, and compare its stems with those of full precision.</summary>
    [Parameter]
    public ModelPrecision Precision { get; set; }

    /// <summary>Run the model on this execution provider, and compare its stems with those of the CPU.</summary>
    [Parameter]
    public ExecutionProvider ExecutionProvider { get; set; }

    /// <inheritdoc/>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ProviderLibrary { get; set; }

    /// <inheritdoc/>
    [Parameter]
    [ValidateNotNull]
    public Hashtable? ProviderOption { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEach(ParameterSetName == NameSet ? Name : Path, given =>
        {
            IReadOnlyList<ModelSource> models =
                ParameterSetName == NameSet ? Library.Select([given], null, Resolve).Models : [ModelSource.Find(Resolve(given))];
            try
            {
                foreach (ModelSource model in models)
                {
                    ModelTestResult result = ModelCheck.Run(
                        Library,
                        model,
                        this.Session(),
                        prepare: !NoPreparation,
                        Precision,
                        new Display(this),
                        Stop.Token
                    );
                    WriteObject(result);
                    // The model may be good; what is refused from now on is said as an error, which a separation with it would be.
                    if (result.Refusal is { } refusal)
                        WriteError(refusal.ToRecord(given));
                }
            }
            finally
            {
                WriteProgress(new ProgressRecord(Display.Activity, Display.Title, "done") { RecordType = ProgressRecordType.Completed });
            }
        });

    /// <summary>Shows the stages of a test, which runs on the pipeline's thread.</summary>
    private sealed class Display(Cmdlet cmdlet) : IProgress<ModelTestProgress>
    {
        public const int Activity = 1;

        public const string Title = "Testing models";

        public void Report(ModelTestProgress value) =>
            cmdlet.WriteProgress(
                new ProgressRecord(
                    Activity,
                    Title,
                    $"{value.Model}: {value.Stage switch
                    {
                        ModelTestStage.Verifying => "checking SHA-256",
                        ModelTestStage.Running => "separating",
                        ModelTestStage.Comparing => "separating on the CPU in full precision",
                        ModelTestStage.Exported => "separating with the model as exported",
                        _ => "computing in float64",
                    }}"
                )
            );
    }

    private string Resolve(string path) => this.ResolveLiteral(path, DemucsError.DemucsModelNotFound);
}
