using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Security.Cryptography;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Models.Catalog;

namespace DemucsPS.Engine.Models.Installation;

/// <summary>
/// Fetches files into partial files: from a server, with what is there already as a start, or from the file system. A partial file is
/// complete and of the right
/// SHA-256 when a method returns. After a failure of the connection, or when it was canceled, it stays, to be resumed; content that is
/// wrong is deleted.
/// </summary>
internal sealed class ModelTransfer : IDisposable
{
    private const int MostRedirects = 10;
    private const int BufferBytes = 1 << 17;

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
        int failures = 0,
            losses = 0;
        bool resumed = false,
            discarded = false;
        while (true)
        {
            long before = LengthOf(partial);
            if (before > expected.Size)
            {
                Discard(partial);
                before = 0;
            }
            if (before < expected.Size)
            {
                try
                {
                    resumed |= before > 0;
                    await AttemptAsync(address, expected, partial, before, Lose, progress, cancellationToken).ConfigureAwait(false);
                }
                catch (TransientException e)
                {
                    failures = LengthOf(partial) - before >= _settings.Worthwhile ? 1 : failures + 1;
                    if (failures >= _settings.Attempts)
                        throw GivenUp(address, failures, e);
                    await _settings.Delay(Wait(failures, e.RetryAfter, address), cancellationToken).ConfigureAwait(false);
                    continue;
                }
            }
            else
            {
                // All of it was there from an earlier time.
                resumed = true;
            }
            string hash = DurableFiles.Hash(partial, cancellationToken);
            if (hash == expected.Sha256)
            {
                DeleteTag(partial);
                return;
            }
            Discard(partial);
            // The parts may be of different files, where a server does not say what it serves. From the start, they cannot be; and twice is
            // enough, for every time may break off.
            if (!resumed || discarded)
                throw Mismatch(address.ToString(), expected, $"its SHA-256 is {hash}");
            resumed = false;
            discarded = true;
        }

        // What an attempt brought counts as progress above; where it is lost each time, that would go on for ever.
        void Lose()
        {
            Discard(partial);
            if (++losses == _settings.Attempts)
                throw NotResumable(address, losses);
        }
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

    private static void Stored(string path, Action write) => Stored(path, () =>
        {
            write();
            return true;
        });

    private static void Flush(Stream output)
    {
        if (output is FileStream file)
            file.Flush(flushToDisk: true);
        else
            output.Flush();
    }

    private async Task AttemptAsync(
        Uri address,
        CatalogFile expected,
        string partial,
        long have,
        Action lose,
        Action<long> progress,
        CancellationToken cancellationToken
    )
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            using HttpResponseMessage response = await RequestAsync(address, partial, have, patience).ConfigureAwait(false);
            bool continues = Continues(response, address, expected, partial, have, lose);
            using Stream body = await response.Content.ReadAsStreamAsync(patience.Token).ConfigureAwait(false);
            using Stream file = Stored(partial, () => _settings.OpenPartial(partial));
            long done = continues ? have : 0;
            Stored(partial, () =>
            {
                file.SetLength(done);
                file.Position = done;
                WriteTag(partial, address, response.Headers.ETag);
            });
            progress(done);
            done = await ReceiveAsync(body, file, partial, done, expected.Size, progress, patience).ConfigureAwait(false);
            if (done < expected.Size)
                throw new TransientException(
                    string.Create(CultureInfo.InvariantCulture, $"the download ended after {done} of {expected.Size} bytes.")
                );
            if (done > expected.Size)
            {
                file.Dispose();
                Discard(partial);
                throw Mismatch(address.ToString(), expected, "the download is longer");
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransientException(
                string.Create(CultureInfo.InvariantCulture, $"the server sent nothing for {_settings.StallTimeout.TotalSeconds:0.#} s."),
                e
            );
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException)
        {
            throw new DemucsException(
                DemucsError.ModelDownloadFailed,
                $"'{address}' cannot be trusted: {e.InnerException.Message}",
                address.ToString(),
                e
            );
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new TransientException($"{e.Message.TrimEnd('.')}.", e);
        }
        catch (DemucsException e) when (e.Error == DemucsError.ModelWriteFailed)
        {
            // On a full disk, the space is worth more than what was fetched.
            File.Delete(partial);
            DeleteTag(partial);
            throw;
        }
    }

    /// <summary>Whether an answer goes on where the part that is here ends; else it is the whole file.</summary>
    private static bool Continues(HttpResponseMessage response, Uri address, CatalogFile expected, string partial, long have, Action lose)
    {
        bool continues = response.StatusCode == HttpStatusCode.PartialContent;
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && have > 0)
        {
            lose();
            throw new TransientException("the server does not have the rest of the file.");
        }
        if (!continues && response.StatusCode != HttpStatusCode.OK)
            throw Refused(response, address);
        ContentRangeHeaderValue? range = response.Content.Headers.ContentRange;
        if (continues && range?.From != have)
        {
            lose();
            throw new TransientException("the server sent a different part than requested.");
        }
        long? offered = continues ? range?.Length : response.Content.Headers.ContentLength;
        if (offered is { } size && size != expected.Size)
        {
            Discard(partial);
            throw Mismatch(address.ToString(), expected, string.Create(CultureInfo.InvariantCulture, $"the server offers {size} bytes"));
        }
        // A server that does not know ranges, or has another file by now, sends all of it.
        if (!continues && have > 0)
            lose();
        return continues;
    }

    /// <summary>Writes what comes, until its end or until it is longer than it may be.</summary>
    /// <returns>The bytes that the file has then.</returns>
    private async Task<long> ReceiveAsync(
        Stream body,
        Stream file,
        string partial,
        long done,
        long size,
        Action<long> progress,
        CancellationTokenSource patience
    )
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            while (true)
            {
                patience.CancelAfter(_settings.StallTimeout);
                int count = await body.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
                if (count == 0)
                    break;
                done += count;
                if (done > size)
                    break;
                Stored(partial, () => file.Write(buffer, 0, count));
                progress(done);
            }
        }
        finally
        {
            Stored(partial, () => Flush(file));
        }
        return done;
    }

    private async Task<HttpResponseMessage> RequestAsync(Uri address, string partial, long have, CancellationTokenSource patience)
    {
        Uri at = address;
        for (int hop = 0; hop <= MostRedirects; hop++)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, at);
            if (have > 0)
            {
                request.Headers.Range = new RangeHeaderValue(have, null);
                if (ReadTag(partial, address) is { } tag)
                    request.Headers.IfRange = new RangeConditionHeaderValue(tag);
            }
            patience.CancelAfter(_settings.StallTimeout);
            HttpResponseMessage response = await _client
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token)
                .ConfigureAwait(false);
            if (
                response.StatusCode
                    is not (
                        HttpStatusCode.MovedPermanently
                        or HttpStatusCode.Found
                        or HttpStatusCode.SeeOther
                        or HttpStatusCode.TemporaryRedirect
                        or HttpStatusCode.PermanentRedirect
                    )
                || response.Headers.Location is not { } location
            )
            {
                return response;
            }
            response.Dispose();
            Uri next = new(at, location);
            if (!MayFollow(at, next))
                throw new DemucsException(
                    DemucsError.ModelDownloadFailed,
                    $"'{address}' redirects to '{next}', which is not https. Use another source.",
                    address.ToString()
                );
            at = next;
        }
        throw new DemucsException(
            DemucsError.ModelDownloadFailed,
            $"'{address}' redirects more than {MostRedirects} times. Use another source.",
            address.ToString()
        );
    }

    private static Exception Refused(HttpResponseMessage response, Uri address)
    {
        int code = (int)response.StatusCode;
        string status = string.Create(CultureInfo.InvariantCulture, $"the server answered {code} ({response.ReasonPhrase}).");
        if (code is 408 or 425 or 429 or 500 or 502 or 503 or 504)
        {
            RetryConditionHeaderValue? retry = response.Headers.RetryAfter;
            return new TransientException(status) { RetryAfter = retry?.Delta ?? (retry?.Date - DateTimeOffset.UtcNow) };
        }
        return new DemucsException(
            DemucsError.ModelDownloadFailed,
            $"'{address}' cannot be downloaded: {status} Check the address and the network, or use another source.",
            address.ToString()
        );
    }

    private TimeSpan Wait(int failures, TimeSpan? asked, Uri address)
    {
        if (asked > _settings.LongestDelay)
        {
            throw new DemucsException(
                DemucsError.ModelDownloadFailed,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{address}' could not be downloaded: the server asks to wait for {asked.Value.TotalSeconds:0} s. Try again after that time; the download will resume."
                ),
                address.ToString()
            );
        }
        TimeSpan backOff = _settings.FirstDelay * Math.Pow(2, failures - 1);
        TimeSpan wait = asked > backOff ? asked.Value : backOff;
        return wait < _settings.LongestDelay ? wait : _settings.LongestDelay;
    }

    private static DemucsException GivenUp(Uri address, int attempts, TransientException last) =>
        new(
            DemucsError.ModelDownloadFailed,
            $"'{address}' could not be downloaded after {attempts} attempts: {last.Message} Try again later; the download will resume. Or download it on another machine, and give that file as the source.",
            address.ToString(),
            last
        );

    private static DemucsException NotResumable(Uri address, int losses) =>
        new(
            DemucsError.ModelDownloadFailed,
            $"'{address}' could not be downloaded: the connection was lost {losses} times, and the server does not support resuming. Try again later, or use another source.",
            address.ToString()
        );

    private static DemucsException Mismatch(string source, CatalogFile expected, string what) =>
        new(
            DemucsError.ModelHashMismatch,
            string.Create(
                CultureInfo.InvariantCulture,
                $"'{source}' is not the file '{expected.Name}' of the catalog, which has {expected.Size} bytes and the SHA-256 {expected.Sha256}: {what}. It was not installed. Use another source, or correct the catalog."
            ),
            source
        );

    private static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    private static string TagOf(string partial) => partial + ".tag";

    private static void DeleteTag(string partial)
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

    private static void WriteTag(string partial, Uri address, EntityTagHeaderValue? tag)
    {
        if (tag is { IsWeak: false })
            File.WriteAllLines(TagOf(partial), [address.ToString(), tag.Tag]);
        else
            DeleteTag(partial);
    }

    private static EntityTagHeaderValue? ReadTag(string partial, Uri address)
    {
        try
        {
            return
                File.Exists(TagOf(partial))
                && File.ReadAllLines(TagOf(partial)) is [string at, string tag]
                && at == address.ToString()
                && EntityTagHeaderValue.TryParse(tag, out EntityTagHeaderValue? value)
                ? value
                : null;
        }
        catch (Exception e) when (e.IsFileError())
        {
            return null;
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

    /// <summary>What may be better the next time.</summary>
    private sealed class TransientException(string message, Exception? cause = null) : Exception(message, cause)
    {
        /// <summary>How long the server asks to wait; null if it does not.</summary>
        public TimeSpan? RetryAfter { get; init; }
    }
}
