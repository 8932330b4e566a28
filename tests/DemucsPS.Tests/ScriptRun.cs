using System.Management.Automation;

namespace DemucsPS.Tests;

/// <summary>What a script gave and said.</summary>
internal sealed class ScriptRun
{
    /// <summary>What it gave, as it is.</summary>
    public required object[] Output { get; init; }

    /// <summary>Errors after which it went on.</summary>
    public required ErrorRecord[] Errors { get; init; }

    /// <summary>The error that ended it.</summary>
    public required ErrorRecord? Failure { get; init; }

    public required string[] Warnings { get; init; }

    public required string[] Verbose { get; init; }

    public required ProgressRecord[] Progress { get; init; }

    /// <summary>All output as a string each.</summary>
    public string[] Text => Array.ConvertAll(Output, o => o.ToString() ?? "");

    /// <summary>Runs it.</summary>
    public static ScriptRun Of(PowerShell shell)
    {
        PSDataCollection<PSObject> output = [];
        ErrorRecord? failure = null;
        try
        {
            shell.Invoke(null, output);
        }
        catch (RuntimeException e)
        {
            failure = e.ErrorRecord;
        }
        return Of(shell, output, failure);
    }

    /// <summary>What it came to, now that it has been run.</summary>
    public static ScriptRun Of(PowerShell shell, PSDataCollection<PSObject> output, ErrorRecord? failure) =>
        new()
        {
            Output = [.. output.Select(o => o.BaseObject)],
            Errors = [.. shell.Streams.Error],
            Failure = failure,
            Warnings = [.. shell.Streams.Warning.Select(w => w.Message)],
            Verbose = [.. shell.Streams.Verbose.Select(v => v.Message)],
            Progress = [.. shell.Streams.Progress],
        };

    public ScriptRun AssertNoErrors()
    {
        Assert.Null(Failure);
        Assert.Empty(Errors.Select(e => $"{e.FullyQualifiedErrorId}: {e}"));
        return this;
    }

    /// <summary>The one thing that it gave.</summary>
    public T Single<T>() => Assert.IsType<T>(Assert.Single(AssertNoErrors().Output));

    /// <summary>All that it gave, of one type.</summary>
    public T[] All<T>() => [.. AssertNoErrors().Output.Select(o => Assert.IsType<T>(o))];

    /// <summary>Ids of the errors after which it went on, without the command's name, which all have to have.</summary>
    public string[] ErrorIds(string command)
    {
        Assert.All(Errors, e => Assert.EndsWith($",DemucsPS.Cmdlets.{command}", e.FullyQualifiedErrorId, StringComparison.Ordinal));
        return [.. Errors.Select(e => e.FullyQualifiedErrorId.Split(',')[0])];
    }

    public void AssertFailed(string id)
    {
        Assert.True(Failure is not null, $"It went on where {id} was to end it.");
        Assert.Equal(id, Failure.FullyQualifiedErrorId);
    }
}
