using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// Takes plug-in libraries out of the packages that their vendors publish (wheels, NuGet packages, other zip archives) into
/// <see cref="ProviderLibraries.Folder"/>, and removes them from there. A folder has its name when it is whole. Nothing is downloaded.
/// </summary>
public static class ProviderInstaller
{
    /// <summary>Where to get the package of an execution provider, as text.</summary>
    public static string SourceOf(ExecutionProvider provider) =>
        provider switch
        {
            ExecutionProvider.OpenVINO =>
                "the wheel of the package onnxruntime-ep-openvino from the Python package index (pip downloads it), for Linux and Windows on x64",
            _ => "the vendor's package with the plug-in library for ONNX Runtime",
        };

    /// <summary>The folder in which an execution provider is installed, whether it is or not.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the provider is none of a plug-in library that has a
    /// name here, or <see cref="ProviderLibraries.FolderVariable"/> is not a full path.</exception>
    public static string FolderOf(ExecutionProvider provider) =>
        provider is ExecutionProvider.OpenVINO or ExecutionProvider.Cuda or ExecutionProvider.WebGpu
            ? Path.Combine(ProviderLibraries.Folder, provider.ToString().ToLowerInvariant())
            : throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The execution provider {provider} cannot be installed. Plug-in libraries of {ExecutionProvider.OpenVINO}, {ExecutionProvider.Cuda} and {ExecutionProvider.WebGpu} can be. Name any other library when you use it."
            );

    /// <summary>Reads a package and returns what would be installed; writes nothing.</summary>
    /// <param name="provider">What is to be installed.</param>
    /// <param name="source">Full path of the package.</param>
    /// <returns>How many files, and how many bytes they have.</returns>
    /// <exception cref="DemucsException">As for <see cref="Install"/>, but for what is found only by reading all of it.</exception>
    public static (int Files, long Bytes) Plan(ExecutionProvider provider, string source)
    {
        _ = FolderOf(provider);
        using ProviderPackage package = ProviderPackage.Open(provider, source);
        return (package.Count, package.Bytes);
    }

    /// <summary>Installs a plug-in library with the other libraries of its package.</summary>
    /// <param name="provider">What is to be installed.</param>
    /// <param name="source">Full path of the package.</param>
    /// <param name="replace">Whether one that is installed is replaced.</param>
    /// <param name="warn">Receives a message for the user where the package has no list of hashes; null to go without.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <returns>Full path of the library.</returns>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ProviderPackageInvalid"/>: the package is not there, damaged, unsafe, or for something else;
    /// <see cref="DemucsError.ProviderWriteFailed"/>: it cannot be written, or one is
    /// installed; <see cref="DemucsError.ParameterInvalid"/> as for <see cref="FolderOf"/>.
    /// </exception>
    public static string Install(
        ExecutionProvider provider,
        string source,
        bool replace,
        Action<string>? warn,
        CancellationToken cancellationToken
    )
    {
        string folder = FolderOf(provider),
            parent = Path.GetDirectoryName(folder)!;
        using ProviderPackage package = ProviderPackage.Open(provider, source);
        if (Directory.Exists(folder) && !replace)
            throw new DemucsException(
                DemucsError.ProviderWriteFailed,
                $"The execution provider {provider} is already installed in '{folder}'.",
                folder
            )
            {
                Remedies = [Remedy.Replace],
            };
        if (!package.HasHashes)
            warn?.Invoke(
                $"The package '{source}' does not list the SHA-256 of its files, so only the archive's own checksums were verified."
            );
        string partial = Path.Combine(parent, $".{Path.GetFileName(folder)}-{Guid.NewGuid():N}"),
            old = partial + ".old";
        try
        {
            Directory.CreateDirectory(partial);
            string library = package.Unpack(partial, cancellationToken);
            if (Directory.Exists(folder))
                Directory.Move(folder, old);
            try
            {
                Directory.Move(partial, folder);
            }
            catch when (Directory.Exists(old))
            {
                Directory.Move(old, folder);
                throw;
            }
            DurableFiles.FlushFolder(parent);
            return Path.Combine(folder, library);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.ProviderWriteFailed,
                $"The execution provider {provider} cannot be installed in '{folder}': {e.Message} Close programs that use it, free disk space, or set ${ProviderLibraries.FolderVariable} to another folder.",
                folder,
                e
            );
        }
        finally
        {
            Discard(partial);
            Discard(old);
        }
    }

    /// <summary>Removes an execution provider that was installed.</summary>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ProviderPackageInvalid"/>: it is not installed; <see cref="DemucsError.ProviderWriteFailed"/>: it cannot be
    /// removed, or not all of it; <see cref="DemucsError.ParameterInvalid"/> as for <see cref="FolderOf"/>.
    /// </exception>
    public static void Remove(ExecutionProvider provider)
    {
        string folder = FolderOf(provider);
        if (!Directory.Exists(folder))
            throw new DemucsException(
                DemucsError.ProviderPackageInvalid,
                $"The execution provider {provider} is not installed: the folder '{folder}' does not exist.",
                folder
            );
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.ProviderWriteFailed,
                $"The execution provider {provider} in '{folder}' cannot be removed: {e.Message} Close all programs that use it, including this one, and try again.",
                folder,
                e
            );
        }
    }

    private static void Discard(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e.IsFileError())
        {
            // A program has a library in it open; its name is none that is looked for, and it can be removed by hand.
        }
    }
}
