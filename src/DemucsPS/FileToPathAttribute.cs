using System.Management.Automation;

namespace DemucsPS;

/// <summary>
/// Turns files given to a wildcard parameter into escaped full paths. A bare FileInfo would become a string, and <c>song[1].wav</c> a
/// pattern; and its relative name would be looked for in another folder than the one it was made in.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FileToPathAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return value switch
        {
            FileSystemInfo file => WildcardPattern.Escape(file.FullName),
            object?[] several => Array.ConvertAll(several, item => Transform(engineIntrinsics, item)),
            _ => inputData,
        };
    }
}
