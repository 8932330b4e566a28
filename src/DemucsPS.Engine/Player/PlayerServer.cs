using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Player;

/// <summary>
/// Gives a page and its sound to browsers of this machine: HTTP on 127.0.0.1, at a port that was free. It knows the files of the page and
/// no others, and those only under an address with a random part, which other users of the machine do not know; requests under other names
/// of the machine, such as a foreign site's, are refused. Files are sent in parts where those are requested.
/// </summary>
/// <remarks>
/// Made of sockets: .NET's own server for programs, HttpListener, is out of care, and the one of ASP.NET is a framework that hosts of this
/// library do not bring.
/// </remarks>
public sealed class PlayerServer : IDisposable
{
    private const int MaxRequestBytes = 16 << 10;

    // A browser opens some, keeps some, and others wait.
    private const int MaxConnections = 64;

    // Browsers open connections to have them; those may not keep others waiting for long.
    private static readonly TimeSpan s_patienceForTheFirstByte = TimeSpan.FromSeconds(5),
        s_patienceForTheRest = TimeSpan.FromSeconds(30);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _free = new(MaxConnections);
    private readonly IReadOnlyDictionary<string, ServedFile> _files;
    private readonly DirectoryInfo _folder;
    private readonly string _secret;
    private readonly Task _accepting;

    /// <param name="page">The page.</param>
    /// <param name="files">Its files, by their addresses relative to the page's, which is the empty one.</param>
    /// <param name="folder">Deleted when it ends.</param>
    /// <exception cref="SocketException">The machine has no such network.</exception>
    internal PlayerServer(PlayerPageFile page, IReadOnlyDictionary<string, ServedFile> files, DirectoryInfo folder)
    {
        Page = page;
        _files = files;
        _folder = folder;
        _secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        _listener.Start();
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>What is served. Its path is of a file that goes when the server ends.</summary>
    public PlayerPageFile Page { get; }

    /// <summary>The page's address.</summary>
    public Uri Address => new($"http://127.0.0.1:{Port}/{_secret}/");

    /// <summary>Whether as many connections are open as there can be.</summary>
    internal bool IsFull => _free.CurrentCount == 0;

    private string Port => ((IPEndPoint)_listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

    /// <summary>Ends the server, and what it is sending.</summary>
    public void Dispose()
    {
        if (_stop.IsCancellationRequested)
            return;
        try
        {
            _stop.Cancel();
            _listener.Stop();
            _accepting.Wait();
        }
        finally
        {
            try
            {
                _folder.Delete(recursive: true);
            }
            catch (Exception e) when (e.IsFileError())
            {
                // The system's temporary folder is swept by the system.
            }
        }
    }

    private async Task AcceptAsync()
    {
        List<Task> answers = [];
        try
        {
            while (true)
            {
                await _free.WaitAsync(_stop.Token).ConfigureAwait(false);
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false);
                answers.RemoveAll(a => a.IsCompleted);
                answers.Add(Task.Run(() => ServeAsync(client)));
            }
        }
        // A place may have become free just when the listener was stopped, which then says that it is not started.
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(answers).ConfigureAwait(false);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                NetworkStream stream = client.GetStream();
                await using (stream.ConfigureAwait(false))
                {
                    if (await RequestAsync(stream, patience).ConfigureAwait(false) is { } request)
                    {
                        // A player that is paused takes nothing for hours.
                        patience.CancelAfter(Timeout.InfiniteTimeSpan);
                        await AnswerAsync(stream, request, _stop.Token).ConfigureAwait(false);
                    }
                }
            }
        }
        catch (Exception e)
            when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or DemucsException)
        {
            // Browsers hang up whenever they have enough; and the page is told by what is missing that a track is not what it was.
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>The lines of a request, up to the empty one; null for what is none.</summary>
    private static async Task<string[]?> RequestAsync(NetworkStream stream, CancellationTokenSource patience)
    {
        patience.CancelAfter(s_patienceForTheFirstByte);
        byte[] bytes = new byte[MaxRequestBytes];
        int count = 0;
        while (count < bytes.Length)
        {
            int read = await stream.ReadAsync(bytes.AsMemory(count), patience.Token).ConfigureAwait(false);
            if (read == 0)
                return null;
            if (count == 0)
                patience.CancelAfter(s_patienceForTheRest);
            count += read;
            int end = bytes.AsSpan(0, count).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
                return Encoding.Latin1.GetString(bytes, 0, end).Split("\r\n");
        }
        return null;
    }

    private async Task AnswerAsync(NetworkStream stream, string[] request, CancellationToken cancellationToken)
    {
        string[] words = request[0].Split(' ');
        if (Refusal(words, request, out ServedFile? file) is { } refusal)
        {
            await RefuseAsync(stream, refusal, cancellationToken).ConfigureAwait(false);
            return;
        }
        Stream content;
        try
        {
            content = file!.Open();
        }
        catch (Exception e) when (e.IsFileError())
        {
            await RefuseAsync(stream, "404 Not Found", cancellationToken).ConfigureAwait(false);
            return;
        }
        await using (content.ConfigureAwait(false))
        {
            long length = content.Length;
            string status = "200 OK";
            (long first, long last) = (0, length - 1);
            if (Header(request, "Range") is { } range && Part(range, length) is { } part)
            {
                if (part.First > part.Last)
                {
                    await RefuseAsync(stream, $"416 Range Not Satisfiable\r\nContent-Range: bytes */{Invariant(length)}", cancellationToken)
                        .ConfigureAwait(false);
                    return;
                }
                (first, last) = part;
                status = $"206 Partial Content\r\nContent-Range: bytes {Invariant(first)}-{Invariant(last)}/{Invariant(length)}";
            }
            string head =
                $"HTTP/1.1 {status}\r\nContent-Type: {file.Type}\r\nContent-Length: {Invariant(last - first + 1)}\r\nAccept-Ranges: bytes\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(head), cancellationToken).ConfigureAwait(false);
            if (words[0] != "HEAD")
                await SendAsync(stream, content, first, last, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What is to be answered to a request that is not for a file; null, and the file, for one that is.</summary>
    private string? Refusal(string[] words, string[] request, out ServedFile? file)
    {
        file = null;
        if (words.Length != 3 || !words[2].StartsWith("HTTP/1.", StringComparison.Ordinal))
            return "400 Bad Request";
        if (words[0] is not ("GET" or "HEAD"))
            return "405 Method Not Allowed\r\nAllow: GET, HEAD";
        // Names are compared, never put together to paths, so none leads anywhere else.
        string prefix = $"/{_secret}/";
        return
            Header(request, "Host") == "127.0.0.1:" + Port
            && words[1].StartsWith(prefix, StringComparison.Ordinal)
            && _files.TryGetValue(words[1][prefix.Length..], out file)
            ? null
            : "404 Not Found";
    }

    private static async Task SendAsync(NetworkStream stream, Stream content, long first, long last, CancellationToken cancellationToken)
    {
        content.Position = first;
        byte[] block = new byte[1 << 16];
        for (long left = last - first + 1; left > 0;)
        {
            int read = await content
                .ReadAsync(block.AsMemory(0, (int)Math.Min(block.Length, left)), cancellationToken)
                .ConfigureAwait(false);
            if (read == 0)
                return;
            await stream.WriteAsync(block.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            left -= read;
        }
    }

    private static async Task RefuseAsync(NetworkStream stream, string status, CancellationToken cancellationToken) =>
        await stream
            .WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), cancellationToken)
            .ConfigureAwait(false);

    private static string? Header(string[] request, string name)
    {
        string? line = request.Skip(1).FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase));
        return line?[(name.Length + 1)..].Trim();
    }

    /// <summary>
    /// The one part that a Range header asks for, first after last where there is nothing; null for what is to be answered with the whole:
    /// several parts, other units, nonsense.
    /// </summary>
    internal static (long First, long Last)? Part(string range, long length)
    {
        if (!range.StartsWith("bytes=", StringComparison.Ordinal) || range["bytes=".Length..].Split('-') is not [var from, var to])
            return null;
        if (from.Length == 0)
            return Number(to) is { } last ? (last == 0 ? length : Math.Max(0, length - last), length - 1) : null;
        return Number(from) is not { } start ? null
            : to.Length == 0 ? (start, length - 1)
            : Number(to) is { } end && end >= start ? (start, Math.Min(end, length - 1))
            : null;
    }

    private static long? Number(string digits) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    private static string Invariant(long number) => number.ToString(CultureInfo.InvariantCulture);
}
