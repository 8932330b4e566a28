using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Models;

namespace DemucsPS.Cmdlets;

/// <summary>What cmdlets for models have in common: the library, and that they can be stopped.</summary>
public abstract class ModelCommand : PSCmdlet, IDisposable
{
    private protected CancellationTokenSource Stop { get; } = new();

    private protected ModelLibrary Library { get; private set; } = null!;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        try
        {
            Library = ModelLibrary.Open();
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Path));
        }
    }

    /// <inheritdoc/>
    protected sealed override void StopProcessing() => Stop.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Does something with the cache of prepared copies; if that cannot be used, the command ends.</summary>
    private protected void WithCache(Action<PreparationCache> work)
    {
        try
        {
            work(PreparationCache.Open());
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Path));
        }
    }

    /// <summary>Does something with each name or thing; what fails becomes an error record.</summary>
    private protected void ForEach<T>(IEnumerable<T> names, Action<T> work)
        where T : notnull
    {
        foreach (T name in names)
        {
            try
            {
                work(name);
            }
            catch (DemucsException e)
            {
                WriteError(e.ToRecord(name));
            }
            catch (OperationCanceledException) when (Stop.IsCancellationRequested)
            {
                throw new PipelineStoppedException();
            }
        }
    }
}
