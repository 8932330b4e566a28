using System.CommandLine;
using System.Runtime.CompilerServices;
using DemucsPS.Engine;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Quality;

namespace DemucsPS.Cli.Completion;

/// <summary>What the Tab key offers for the value of an option or for an argument.</summary>
/// <param name="Candidates">Values that fit the line so far; those that do not begin like the word are left out by others.</param>
internal sealed record Offer(Func<LineSoFar, IEnumerable<Candidate>> Candidates)
{
    private static readonly ConditionalWeakTable<Symbol, Offer> s_offers = [];

    /// <summary>Names of files that the shell knows.</summary>
    public static Offer Files { get; } = new(_ => []) { Paths = PathKind.Files };

    /// <summary>Names of folders that the shell knows.</summary>
    public static Offer Folders { get; } = new(_ => []) { Paths = PathKind.Folders };

    /// <summary>Nothing: it is text or a number.</summary>
    public static Offer Nothing { get; } = new(_ => []);

    /// <summary>Names of models, and files.</summary>
    public static Offer Models { get; } = ModelNames(_ => true) with { Paths = PathKind.Files };

    /// <summary>One of the stems that the models which the line names have, or of all models.</summary>
    public static Offer Stem { get; } = new(Stems);

    /// <summary>Fields of a file name template, after what is there.</summary>
    public static Offer TemplateFields { get; } =
        new(line =>
        {
            int open = line.Word.LastIndexOf('{');
            string before = open >= 0 && line.Word.IndexOf('}', open) < 0 ? line.Word[..open] : line.Word;
            return FileNameTemplate.Fields.Select(field => new Candidate($"{before}{{{field}}}"));
        })
        {
            IsOpen = true,
        };

    /// <summary>Stems with = after, for gains.</summary>
    public static Offer Gains { get; } =
        new(line => Stems(line).Select(stem => new Candidate($"{stem.Text}="))) { IsList = true, IsOpen = true };

    /// <summary>Figures of quality.</summary>
    public static Offer Metrics { get; } =
        Words([.. Enum.GetNames<QualityMetric>().Where(name => name != nameof(QualityMetric.None))]) with
        {
            IsList = true,
        };

    /// <summary>Paths offered in addition to the candidates.</summary>
    public PathKind Paths { get; private init; }

    /// <summary>Whether several are separated by commas.</summary>
    public bool IsList { get; init; }

    /// <summary>Whether a word continues after a candidate.</summary>
    public bool IsOpen { get; private init; }

    /// <summary>Names of models, those that can be used first.</summary>
    public static Offer ModelNames(Func<ModelInfo, bool> wanted) =>
        new(_ =>
            List()
                .Where(wanted)
                .OrderBy(model => !model.Installed)
                .Select(model => new Candidate(
                    model.Name,
                    $"{(model.Installed ? "" : "not installed; ")}{(model.Description.Length > 0 ? model.Description : "your own model")}"
                ))
        );

    /// <summary>The words, as the help writes them.</summary>
    public static Offer Words(params string[] words) => new(_ => words.Select(word => new Candidate(word.ToLowerInvariant())));

    /// <summary>
    /// What is offered for an option's value or an argument: what was said of it, else what its type and its name in the help say.
    /// </summary>
    public static Offer Of(Symbol symbol)
    {
        if (s_offers.TryGetValue(symbol, out Offer? offer))
            return offer;
        (Type type, string? name) = symbol is Option option ? (option.ValueType, option.HelpName) : (((Argument)symbol).ValueType, "FILE");
        if ((Nullable.GetUnderlyingType(type) ?? type) is { IsEnum: true } words)
            return Words(Enum.GetNames(words));
        string[] kinds = (name ?? "").Split('|');
        return kinds.Contains("DIR") || kinds.Contains("JOB") ? Folders
            : kinds.Contains("FILE") || kinds.Contains("PATH") ? Files
            : Nothing;
    }

    /// <summary>Says what is offered for a symbol.</summary>
    public static void Set(Symbol symbol, Offer offer) => s_offers.Add(symbol, offer);

    private static IEnumerable<Candidate> Stems(LineSoFar line)
    {
        HashSet<string> named = new(line.Values("--model"), StringComparer.OrdinalIgnoreCase);
        IReadOnlyList<ModelInfo> models = List();
        ModelInfo[] chosen = [.. models.Where(model => named.Contains(model.Name))];
        return (chosen.Length > 0 ? chosen : models).SelectMany(model => model.Stems).Distinct().Select(stem => new Candidate(stem));
    }

    private static IReadOnlyList<ModelInfo> List()
    {
        try
        {
            return ModelLibrary.Open().List(_ => { });
        }
        catch (DemucsException)
        {
            // What is wrong with a catalog, or with a folder, the command says; a completion has no place for it.
            return [];
        }
    }
}

/// <summary>What of the disk the shell adds to candidates.</summary>
internal enum PathKind
{
    Nothing,
    Folders,
    Files,
}

/// <summary>A word that fits.</summary>
/// <param name="Text">The whole word.</param>
/// <param name="About">What it is, in a sentence; empty if it says so itself.</param>
internal sealed record Candidate(string Text, string About = "");

/// <summary>Says what is offered where symbols are made.</summary>
internal static class OfferExtensions
{
    /// <summary>The symbol, for which that is offered.</summary>
    public static T Offering<T>(this T symbol, Offer offer)
        where T : Symbol
    {
        Offer.Set(symbol, offer);
        return symbol;
    }
}
