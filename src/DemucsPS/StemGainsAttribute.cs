using System.Collections;
using System.Globalization;
using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS;

/// <summary>
/// Makes gains in decibels of text such as <c>vocals=-6,drums=0</c>, whole or in pieces, or of a hashtable with numbers or text.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class StemGainsAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        try
        {
            return value switch
            {
                string text => Table(StemGains.Parse(text).Decibels),
                // Without quotes, PowerShell takes the commas for an array.
                object?[] pieces => Table(StemGains.Parse(string.Join(',', pieces)).Decibels),
                IDictionary gains => Table(
                    gains.Cast<DictionaryEntry>().Select(e => new KeyValuePair<string, double>(Text(e.Key), Number(Text(e.Key), e.Value)))
                ),
                _ => inputData,
            };
        }
        catch (DemucsException e)
        {
            throw new ArgumentTransformationMetadataException(e.Message, e);
        }
    }

    private static Hashtable Table(IEnumerable<KeyValuePair<string, double>> gains) => new(gains.ToDictionary());

    private static double Number(string name, object? gain) => StemGains.ParseGain(name, Text(gain));

    private static string Text(object? value) =>
        Convert.ToString(value is PSObject wrapped ? wrapped.BaseObject : value, CultureInfo.InvariantCulture) ?? "";
}
