using Mono.Cecil;

namespace DemucsPS.Tests.Shared;

/// <summary>
/// Which namespace of an assembly uses which other: by its compiled types, their members and what their code calls. Documentation and
/// constants leave no trace there.
/// </summary>
internal sealed class NamespaceGraph
{
    private readonly SortedDictionary<string, SortedDictionary<string, SortedSet<string>>> _uses = new(StringComparer.Ordinal);
    private readonly ModuleDefinition _module;

    private NamespaceGraph(ModuleDefinition module)
    {
        _module = module;
        // What the compiler adds has none, and what its generators add has one of the framework's.
        foreach (TypeDefinition type in module.Types.Where(IsOwn))
        {
            _uses.TryAdd(type.Namespace, new(StringComparer.Ordinal));
            foreach (TypeReference used in UsedBy(type).Select(Outermost).Where(used => IsOwn(used) && used.Namespace != type.Namespace))
            {
                if (!_uses[type.Namespace].TryGetValue(used.Namespace, out SortedSet<string>? pairs))
                    _uses[type.Namespace][used.Namespace] = pairs = new(StringComparer.Ordinal);
                pairs.Add($"{type.Name} uses {used.Name}");
            }
        }
    }

    /// <summary>All namespaces of the assembly, in order.</summary>
    public IEnumerable<string> Namespaces => _uses.Keys;

    /// <summary>Which namespace uses which, each with a pair of types by which it does.</summary>
    public IEnumerable<(string User, string Used, string Example)> Uses =>
        _uses.SelectMany(user => user.Value.Select(used => (user.Key, used.Key, used.Value.Min!)));

    /// <summary>Reads it from an assembly's file.</summary>
    public static NamespaceGraph Read(string assembly)
    {
        using ModuleDefinition module = ModuleDefinition.ReadModule(assembly);
        return new NamespaceGraph(module);
    }

    /// <summary>
    /// All namespaces that use each other in a circle, a line for each step of it with a pair of types that makes it; empty where every
    /// namespace stands above those that it uses.
    /// </summary>
    public IReadOnlyList<string> Circles()
    {
        // What can be reached from where. There are a few dozen namespaces.
        Dictionary<string, HashSet<string>> reach = _uses.Keys.ToDictionary(
            from => from,
            from =>
            {
                HashSet<string> seen = [];
                Stack<string> next = new(_uses[from].Keys);
                while (next.TryPop(out string? name))
                {
                    if (seen.Add(name))
                    {
                        foreach (string further in _uses[name].Keys)
                            next.Push(further);
                    }
                }
                return seen;
            }
        );
        return [.. Uses.Where(use => reach[use.Used].Contains(use.User)).Select(use => $"{use.User} -> {use.Used}: {use.Example}")];
    }

    private static bool IsOwn(TypeReference type) =>
        type.Namespace.Length > 0 && !type.Namespace.StartsWith("System.", StringComparison.Ordinal);

    private static TypeReference Outermost(TypeReference type)
    {
        while (type.DeclaringType is { } outer)
            type = outer;
        return type;
    }

    private IEnumerable<TypeReference> UsedBy(TypeDefinition type)
    {
        IEnumerable<TypeReference?> named =
        [
            type.BaseType,
            .. type.Interfaces.Select(i => i.InterfaceType),
            .. type.GenericParameters.SelectMany(p => p.Constraints).Select(c => c.ConstraintType),
            .. Attributes(type),
            .. type.Properties.SelectMany(Attributes),
            .. type.Fields.SelectMany(f => Attributes(f).Prepend(f.FieldType)),
            .. type.Methods.SelectMany(m => Attributes(m).Concat(m.HasBody ? Body(m) : []).Concat(Signature(m))),
        ];
        return named.SelectMany(Parts).Concat(type.NestedTypes.SelectMany(UsedBy));
    }

    private static IEnumerable<TypeReference> Attributes(ICustomAttributeProvider of) =>
        of.CustomAttributes.SelectMany(a => a.ConstructorArguments.Select(c => c.Value).OfType<TypeReference>().Prepend(a.AttributeType));

    private static IEnumerable<TypeReference> Signature(MethodReference method) =>
        method.Parameters.Select(p => p.ParameterType).Prepend(method.ReturnType);

    private static IEnumerable<TypeReference?> Body(MethodDefinition method) =>
        [
            .. method.Body.Variables.Select(v => v.VariableType),
            .. method.Body.ExceptionHandlers.Select(h => h.CatchType),
            .. method.Body.Instructions.SelectMany(i =>
                i.Operand switch
                {
                    TypeReference used => [used],
                    FieldReference used => [used.DeclaringType, used.FieldType],
                    MethodReference used =>
                    [
                        used.DeclaringType,
                        .. Signature(used),
                        .. (used as GenericInstanceMethod)?.GenericArguments ?? [],
                    ],
                    _ => Enumerable.Empty<TypeReference>(),
                }
            ),
        ];

    // A list of arrays of something uses that something; only types of this assembly count.
    private IEnumerable<TypeReference> Parts(TypeReference? type) =>
        type switch
        {
            null or GenericParameter => [],
            GenericInstanceType generic => generic.GenericArguments.Prepend(generic.ElementType).SelectMany(Parts),
            TypeSpecification made => Parts(made.ElementType),
            _ when type.Scope == _module => [type],
            _ => [],
        };
}
