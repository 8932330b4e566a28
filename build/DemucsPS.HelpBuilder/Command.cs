namespace DemucsPS.HelpBuilder;

/// <summary>A cmdlet as it was compiled.</summary>
/// <param name="Name">Verb and noun.</param>
/// <param name="DefaultSet">The parameter set that is taken when parameters do not tell; null if there is but one.</param>
/// <param name="Parameters">All but those that every cmdlet has.</param>
/// <param name="OutputTypes">Full names of the types that it says it gives.</param>
internal sealed record Command(string Name, string? DefaultSet, IReadOnlyList<Parameter> Parameters, IReadOnlyList<string> OutputTypes)
{
    /// <summary>
    /// The parameters of each set as they are typed: those with a position, those that must be given, and the others as the page has them.
    /// </summary>
    /// <param name="order">Names of parameters, as the page has them.</param>
    public IEnumerable<(string Name, IEnumerable<(Parameter Parameter, ParameterUse Use)> Parameters)> Sets(IReadOnlyList<string> order)
    {
        Parameter[] ordered = [.. Parameters.OrderBy(p => order.TakeWhile(name => name != p.Name).Count())];
        IEnumerable<string> named = ordered.SelectMany(p => p.Uses).Select(u => u.Set).Where(set => set != ParameterUse.AllSets);
        string[] sets = [.. (DefaultSet is null ? named : named.Prepend(DefaultSet)).Distinct()];
        foreach (string set in sets.Length > 0 ? sets : [ParameterUse.AllSets])
        {
            yield return (
                set,
                ordered
                    .Select(p =>
                        (
                            Parameter: p,
                            Use: p.Uses.FirstOrDefault(u => u.Set == set) ?? p.Uses.FirstOrDefault(u => u.Set == ParameterUse.AllSets)!
                        )
                    )
                    .Where(p => p.Use is not null)
                    .OrderBy(p => p.Use.Position ?? int.MaxValue)
                    .ThenBy(p => !p.Use.IsRequired)
            );
        }
    }
}

/// <param name="Name">Without its hyphen.</param>
/// <param name="TypeName">As Get-Help shows it.</param>
/// <param name="TypeFullName">With its namespace.</param>
/// <param name="SupportsWildcards">Whether * and ? stand for characters.</param>
/// <param name="Aliases">Other names.</param>
/// <param name="AcceptedValues">All values, where they are words.</param>
/// <param name="Uses">The sets that it belongs to.</param>
internal sealed record Parameter(
    string Name,
    string TypeName,
    string TypeFullName,
    bool SupportsWildcards,
    IReadOnlyList<string> Aliases,
    IReadOnlyList<string> AcceptedValues,
    IReadOnlyList<ParameterUse> Uses
)
{
    public bool IsSwitch => TypeName == "SwitchParameter";
}

/// <param name="Set">The parameter set, or <see cref="AllSets"/>.</param>
/// <param name="Position">From 0; null for a parameter that must be named.</param>
/// <param name="IsRequired">Whether it must be given.</param>
/// <param name="ByValue">Whether objects from the pipeline are its values.</param>
/// <param name="ByPropertyName">Whether properties of such objects are.</param>
internal sealed record ParameterUse(string Set, int? Position, bool IsRequired, bool ByValue, bool ByPropertyName)
{
    public const string AllSets = "(All)";

    /// <summary>As Get-Help says it.</summary>
    public string Pipeline =>
        (ByValue, ByPropertyName) switch
        {
            (true, true) => "true (ByValue, ByPropertyName)",
            (true, false) => "true (ByValue)",
            (false, true) => "true (ByPropertyName)",
            _ => "false",
        };
}
