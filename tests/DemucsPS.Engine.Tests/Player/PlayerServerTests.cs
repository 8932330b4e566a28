using System.Net.Sockets;
using System.Text;
using DemucsPS.Engine.Player;

namespace DemucsPS.Engine.Tests.Player;

/// <summary>What the server of a page gives, and what not: asked by sockets, since a client of .NET's would mend what is wrong.</summary>
public sealed class PlayerServerTests : IDisposable
{
    private static readonly byte[] s_sound = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 7 + i / 251))];

    private readonly TemporaryFolder _folder = new();
    private readonly PlayerServer _server;

    public PlayerServerTests()
    {
        DirectoryInfo own = Directory.CreateDirectory(_folder["own"]);
        File.WriteAllText(_folder["own", "player.html"], "<!DOCTYPE html>");
        File.WriteAllBytes(_folder["sound.wav"], s_sound);
        File.WriteAllText(_folder["secret.txt"], "secret");
        _server = new PlayerServer(
            new PlayerPageFile("t", _folder["own", "player.html"], 1, [], false, TimeSpan.Zero, PlayerAudio.Linked, 0, []),
            new Dictionary<string, ServedFile>
            {
                [""] = ServedFile.Create(_folder["own", "player.html"], "text/html; charset=utf-8"),
                ["sound/0-0"] = ServedFile.Create(_folder["sound.wav"], "audio/wav"),
                ["sound/gone"] = ServedFile.Create(_folder["gone.wav"], "audio/wav"),
            },
            own
        );
    }

    private string Host => _server.Address.Authority;

    public void Dispose()
    {
        _server.Dispose();
        Assert.False(Directory.Exists(_folder["own"]));
        _folder.Dispose();
    }

    [Fact]
    public void It_listens_on_this_machine_only_and_gives_whole_files_and_parts()
    {
        Assert.Equal("127.0.0.1", _server.Address.Host);
        (string head, byte[] body) = Get("");
        Assert.StartsWith(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 15\r\n",
            head,
            StringComparison.Ordinal
        );
        Assert.Equal("<!DOCTYPE html>", Encoding.ASCII.GetString(body));
        Assert.Equal(s_sound, Get("sound/0-0").Body);
        Assert.Empty(Ask($"HEAD {_server.Address.AbsolutePath}sound/0-0 HTTP/1.1\r\nHost: {Host}\r\n\r\n").Body);

        (head, body) = Get("sound/0-0", "Range: bytes=1000-1999");
        Assert.StartsWith("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1000-1999/100000\r\n", head, StringComparison.Ordinal);
        Assert.Equal(s_sound[1000..2000], body);
        Assert.Equal(s_sound[99_990..], Get("sound/0-0", "range: bytes=-10").Body);
        Assert.Equal(s_sound[50_000..], Get("sound/0-0", "Range: bytes=50000-").Body);
        (head, body) = Get("sound/0-0", "Range: bytes=99999-200000");
        Assert.StartsWith(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 99999-99999/100000\r\nContent-Type: audio/wav\r\nContent-Length: 1\r\n",
            head,
            StringComparison.Ordinal
        );
        Assert.Equal(s_sound[99_999..], body);
        (head, body) = Get("sound/0-0", "Range: bytes=100000-");
        Assert.StartsWith("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */100000\r\n", head, StringComparison.Ordinal);
        Assert.Empty(body);
        // Several parts, other units and nonsense are answered with the whole, as HTTP allows.
        foreach (string range in (string[])["bytes=0-1,5-6", "lines=1-2", "bytes=5-1", "bytes=a-b", "bytes=", "bytes=-"])
            Assert.Equal(s_sound, Get("sound/0-0", "Range: " + range).Body);
    }

    [Fact]
    public void It_gives_nothing_else()
    {
        string path = _server.Address.AbsolutePath;
        foreach (
            string other in (string[])
                [
                    path + "../secret.txt",
                    path + "%2e%2e/secret.txt",
                    path + "sound/../../secret.txt",
                    path + "secret.txt",
                    path + "sound/gone",
                    path + "player.html",
                    "/",
                    "/secret.txt",
                    path.TrimEnd('/'),
                    "//etc/passwd",
                    _folder["secret.txt"],
                ]
        )
            Assert.StartsWith(
                "HTTP/1.1 404 Not Found\r\n",
                Ask($"GET {other} HTTP/1.1\r\nHost: {Host}\r\n\r\n").Head,
                StringComparison.Ordinal
            );
        // A foreign site whose name was turned to this machine sends that name.
        foreach (string host in (string[])["Host: evil.example\r\n", "Host: localhost\r\n", ""])
            Assert.StartsWith("HTTP/1.1 404 Not Found\r\n", Ask($"GET {path} HTTP/1.1\r\n{host}\r\n").Head, StringComparison.Ordinal);
        Assert.StartsWith(
            "HTTP/1.1 405 Method Not Allowed\r\n",
            Ask($"POST {path} HTTP/1.1\r\nHost: {Host}\r\n\r\n").Head,
            StringComparison.Ordinal
        );
        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", Ask("nonsense\r\n\r\n").Head, StringComparison.Ordinal);
        Assert.Equal("", Ask("GET / HTTP/1.1\r\nX: " + new string('x', 20_000)).Head);
    }

    [Fact]
    public void It_ends_while_more_wait_than_it_serves_at_once()
    {
        List<TcpClient> waiting = [.. Enumerable.Range(0, 70).Select(_ => new TcpClient(_server.Address.Host, _server.Address.Port))];
        // It has taken as many as it can, so that the next one waits for a place.
        Assert.True(SpinWait.SpinUntil(() => _server.IsFull, TimeSpan.FromMinutes(1)));
        _server.Dispose();
        Assert.False(Directory.Exists(_folder["own"]));
        waiting.ForEach(client => client.Dispose());
    }

    private (string Head, byte[] Body) Get(string name, params string[] headers) =>
        Ask($"GET {_server.Address.AbsolutePath}{name} HTTP/1.1\r\nHost: {Host}\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n");

    private (string Head, byte[] Body) Ask(string request)
    {
        using TcpClient client = new(_server.Address.Host, _server.Address.Port);
        using MemoryStream answer = new();
        try
        {
            client.GetStream().Write(Encoding.ASCII.GetBytes(request));
            client.GetStream().CopyTo(answer);
        }
        catch (IOException)
        {
            // It hangs up on who sends too much.
        }
        byte[] bytes = answer.ToArray();
        int end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        return end < 0 ? ("", bytes) : (Encoding.ASCII.GetString(bytes, 0, end + 2), bytes[(end + 4)..]);
    }
}
