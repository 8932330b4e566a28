using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace DemucsPS.Engine.Tests;

/// <summary>
/// Numbers in messages have a point, whatever the system's language: a sentence with "7,8 s" and "0.3 GB" in it is read wrongly. The
/// console has no other culture; the module runs in the user's, so
/// in its compiled code, and the engine's, no number with decimals may become text, or text a number, by the culture of the moment.
/// </summary>
public sealed class CultureTests
{
    private static readonly string[] s_numbers =
    [
        "System.Single",
        "System.Double",
        "System.Decimal",
        "System.Half",
        "System.DateTime",
        "System.DateTimeOffset",
    ];

    private static readonly Dictionary<short, OpCode> s_codes = typeof(OpCodes)
        .GetFields()
        .Select(f => (OpCode)f.GetValue(null)!)
        .ToDictionary(c => c.Value);

    [Fact]
    public void The_engine_writes_numbers_the_same_in_every_language() => AssertNone(typeof(DemucsException).Assembly.Location);

    [Fact]
    public void The_module_writes_numbers_the_same_in_every_language()
    {
        string module = Path.Combine(RepositoryFiles.Root, "output", "DemucsPS", "DemucsPS.dll");
        if (!File.Exists(module))
            Assert.Skip("The module is not built.");
        AssertNone(module);
    }

    [Fact]
    public void What_depends_on_the_language_is_found()
    {
        string[] faults =
        [
            .. Faults(typeof(CultureTests).Assembly.Location).Where(f => f.Contains(nameof(Examples), StringComparison.Ordinal)),
        ];
        Assert.Equal(
            ["Joined", "Parsed", "Said", "SaidWithin", "Written"],
            faults.Select(f => f.Split(": ")[0].Split('.')[^1]).Order(StringComparer.Ordinal)
        );
    }

    private static void AssertNone(string assembly)
    {
        List<string> faults = Faults(assembly);
        Assert.True(faults.Count == 0, string.Join(Environment.NewLine, faults));
    }

    private static List<string> Faults(string assembly)
    {
        using PEReader file = new(File.OpenRead(assembly));
        MetadataReader metadata = file.GetMetadataReader();
        List<string> faults = [];
        foreach (
            MethodDefinition method in metadata
                .MethodDefinitions.Select(metadata.GetMethodDefinition)
                .Where(m => m.RelativeVirtualAddress != 0)
        )
        {
            string name = metadata.GetString(method.Name);
            // What the compiler writes of a record is for debuggers; what it writes of JSON speaks to nobody.
            if (name is "PrintMembers" or "ExpandConverter")
                continue;
            string where = $"{new Names(metadata).GetTypeFromDefinition(metadata, method.GetDeclaringType(), 0)}.{name}";
            faults.AddRange(
                Calls(metadata, file.GetMethodBody(method.RelativeVirtualAddress).GetILReader())
                    .Where(f => f is not null)
                    .Select(f => $"{where}: {f}")
            );
        }
        return faults;
    }

    /// <summary>Goes through a method as it is written: interpolated strings that stand in others are whole before those go on.</summary>
    private static List<string?> Calls(MetadataReader metadata, BlobReader code)
    {
        List<string?> found = [];
        Stack<bool> handlers = [];
        string constrained = "";
        while (code.RemainingBytes > 0)
        {
            byte first = code.ReadByte();
            OpCode operation = s_codes[first == 0xFE ? unchecked((short)(0xFE00 | code.ReadByte())) : first];
            switch (operation.OperandType)
            {
                case OperandType.InlineMethod:
                    found.Add(Fault(metadata, MetadataTokens.EntityHandle(code.ReadInt32()), handlers, constrained));
                    constrained = "";
                    break;
                case OperandType.InlineType when operation == OpCodes.Constrained:
                    constrained = new Names(metadata).Of(MetadataTokens.EntityHandle(code.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    int cases = code.ReadInt32();
                    code.Offset += 4 * cases;
                    break;
                default:
                    code.Offset += operation.OperandType switch
                    {
                        OperandType.InlineNone => 0,
                        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                        OperandType.InlineVar => 2,
                        OperandType.InlineI8 or OperandType.InlineR => 8,
                        _ => 4,
                    };
                    break;
            }
        }
        return found;
    }

    private static string? Fault(MetadataReader metadata, EntityHandle handle, Stack<bool> handlers, string constrained)
    {
        Names names = new(metadata);
        ImmutableArray<string> generic = [];
        if (handle.Kind == HandleKind.MethodSpecification)
        {
            MethodSpecification specification = metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
            generic = specification.DecodeSignature(names, null);
            handle = specification.Method;
        }
        if (handle.Kind != HandleKind.MemberReference)
            return null;
        MemberReference member = metadata.GetMemberReference((MemberReferenceHandle)handle);
        string type = names.Of(member.Parent),
            method = metadata.GetString(member.Name);
        ImmutableArray<string> parameters = member.DecodeMethodSignature(names, null).ParameterTypes;
        bool hasCulture = parameters.Contains("System.IFormatProvider");
        bool isNumber = generic.Any(IsNumber);
        switch (type, method)
        {
            case ("System.Runtime.CompilerServices.DefaultInterpolatedStringHandler", ".ctor"):
                handlers.Push(hasCulture);
                return null;
            case ("System.Runtime.CompilerServices.DefaultInterpolatedStringHandler", "AppendFormatted"):
                return isNumber && !handlers.Peek() ? $"interpolates a {generic[0]}" : null;
            case ("System.Runtime.CompilerServices.DefaultInterpolatedStringHandler", "ToStringAndClear"):
            case ("System.String", "Create")
                when parameters.Any(p => p.Contains("DefaultInterpolatedStringHandler", StringComparison.Ordinal)):
                handlers.Pop();
                return null;
            case ("System.String", "Join" or "Concat") when isNumber:
            case ("System.String", "Format") when !hasCulture:
            case ("System.Object", "ToString") when IsNumber(constrained):
            case (_, "ToString" or "Parse" or "TryParse") when IsNumber(type) && !hasCulture:
                return $"calls {type}.{method}({string.Join(", ", parameters)})";
            default:
                return null;
        }
    }

    private static bool IsNumber(string type) => s_numbers.Any(n => type == n || type == $"System.Nullable`1<{n}>");

    /// <summary>Names of types, as far as they matter here.</summary>
    private sealed class Names(MetadataReader reader) : ISignatureTypeProvider<string, object?>
    {
        public string Of(EntityHandle handle) =>
            handle.Kind switch
            {
                HandleKind.TypeReference => GetTypeFromReference(reader, (TypeReferenceHandle)handle, 0),
                HandleKind.TypeDefinition => GetTypeFromDefinition(reader, (TypeDefinitionHandle)handle, 0),
                HandleKind.TypeSpecification => GetTypeFromSpecification(reader, null, (TypeSpecificationHandle)handle, 0),
                _ => "",
            };

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        {
            TypeDefinition type = reader.GetTypeDefinition(handle);
            return type.IsNested
                ? $"{GetTypeFromDefinition(reader, type.GetDeclaringType(), 0)}+{reader.GetString(type.Name)}"
                : $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}";
        }

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
        {
            TypeReference type = reader.GetTypeReference(handle);
            return $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}";
        }

        public string GetTypeFromSpecification(
            MetadataReader reader,
            object? genericContext,
            TypeSpecificationHandle handle,
            byte rawTypeKind
        ) => reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => $"System.{typeCode}";

        public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) =>
            $"{genericType}<{string.Join(',', typeArguments)}>";

        public string GetArrayType(string elementType, ArrayShape shape) => $"{elementType}[,]";

        public string GetSZArrayType(string elementType) => $"{elementType}[]";

        public string GetByReferenceType(string elementType) => $"{elementType}&";

        public string GetPointerType(string elementType) => $"{elementType}*";

        public string GetPinnedType(string elementType) => elementType;

        public string GetFunctionPointerType(MethodSignature<string> signature) => "*";

        public string GetGenericMethodParameter(object? genericContext, int index) => $"!!{index}";

        public string GetGenericTypeParameter(object? genericContext, int index) => $"!{index}";

        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;
    }

    /// <summary>What must be found, and what must not.</summary>
    private static class Examples
    {
        public static string Said(double number) => $"{number:F1} s";

        public static string SaidWithin(double number, bool all) => FormattableString.Invariant($"{number} {(all ? $"of {number}" : "")}");

        public static string Joined(float[] numbers) => string.Join(", ", numbers);

        public static string Written(double? number) => "about " + number;

        public static bool Parsed(string text) => double.TryParse(text, out _);

        public static string Fine(double number, int whole, TimeSpan time) =>
            $"{whole} of {string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{number:F2}")} in {time:h\\:mm\\:ss}, {FormattableString.Invariant($"{number}")}";
    }
}
