namespace DemucsPS.Engine.Clusters;

/// <summary>Slurm options for each task.</summary>
public sealed record SlurmOptions
{
    // What this program says itself, which in another way would be undone, and what has sbatch submit nothing.
    private static readonly string[] s_ownOptions =
    [
        "--array",
        "-a",
        "--wrap",
        "--parsable",
        "--test-only",
        "--chdir",
        "-D",
        "--time",
        "-t",
        "--output",
        "-o",
        "--error",
        "-e",
        "--open-mode",
        "--signal",
        "--wait",
        "-W",
        "--help",
        "-h",
        "--version",
        "-V",
        "--usage",
    ];

    private const string UsualName = "demucsps";

    /// <summary>Name of the jobs; null for the program's name.</summary>
    public string? Name { get; init; }

    /// <summary>Partition; null for the cluster's own choice.</summary>
    public string? Partition { get; init; }

    /// <summary>Account; null for the user's own.</summary>
    public string? Account { get; init; }

    /// <summary>Processors for a task; null for the cluster's own choice.</summary>
    public int? Cpus { get; init; }

    /// <summary>Memory for a task, as Slurm writes it: <c>8G</c>. Null for the cluster's own choice.</summary>
    public string? Memory { get; init; }

    /// <summary>Generic resources for a task: <c>gpu:1</c>. Null for none.</summary>
    public string? Gres { get; init; }

    /// <summary>The maximum number of tasks that run at once; null for no limit.</summary>
    public int? Throttle { get; init; }

    /// <summary>
    /// Further options of <c>sbatch</c>, each as one argument: <c>--qos=low</c>. They are passed on unchanged, and no shell reads them.
    /// </summary>
    public IReadOnlyList<string> Extra { get; init; } = [];

    /// <summary>Refuses values that are out of range.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    public void Check()
    {
        if (Cpus < 1)
            throw Refused(
                FormattableString.Invariant($"The number of processors for a task is {Cpus}; it must be 1 or more."),
                EngineParameter.CpusPerTask
            );
        if (Throttle < 1)
            throw Refused(
                FormattableString.Invariant($"The number of tasks that run at once is {Throttle}; it must be 1 or more."),
                EngineParameter.Throttle
            );
        foreach (string option in Extra)
        {
            if (option is not ['-', _, ..] || option == "--")
                throw Refused(
                    $"'{option}' is not an option of sbatch. Write each option and its value as one word: --qos=low.",
                    EngineParameter.SbatchOption
                );
            if (s_ownOptions.Any(own => IsSame(option, own)))
                throw Refused($"'{option}' cannot be passed to sbatch: the plan sets it.", EngineParameter.SbatchOption);
        }
    }

    /// <summary>These, and where they leave something open, what was requested before.</summary>
    /// <param name="before">What was requested before; null for nothing.</param>
    internal SlurmOptions Over(SlurmOptions? before) =>
        before is null
            ? this
            : new()
            {
                Name = Name ?? before.Name,
                Partition = Partition ?? before.Partition,
                Account = Account ?? before.Account,
                Cpus = Cpus ?? before.Cpus,
                Memory = Memory ?? before.Memory,
                Gres = Gres ?? before.Gres,
                Throttle = Throttle ?? before.Throttle,
                Extra = Extra.Count > 0 ? Extra : before.Extra,
            };

    /// <summary>The options as arguments.</summary>
    internal IEnumerable<string> Arguments()
    {
        yield return $"--job-name={Name ?? UsualName}";
        if (Partition is not null)
            yield return $"--partition={Partition}";
        if (Account is not null)
            yield return $"--account={Account}";
        if (Cpus is { } cpus)
            yield return FormattableString.Invariant($"--cpus-per-task={cpus}");
        if (Memory is not null)
            yield return $"--mem={Memory}";
        if (Gres is not null)
            yield return $"--gres={Gres}";
        foreach (string option in Extra)
            yield return option;
    }

    // Slurm takes beginnings of long names, too, and values right after short ones.
    private static bool IsSame(string option, string own) =>
        own.StartsWith("--", StringComparison.Ordinal)
            ? own.StartsWith(option.Split('=')[0], StringComparison.Ordinal) && option[1] == '-'
            : option.StartsWith(own, StringComparison.Ordinal);

    private static DemucsException Refused(string message, EngineParameter parameter) =>
        new(DemucsError.ParameterInvalid, message) { Parameter = parameter };
}
