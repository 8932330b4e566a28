using System.Text;

namespace DemucsPS.Engine.Onnx;

/// <summary>An attribute of an ONNX node (AttributeProto).</summary>
internal sealed class OnnxAttribute
{
    private const int NameField = 1;
    private const int FloatField = 2;
    private const int IntegerField = 3;
    private const int TextField = 4;
    private const int TensorField = 5;
    private const int IntegersField = 8;
    private const int TypeField = 20;

    private const long FloatType = 1;
    private const long IntegerType = 2;
    private const long TextType = 3;
    private const long TensorType = 4;
    private const long IntegersType = 7;

    private OnnxAttribute(ProtobufMessage message) => Message = message;

    /// <summary>The attribute in wire format.</summary>
    public ProtobufMessage Message { get; }

    /// <summary>An integer attribute.</summary>
    public static OnnxAttribute Create(string name, long value) =>
        new(new ProtobufMessage().Text(NameField, name).Integer(IntegerField, value).Integer(TypeField, IntegerType));

    /// <summary>An attribute that is a list of integers.</summary>
    public static OnnxAttribute Create(string name, ReadOnlySpan<long> values) =>
        new(new ProtobufMessage().Text(NameField, name).Integers(IntegersField, values).Integer(TypeField, IntegersType));

    /// <summary>A float attribute.</summary>
    public static OnnxAttribute Create(string name, float value) =>
        new(new ProtobufMessage().Text(NameField, name).Float(FloatField, value).Integer(TypeField, FloatType));

    /// <summary>A text attribute.</summary>
    public static OnnxAttribute Create(string name, string value) =>
        new(new ProtobufMessage().Text(NameField, name).Block(TextField, Encoding.UTF8.GetBytes(value)).Integer(TypeField, TextType));

    /// <summary>An attribute that is a tensor.</summary>
    public static OnnxAttribute Create(string name, ProtobufMessage tensor) =>
        new(new ProtobufMessage().Text(NameField, name).Message(TensorField, tensor).Integer(TypeField, TensorType));
}
