using System.Reflection;
using System.Runtime.CompilerServices;

namespace DemucsPS.Engine.Tests;

/// <summary>
/// What a program that uses the engine as a library can see: it is listed in <c>src/DemucsPS.Engine/PublicFace.txt</c>, so that a change of
/// it is seen in review and made on purpose.
/// </summary>
public sealed class PublicFaceTests
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext s_nullability = new();

    [Fact]
    public void It_is_what_is_listed()
    {
        string listed = Path.Combine(RepositoryFiles.Root, "src", "DemucsPS.Engine", "PublicFace.txt");
        string[] now = [.. typeof(DemucsError).Assembly.GetExportedTypes().SelectMany(Describe).Order(StringComparer.Ordinal)];
        string[] then = File.Exists(listed) ? File.ReadAllLines(listed) : [];
        string[] added = [.. now.Except(then)],
            gone = [.. then.Except(now)];
        if (added.Length == 0 && gone.Length == 0)
            return;
        // Beside the builds, where tests may write.
        string actual = Path.Combine(AppContext.BaseDirectory, "PublicFace.txt");
        File.WriteAllLines(actual, now);
        Assert.Fail(
            $"The engine's public face has changed. If that is meant, copy '{actual}' to '{listed}'.\n{string.Join('\n', gone.Select(line => "- " + line).Concat(added.Select(line => "+ " + line)).Take(40))}"
        );
    }

    private static IEnumerable<string> Describe(Type type)
    {
        string name = NameOf(type);
        string kind =
            type.IsEnum ? "enum"
            : type.IsInterface ? "interface"
            : type.IsValueType ? "struct"
            : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
            : "class";
        string form =
            kind == "class"
                ? type.IsAbstract && type.IsSealed
                    ? "static "
                    : type.IsAbstract
                        ? "abstract "
                        : type.IsSealed
                            ? "sealed "
                            : ""
                : "";
        string[] bases =
        [
            .. new[] { type.BaseType is { } b && b != typeof(object) && b != typeof(ValueType) && b != typeof(Enum) ? NameOf(b) : null }
                .OfType<string>()
                .Concat(type.IsEnum ? [] : type.GetInterfaces().Where(i => i.IsPublic).Select(NameOf))
                .Order(StringComparer.Ordinal),
        ];
        yield return $"{name}: {form}{kind}{(bases.Length > 0 ? " : " + string.Join(", ", bases) : "")}";
        if (type.IsEnum)
        {
            foreach (string value in Enum.GetNames(type))
                yield return $"{name}.{value} = {Convert.ToInt64(Enum.Parse(type, value), System.Globalization.CultureInfo.InvariantCulture)}";
            yield break;
        }
        foreach (MemberInfo member in type.GetMembers(All))
        {
            if (Describe(member) is { } text)
                yield return $"{name}.{text}";
        }
    }

    private static string? Describe(MemberInfo member) =>
        member switch
        {
            // What the compiler writes for records says nothing that the record does not.
            _ when member.IsDefined(typeof(CompilerGeneratedAttribute)) => null,
            FieldInfo field when IsSeen(field) =>
                $"{field.Name}: {(field.IsLiteral ? "const " : field.IsStatic ? "static " : "")}{TypeOf(field.FieldType, s_nullability.Create(field))}{(field.IsLiteral ? $" = {Text(field.GetRawConstantValue())}" : "")}",
            ConstructorInfo constructor when IsSeen(constructor) => $"new{Parameters(constructor)}",
            MethodInfo { IsSpecialName: false } method when IsSeen(method) =>
                $"{method.Name}{(method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : "")}{Parameters(method)}: {(method.IsStatic ? "static " : "")}{TypeOf(method.ReturnType, s_nullability.Create(method.ReturnParameter))}",
            MethodInfo { IsSpecialName: true } method when IsSeen(method) && method.Name.StartsWith("op_", StringComparison.Ordinal) =>
                $"{method.Name}{Parameters(method)}: {NameOf(method.ReturnType)}",
            PropertyInfo property when new[] { property.GetMethod, property.SetMethod }.Any(a => a is not null && IsSeen(a)) =>
                $"{property.Name}: {(property.GetAccessors(nonPublic: true)[0].IsStatic ? "static " : "")}{(property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "")}{TypeOf(property.PropertyType, s_nullability.Create(property))} {{{Accessor(property.GetMethod, " get;")}{Accessor(property.SetMethod, property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) == true ? " init;" : " set;")} }}",
            EventInfo { AddMethod: { } add } e when IsSeen(add) => $"{e.Name}: event {NameOf(e.EventHandlerType!)}",
            _ => null,
        };

    private static string Accessor(MethodInfo? accessor, string text) => accessor is not null && IsSeen(accessor) ? text : "";

    private static bool IsSeen(FieldInfo field) => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly;

    private static bool IsSeen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Parameters(MethodBase method) =>
        $"({string.Join(", ", method.GetParameters().Select(p =>
        $"{(p.IsOut ? "out " : p.ParameterType.IsByRef ? "ref " : "")}{TypeOf(p.ParameterType, s_nullability.Create(p))} {p.Name}{(p.HasDefaultValue ? $" = {Text(p.RawDefaultValue)}" : "")}"))})";

    private static string Text(object? value) =>
        value switch
        {
            null => "null",
            string text => $"\"{text}\"",
            _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!,
        };

    private static string TypeOf(Type type, NullabilityInfo nullability) =>
        NameOf(type) + (!type.IsValueType && nullability.ReadState == NullabilityState.Nullable ? "?" : "");

    private static string NameOf(Type type) =>
        type.IsByRef ? NameOf(type.GetElementType()!)
        : type.IsArray ? NameOf(type.GetElementType()!) + "[]"
        : Nullable.GetUnderlyingType(type) is { } value ? NameOf(value) + "?"
        : type.IsGenericParameter ? type.Name
        : (
            type.IsNested ? NameOf(type.DeclaringType!) + "."
            : type.Namespace is "System" ? ""
            : type.Namespace + "."
        ) + (type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>" : type.Name);
}
