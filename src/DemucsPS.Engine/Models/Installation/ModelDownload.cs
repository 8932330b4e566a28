using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Models.Catalog;

namespace DemucsPS.Engine.Models.Installation;

/// <summary>One download, in as many attempts as it takes; see <see cref="ModelTransfer.DownloadAsync"/>.</summary>
internal sealed class ModelDownload(
    TransferSettings settings,
    HttpClient client,
    Uri address,
    CatalogFile expected,
    string partial,
    Action<long> progress,
    CancellationToken cancellationToken
)
{
    private const int MostRedirects = 10;

    private int _failures;
    private int _losses;

    public async Task RunAsync()
    {
        for (bool discarded = false; ; discarded = true)
        {
            bool resumed = await CompleteAsync().ConfigureAwait(false);
            string hash = DurableFiles.Hash(partial, cancellationToken);
            if (hash == expected.Sha256)
            {
                ModelTransfer.DeleteTag(partial);
                return;
            }
            ModelTransfer.Discard(partial);
            // The parts may be of different files, where a server does not say what it serves. From the start, they cannot be; and twice is
            // enough, for every time may break off.
            if (!resumed || discarded)
                throw ModelTransfer.Mismatch(address.ToString(), expected, $"its SHA-256 is {hash}");
        }
    }

    /// <summary>Tries until all bytes are there.</summary>
    /// <returns>Whether some of them were there from an earlier time.</returns>
    private async Task<bool> CompleteAsync()
    {
        bool resumed = false;
        while (true)
        {
            long before = ModelTransfer.LengthOf(partial);
            if (before > expected.Size)
            {
                ModelTransfer.Discard(partial);
                before = 0;
            }
            resumed |= before > 0;
            if (before == expected.Size)
                return resumed;
            try
            {
                await AttemptAsync(before).ConfigureAwait(false);
                return resumed;
            }
            catch (TransientException e)
            {
                _failures = ModelTransfer.LengthOf(partial) - before >= settings.Worthwhile ? 1 : _failures + 1;
                if (_failures >= settings.Attempts)
                    throw GivenUp(e);
                await settings.Delay(Wait(e.RetryAfter), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // What an attempt brought counts as progress above; where it is lost each time, that would go on for ever.
    private void Lose()
    {
        ModelTransfer.Discard(partial);
        if (++_losses == settings.Attempts)
            throw NotResumable();
    }

    private async Task AttemptAsync(long have)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await ReceiveAsync(have, patience).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransientException(
                string.Create(CultureInfo.InvariantCulture, $"the server sent nothing for {settings.StallTimeout.TotalSeconds:0.#} s."),
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
            ModelTransfer.DeleteTag(partial);
            throw;
        }
    }

    private async Task ReceiveAsync(long have, CancellationTokenSource patience)
    {
        using HttpResponseMessage response = await RequestAsync(have, patience).ConfigureAwait(false);
        long done = Continues(response, have) ? have : 0;
        using Stream body = await response.Content.ReadAsStreamAsync(patience.Token).ConfigureAwait(false);
        using Stream file = ModelTransfer.Stored(partial, () => settings.OpenPartial(partial));
        ModelTransfer.Stored(partial, () =>
        {
            file.SetLength(done);
            file.Position = done;
            WriteTag(response.Headers.ETag);
        });
        progress(done);
        long received = await AppendAsync(body, file, done, patience).ConfigureAwait(false);
        if (received < expected.Size)
            throw new TransientException(
                string.Create(CultureInfo.InvariantCulture, $"the download ended after {received} of {expected.Size} bytes.")
            );
        if (received > expected.Size)
        {
            file.Dispose();
            ModelTransfer.Discard(partial);
            throw ModelTransfer.Mismatch(address.ToString(), expected, "the download is longer");
        }
    }

    /// <summary>Whether an answer goes on where the part that is here ends; else it is the whole file.</summary>
    private bool Continues(HttpResponseMessage response, long have)
    {
        bool continues = response.StatusCode == HttpStatusCode.PartialContent;
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && have > 0)
        {
            Lose();
            throw new TransientException("the server does not have the rest of the file.");
        }
        if (!continues && response.StatusCode != HttpStatusCode.OK)
            throw Refused(response);
        ContentRangeHeaderValue? range = response.Content.Headers.ContentRange;
        if (continues && range?.From != have)
        {
            Lose();
            throw new TransientException("the server sent a different part than requested.");
        }
        long? offered = continues ? range?.Length : response.Content.Headers.ContentLength;
        if (offered is { } size && size != expected.Size)
        {
            ModelTransfer.Discard(partial);
            throw ModelTransfer.Mismatch(address.ToString(), expected, string.Create(CultureInfo.InvariantCulture, $"the server offers {size} bytes"));
        }
        // A server that does not know ranges, or has another file by now, sends all of it.
        if (!continues && have > 0)
            Lose();
        return continues;
    }

    /// <summary>Writes what comes, until its end or until it is longer than it may be.</summary>
    /// <returns>The bytes that the file has then.</returns>
    private async Task<long> AppendAsync(Stream body, Stream file, long done, CancellationTokenSource patience)
    {
        byte[] buffer = new byte[ModelTransfer.BufferBytes];
        try
        {
            while (true)
            {
                patience.CancelAfter(settings.StallTimeout);
                int count = await body.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
                if (count == 0)
                    break;
                done += count;
                if (done > expected.Size)
                    break;
                ModelTransfer.Stored(partial, () => file.Write(buffer, 0, count));
                progress(done);
            }
        }
        finally
        {
            ModelTransfer.Stored(partial, () => ModelTransfer.Flush(file));
        }
        return done;
    }

    private async Task<HttpResponseMessage> RequestAsync(long have, CancellationTokenSource patience)
    {
        Uri at = address;
        for (int hop = 0; hop <= MostRedirects; hop++)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, at);
            if (have > 0)
            {
                request.Headers.Range = new RangeHeaderValue(have, null);
                if (ReadTag() is { } tag)
                    request.Headers.IfRange = new RangeConditionHeaderValue(tag);
            }
            patience.CancelAfter(settings.StallTimeout);
            HttpResponseMessage response = await client
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
            if (!ModelTransfer.MayFollow(at, next))
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

    private Exception Refused(HttpResponseMessage response)
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

    private TimeSpan Wait(TimeSpan? asked)
    {
        if (asked > settings.LongestDelay)
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
        TimeSpan backOff = settings.FirstDelay * Math.Pow(2, _failures - 1);
        TimeSpan wait = asked > backOff ? asked.Value : backOff;
        return wait < settings.LongestDelay ? wait : settings.LongestDelay;
    }

    private DemucsException GivenUp(TransientException last) =>
        new(
            DemucsError.ModelDownloadFailed,
            $"'{address}' could not be downloaded after {_failures} attempts: {last.Message} Try again later; the download will resume. Or download it on another machine, and give that file as the source.",
            address.ToString(),
            last
        );

    private DemucsException NotResumable() =>
        new(
            DemucsError.ModelDownloadFailed,
            $"'{address}' could not be downloaded: the connection was lost {_losses} times, and the server does not support resuming. Try again later, or use another source.",
            address.ToString()
        );

    private void WriteTag(EntityTagHeaderValue? tag)
    {
        if (tag is { IsWeak: false })
            File.WriteAllLines(ModelTransfer.TagOf(partial), [address.ToString(), tag.Tag]);
        else
            ModelTransfer.DeleteTag(partial);
    }

    private EntityTagHeaderValue? ReadTag()
    {
        try
        {
            return
                File.Exists(ModelTransfer.TagOf(partial))
                && File.ReadAllLines(ModelTransfer.TagOf(partial)) is [string at, string tag]
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

    /// <summary>What may be better the next time.</summary>
    private sealed class TransientException(string message, Exception? cause = null) : Exception(message, cause)
    {
        /// <summary>How long the server asks to wait; null if it does not.</summary>
        public TimeSpan? RetryAfter { get; init; }
    }
}
