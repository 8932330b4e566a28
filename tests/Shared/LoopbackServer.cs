using System.Net;
using System.Net.Sockets;
using System.Text;

namespace DemucsPS.Tests.Shared;

/// <summary>
/// An HTTP server of this machine that can misbehave: each request is answered by the next of the given answers, the last of which is
/// repeated.
/// </summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<LoopbackRequest, Task>[] _answers;
    private readonly List<LoopbackRequest> _requests = [];

    public LoopbackServer(params Func<LoopbackRequest, Task>[] answers)
    {
        _answers = answers;
        _listener.Start();
        _ = Task.Run(AcceptAsync);
    }

    /// <summary>Its address, ending in a slash.</summary>
    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>The requests so far.</summary>
    public LoopbackRequest[] Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    /// <summary>Serves a file as it should be: whole, or from where it is asked for.</summary>
    public static Func<LoopbackRequest, Task> File(byte[] content, string? tag = "\"one\"") =>
        request =>
            request.From is { } from && (request.IfRange is null || request.IfRange == tag)
                ? request.SendAsync(
                    $"206 Partial Content\r\nContent-Range: bytes {from}-{content.Length - 1}/{content.Length}\r\n{Tag(tag)}Content-Length: {content.Length - from}",
                    content.AsMemory((int)from)
                )
                : request.SendAsync($"200 OK\r\n{Tag(tag)}Content-Length: {content.Length}", content);

    /// <summary>Promises all and breaks off.</summary>
    public static Func<LoopbackRequest, Task> BreakOff(byte[] content, int after, string? tag = "\"one\"") =>
        request => request.SendAsync($"200 OK\r\n{Tag(tag)}Content-Length: {content.Length}", content.AsMemory(0, after));

    /// <summary>Answers with these headers and nothing else.</summary>
    public static Func<LoopbackRequest, Task> Status(string headers) =>
        request => request.SendAsync($"{headers}\r\nContent-Length: 0", default);

    /// <summary>Sends a part and then nothing, and does not hang up.</summary>
    public Func<LoopbackRequest, Task> Stall(byte[] content, int after) =>
        async request =>
        {
            await request.SendAsync($"200 OK\r\nETag: \"one\"\r\nContent-Length: {content.Length}", content.AsMemory(0, after));
            await Task.Delay(Timeout.Infinite, _stop.Token);
        };

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
        _stop.Dispose();
    }

    private static string Tag(string? tag) => tag is null ? "" : $"ETag: {tag}\r\n";

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
            _ = Task.Run(() => AnswerAsync(client));
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                StringBuilder head = new();
                byte[] one = new byte[1];
                while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                {
                    if (await stream.ReadAsync(one) == 0)
                        return;
                    head.Append((char)one[0]);
                }
                LoopbackRequest request = new(head.ToString(), stream);
                Func<LoopbackRequest, Task> answer;
                lock (_requests)
                {
                    answer = _answers.Length == 0 ? Status("404 Not Found") : _answers[Math.Min(_requests.Count, _answers.Length - 1)];
                    _requests.Add(request);
                }
                await answer(request);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The other side has hung up, or the test is over.
            }
        }
    }
}
