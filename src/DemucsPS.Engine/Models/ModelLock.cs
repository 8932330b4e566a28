using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Models;

/// <summary>Keeps a model to one installation or removal at a time, in all processes. The lock file stays; deleting it would let two in.</summary>
internal sealed class ModelLock : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly FileStream _file;

    private ModelLock(FileStream file) => _file = file;

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
            await Task.Delay(Interval, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the lock; null if another holds it.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ModelWriteFailed"/>: the folder cannot be written to.</exception>
    public static ModelLock? TryTake(ModelLibrary library, string model)
    {
        string path = Path.Combine(library.Folder, ".locks", model);
        return ModelTransfer.Stored(path, () =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            try
            {
                return new ModelLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException e) when (RefusalPatience.System.IsOpenElsewhere(e))
            {
                return null;
            }
        });
    }

    public void Dispose() => _file.Dispose();
}
