using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Models.Catalog;

namespace DemucsPS.Engine.Models.Installation;

/// <summary>
/// Fetches files into partial files: from a server, with what is there already as a start, or from the file system. A partial file is
/// complete and of the right SHA-256 when a method returns. After a failure of the connection, or when it was canceled, it stays, to be
/// resumed; content that is wrong is deleted.
/// </summary>
internal sealed class ModelTransfer : IDisposable
{
    public const int BufferBytes = 1 << 17;

    private readonly TransferSettings _settings;
    private readonly HttpClient _client;

    public ModelTransfer(TransferSettings settings)
    {
        _settings = settings;
        // Redirects are followed here, where each can be looked at; the proxy is that of the platform. Compressed content would have other
        // lengths.
        SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = settings.StallTimeout,
            UseCookies = false,
            Proxy = new DirectLoopback(HttpClient.DefaultProxy),
        };
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.Add(
            new ProductInfoHeaderValue("DemucsPS", typeof(ModelTransfer).Assembly.GetName().Version!.ToString(3))
        );
    }

    /// <summary>Refuses addresses that are neither https nor http of this machine.</summary>
    public static void CheckAddress(Uri address)
    {
        if (!(address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{address}' cannot be downloaded: only https is allowed, and http on this machine. Give an https address, a file or a folder.",
                address.ToString()
            );
    }

    /// <summary>Whether a redirect is followed: never from https to http, and to http only on this machine.</summary>
    public static bool MayFollow(Uri from, Uri to) =>
        to.Scheme == Uri.UriSchemeHttps || (to.Scheme == Uri.UriSchemeHttp && to.IsLoopback && from.Scheme == Uri.UriSchemeHttp);

    /// <summary>Fetches a file from a server.</summary>
    /// <param name="address">Its address.</param>
    /// <param name="expected">What it must be.</param>
    /// <param name="partial">The partial file.</param>
    /// <param name="progress">Receives the bytes that are there.</param>
    /// <param name="cancellationToken">Ends it; the partial file stays.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ModelDownloadFailed"/>, <see cref="DemucsError.ModelHashMismatch"/>,
    /// <see cref="DemucsError.ModelWriteFailed"/> or, of the address,
    /// <see cref="DemucsError.ParameterInvalid"/>.
    /// </exception>
    public async Task DownloadAsync(
        Uri address,
        CatalogFile expected,
        string partial,
        Action<long> progress,
        CancellationToken cancellationToken
    )
    {
        CheckAddress(address);
        ModelDownload download = new(_settings, _client, address, expected, partial, progress, cancellationToken);
        await download.RunAsync().ConfigureAwait(false);
    }

    /// <summary>Copies a file.</summary>
    /// <param name="source">Full path.</param>
    /// <param name="expected">What it must be.</param>
    /// <param name="partial">The partial file.</param>
    /// <param name="progress">Receives the bytes that are there.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ModelDownloadFailed"/>, <see cref="DemucsError.ModelHashMismatch"/> or
    /// <see cref="DemucsError.ModelWriteFailed"/>.</exception>
    public void Copy(string source, CatalogFile expected, string partial, Action<long> progress, CancellationToken cancellationToken)
    {
        string hash = Copy(source, partial, expected.Size, progress, cancellationToken);
        if (hash == expected.Sha256)
            return;
        long length = LengthOf(partial);
        Discard(partial);
        throw Mismatch(source, expected, length == expected.Size ? $"its SHA-256 is {hash}" : $"it has a different size");
    }

    /// <summary>Copies a file whatever it is.</summary>
    /// <param name="source">Full path.</param>
    /// <param name="partial">The partial file.</param>
    /// <param name="most">Bytes to copy at most; one more is copied, to be seen, where there are more.</param>
    /// <param name="progress">Receives the bytes that are there.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The SHA-256 of what was copied.</returns>
    public string Copy(string source, string partial, long most, Action<long> progress, CancellationToken cancellationToken)
    {
        Discard(partial);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[BufferBytes];
        try
        {
            using FileStream input = Reading(() => RegularFile.OpenRead(source, FileShare.Read));
            using Stream output = Stored(partial, () => _settings.OpenPartial(partial));
            long done = 0;
            for (int count; done <= most && (count = Reading(() => input.Read(buffer))) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, count);
                Stored(partial, () => output.Write(buffer, 0, count));
                progress(done += count);
            }
            Stored(partial, () => Flush(output));
        }
        catch
        {
            Discard(partial);
            throw;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        T Reading<T>(Func<T> read)
        {
            try
            {
                return read();
            }
            catch (Exception e) when (e.IsFileError())
            {
                throw new DemucsException(DemucsError.ModelDownloadFailed, $"'{source}' cannot be read: {e.Message}", source, e);
            }
        }
    }

    /// <summary>Deletes a partial file and what is known of it.</summary>
    public static void Discard(string partial)
    {
        Stored(partial, () => File.Delete(partial));
        DeleteTag(partial);
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Does what writes a file of the models folder.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ModelWriteFailed"/>.</exception>
    public static T Stored<T>(string path, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.ModelWriteFailed,
                $"'{path}' cannot be written: {e.Message} Check the permissions and the free disk space, or choose another folder with DEMUCSPS_MODELS.",
                path,
                e
            );
        }
    }

    /// <summary>The same of what gives nothing.</summary>
    public static void Stored(string path, Action write) => Stored(path, () =>
        {
            write();
            return true;
        });

    public static void Flush(Stream output)
    {
        if (output is FileStream file)
            file.Flush(flushToDisk: true);
        else
            output.Flush();
    }

    public static DemucsException Mismatch(string source, CatalogFile expected, string what) =>
        new(
            DemucsError.ModelHashMismatch,
            string.Create(
                CultureInfo.InvariantCulture,
                $"'{source}' is not the file '{expected.Name}' of the catalog, which has {expected.Size} bytes and the SHA-256 {expected.Sha256}: {what}. It was not installed. Use another source, or correct the catalog."
            ),
            source
        );

    public static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    public static string TagOf(string partial) => partial + ".tag";

    public static void DeleteTag(string partial)
    {
        try
        {
            File.Delete(TagOf(partial));
        }
        catch (Exception e) when (e.IsFileError())
        {
            // It is only looked at beside a partial file of the same address.
        }
    }

    /// <summary>The platform's proxy, except for this machine, which no proxy can reach.</summary>
    private sealed class DirectLoopback(IWebProxy platform) : IWebProxy
    {
        public ICredentials? Credentials
        {
            get => platform.Credentials;
            set => platform.Credentials = value;
        }

        public Uri? GetProxy(Uri destination) => destination.IsLoopback ? null : platform.GetProxy(destination);

        public bool IsBypassed(Uri host) => host.IsLoopback || platform.IsBypassed(host);
    }
}
