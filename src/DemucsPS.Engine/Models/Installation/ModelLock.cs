using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Models.Installation;

/// <summary>Keeps a model to one installation or removal at a time, in all processes. Nothing is left of the lock.</summary>
internal sealed class ModelLock : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(100);

    private readonly Lease _lease;
    private readonly string[] _folders;

    private ModelLock(Lease lease, string[] folders)
    {
        _lease = lease;
        _folders = folders;
    }

    /// <summary>Waits for the lock.</summary>
    /// <param name="library">Whose folder it is.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="waiting">Called once where another holds it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<ModelLock> TakeAsync(ModelLibrary library, string model, Action waiting, CancellationToken cancellationToken)
    {
        bool told = false;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryTake(library, model) is { } taken)
                return taken;
            if (!told)
                waiting();
            told = true;
            await Task.Delay(s_interval, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the lock; null if another holds it.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ModelWriteFailed"/>: the folder cannot be written to.</exception>
    public static ModelLock? TryTake(ModelLibrary library, string model)
    {
        string folder = Path.Combine(library.Folder, ".locks"),
            path = Path.Combine(folder, model);
        // A models folder that was made for the lock goes with it, unless there is a model in it.
        string[] folders = Directory.Exists(library.Folder) ? [folder] : [folder, library.Folder];
        return ModelTransfer.Stored(path, () =>
        {
            while (true)
            {
                Directory.CreateDirectory(folder);
                try
                {
                    return Lease.TryTake(path, LeaseTerms.Here, out _) is { } lease ? new ModelLock(lease, folders) : null;
                }
                catch (DirectoryNotFoundException)
                {
                    // Its last owner has just taken the folder away.
                }
            }
        });
    }

    public void Dispose()
    {
        _lease.Dispose();
        try
        {
            foreach (string folder in _folders)
                Directory.Delete(folder);
        }
        catch (Exception e) when (e.IsFileError())
        {
            // There is something in it.
        }
    }
}
