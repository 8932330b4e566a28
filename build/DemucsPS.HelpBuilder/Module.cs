using System.Reflection;

namespace DemucsPS.HelpBuilder;

/// <summary>
/// What an assembly says of its cmdlets, read without running any of it: it may be built for another platform, and there is no PowerShell
/// here.
/// </summary>
internal sealed class Module : IDisposable
{
    private const string Automation = "System.Management.Automation.";

    private readonly MetadataLoadContext _context;
    private readonly Assembly _assembly;

    public Module(string assembly, IEnumerable<string> references)
    {
        _context = new(new PathAssemblyResolver(references.Append(assembly)));
        _assembly = _context.LoadFromAssemblyPath(assembly);
        Commands = [.. _assembly.GetTypes().Select(Read).OfType<Command>().OrderBy(c => c.Name, StringComparer.Ordinal)];
    }

    public IReadOnlyList<Command> Commands { get; }

    public void Dispose() => _context.Dispose();

    /// <summary>Whether the module or an assembly of the same project has a type.</summary>
    public bool HasType(string fullName) =>
        _assembly
            .GetReferencedAssemblies()
            .Where(name => name.Name!.StartsWith("DemucsPS.", StringComparison.Ordinal))
            .Select(_context.LoadFromAssemblyName)
            .Prepend(_assembly)
            .Any(a => a.GetType(fullName) is not null);

    private static Command? Read(Type type)
    {
        if (Attributes(type.GetCustomAttributesData(), "CmdletAttribute").SingleOrDefault() is not { } cmdlet)
            return null;
        List<Parameter> parameters = [.. type.GetProperties().Select(Read).OfType<Parameter>()];
        if (Named(cmdlet, "SupportsShouldProcess", false))
            parameters.AddRange([ShouldProcess("WhatIf", "wi"), ShouldProcess("Confirm", "cf")]);
        IEnumerable<string> outputs = Attributes(type.GetCustomAttributesData(), "OutputTypeAttribute")
            .SelectMany(a => Items(a.ConstructorArguments))
            .Select(value => value is Type output ? output.FullName! : (string)value!);
        return new(
            string.Join('-', cmdlet.ConstructorArguments.Select(a => a.Value)),
            Named<string?>(cmdlet, "DefaultParameterSetName", null),
            parameters,
            [.. outputs]
        );
    }

    private static Parameter? Read(PropertyInfo property)
    {
        IList<CustomAttributeData> attributes = property.GetCustomAttributesData();
        ParameterUse[] uses =
        [
            .. Attributes(attributes, "ParameterAttribute")
                .Select(a => new ParameterUse(
                    Named(a, "ParameterSetName", ParameterUse.AllSets),
                    Named<int?>(a, "Position", null),
                    Named(a, "Mandatory", false),
                    Named(a, "ValueFromPipeline", false),
                    Named(a, "ValueFromPipelineByPropertyName", false)
                )),
        ];
        if (uses.Length == 0)
            return null;
        Type type = property.PropertyType,
            element = type.GetElementType() ?? type;
        IEnumerable<string> Strings(string attribute) =>
            Attributes(attributes, attribute).SelectMany(a => Items(a.ConstructorArguments)).OfType<string>();
        return new(
            property.Name,
            type.Name,
            type.FullName!,
            Attributes(attributes, "SupportsWildcardsAttribute").Any(),
            [.. Strings("AliasAttribute")],
            element.IsEnum ? element.GetEnumNames() : [.. Strings("ValidateSetAttribute")],
            uses
        );
    }

    private static Parameter ShouldProcess(string name, string alias) =>
        new(
            name,
            "SwitchParameter",
            $"{Automation}SwitchParameter",
            false,
            [alias],
            [],
            [new(ParameterUse.AllSets, null, false, false, false)]
        );

    private static IEnumerable<CustomAttributeData> Attributes(IEnumerable<CustomAttributeData> attributes, string name) =>
        attributes.Where(a => a.AttributeType.FullName == Automation + name);

    private static T Named<T>(CustomAttributeData attribute, string name, T otherwise) =>
        attribute.NamedArguments.Where(a => a.MemberName == name).Select(a => (T)a.TypedValue.Value!).DefaultIfEmpty(otherwise).First();

    private static IEnumerable<object?> Items(IEnumerable<CustomAttributeTypedArgument> arguments) =>
        arguments.SelectMany(a => a.Value is IReadOnlyCollection<CustomAttributeTypedArgument> items ? Items(items) : [a.Value]);
}
