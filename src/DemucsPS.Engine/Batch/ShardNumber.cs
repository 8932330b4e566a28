using System.Globalization;

namespace DemucsPS.Engine.Batch;

/// <summary>Which of how many shares of a batch one worker takes.</summary>
/// <param name="Index">From 1.</param>
/// <param name="Count">How many there are, at least 1.</param>
public readonly record struct ShardNumber(int Index, int Count)
{
    /// <summary>The maximum number of shares.</summary>
    public const int MaxCount = 1_000_000;

    private const string Auto = "auto",
        SlurmId = "SLURM_ARRAY_TASK_ID",
        KubernetesIndex = "JOB_COMPLETION_INDEX",
        AwsIndex = "AWS_BATCH_JOB_ARRAY_INDEX";

    /// <summary>All of it.</summary>
    public static ShardNumber All { get; } = new(1, 1);

    /// <summary>
    /// Reads <c>3/10</c>; or <c>auto</c>, which takes both numbers from the variables of Slurm's and AWS Batch's arrays, or <c>auto/10</c>,
    /// where nothing but the second is given, as Kubernetes' indexed jobs need it.
    /// </summary>
    /// <param name="text">What was given.</param>
    /// <param name="variable">Gives environment variables; null for those that are not set.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: it has none of these forms, or the variables are not
    /// set.</exception>
    public static ShardNumber Parse(string text, Func<string, string?> variable)
    {
        string[] parts = text.Split('/');
        int? count = parts.Length == 2 ? Number(parts[1]) : null;
        if (string.Equals(parts[0], Auto, StringComparison.OrdinalIgnoreCase) && (parts.Length == 1 || count is > 0 and <= MaxCount))
            return OfScheduler(count, variable);
        if (parts.Length != 2 || Number(parts[0]) is not { } index || count is not { } all)
            throw Wrong($"'{text}' is not a share. Write a share as 3/10 (the third of ten), or auto in a scheduler's array.");
        if (all is < 1 or > MaxCount || index < 1 || index > all)
            throw Wrong(
                FormattableString.Invariant(
                    $"There is no share {index} of {all}. Shares are counted from 1, and there are at most {MaxCount}."
                )
            );
        return new ShardNumber(index, all);
    }

    /// <summary>As it is given: <c>3/10</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index}/{Count}");

    private static ShardNumber OfScheduler(int? given, Func<string, string?> variable)
    {
        if (Read(variable, SlurmId) is { } task)
            return OfSlurm(task, given, variable);
        if (Read(variable, KubernetesIndex) is { } completion)
        {
            return Of(
                KubernetesIndex,
                completion,
                given
                    ?? throw Wrong(
                        $"${KubernetesIndex} gives the number of the share, but not the number of shares. Add the job's number of completions: auto/10."
                    )
            );
        }
        if (Read(variable, AwsIndex) is { } job)
        {
            const string Size = "AWS_BATCH_JOB_ARRAY_SIZE";
            int? size = Read(variable, Size);
            if (size is not null && given is not null && size != given)
                throw Wrong(
                    FormattableString.Invariant($"The array has {size} jobs (${Size}), but {given} shares were requested. Use auto.")
                );
            return Of(
                AwsIndex,
                job,
                size
                    ?? given
                    ?? throw Wrong($"${AwsIndex} gives the number of the share, but ${Size} is not set. Add the array's size: auto/10.")
            );
        }
        throw Wrong(
            $"auto needs a scheduler's array, but neither ${SlurmId} nor ${KubernetesIndex} nor ${AwsIndex} is set. Give the share as 3/10."
        );
    }

    private static ShardNumber OfSlurm(int task, int? given, Func<string, string?> variable)
    {
        int first = Read(variable, "SLURM_ARRAY_TASK_MIN")
            ?? throw Wrong($"${SlurmId} is set, but $SLURM_ARRAY_TASK_MIN is not. Give the share as 3/10.");
        int count = Read(variable, "SLURM_ARRAY_TASK_COUNT")
            ?? throw Wrong($"${SlurmId} is set, but $SLURM_ARRAY_TASK_COUNT is not. Give the share as 3/10.");
        int last = Read(variable, "SLURM_ARRAY_TASK_MAX") ?? first + (count - 1) * (Read(variable, "SLURM_ARRAY_TASK_STEP") ?? 1);
        int step = count > 1 ? (last - first) / (count - 1) : 1;
        // 1,4,7 has a step, and 1,2,7 has none, so that the position of the 7 is unknown.
        if (count < 1 || step < 1 || first + step * (count - 1) != last || task < first || task > last || (task - first) % step != 0)
            throw Wrong(
                FormattableString.Invariant(
                    $"The numbers of the Slurm array are not evenly spaced ({count} tasks from {first} to {last}, and this is {task}). Give the share yourself, such as $SLURM_ARRAY_TASK_ID/10."
                )
            );
        if (given is not null && given != count)
            throw Wrong(
                FormattableString.Invariant(
                    $"The Slurm array has {count} tasks ($SLURM_ARRAY_TASK_COUNT), but {given} shares were requested. To run some tasks of an earlier array again, give their shares: $SLURM_ARRAY_TASK_ID/{given}."
                )
            );
        return new ShardNumber((task - first) / step + 1, count);
    }

    private static ShardNumber Of(string name, int index, int count) =>
        index >= 0 && index < count && count <= MaxCount
            ? new ShardNumber(index + 1, count)
            : throw Wrong(FormattableString.Invariant($"${name} is {index}, but there are {count} shares, counted from 0."));

    private static int? Read(Func<string, string?> variable, string name)
    {
        string? value = variable(name);
        if (string.IsNullOrEmpty(value))
            return null;
        return Number(value) ?? throw Wrong($"${name} is '{value}', which is not a whole number.");
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static DemucsException Wrong(string message) =>
        new(DemucsError.ParameterInvalid, message) { Parameter = EngineParameter.Shard };
}
