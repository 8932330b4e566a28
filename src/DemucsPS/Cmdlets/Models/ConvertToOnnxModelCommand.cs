using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Models;

namespace DemucsPS.Cmdlets;

/// <summary><c>ConvertTo-OnnxModel</c>: converts models from weights to ONNX files.</summary>
[Cmdlet(VerbsData.ConvertTo, "OnnxModel", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ConvertToOnnxModelCommand : ModelCommand
{
    /// <summary>Paths of .safetensors files, the path of a bag's .yaml file, or names of installed models.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ModelCompleter))]
    public string[] Model { get; set; } = [];

    /// <summary>The file to write, or an existing folder.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string DestinationPath { get; set; } = "";

    /// <summary>Replace existing files.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => ForEach([Model], models =>
        {
            ModelSelection selection = this.SelectModels(models, null);
            foreach (
                ModelConversion conversion in ModelConversion.Plan(
                    selection,
                    this.ResolveLiteral(DestinationPath, DemucsError.ModelWriteFailed),
                    Force
                )
            )
            {
                if (!ShouldProcess(conversion.Destination, $"Write the graph of '{conversion.SourcePath}' as an ONNX model"))
                    continue;
                conversion.Run(WriteWarning, Stop.Token);
                WriteObject(new FileInfo(conversion.Destination));
            }
        });
}
