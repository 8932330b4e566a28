using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace DemucsPS.Tests.Shared;

/// <summary>A request to the server of this machine.</summary>
internal sealed class LoopbackRequest(string head, NetworkStream stream)
{
    /// <summary>The path that was asked for.</summary>
    public string Path => head.Split(' ')[1];

    /// <summary>The byte from which on the file was asked for; null for all of it.</summary>
    public long? From =>
        Regex.Match(head, @"^Range: bytes=(\d+)-\r$", RegexOptions.Multiline) is { Success: true } match
            ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : null;

    /// <summary>The tag under which a part was asked for.</summary>
    public string? IfRange =>
        Regex.Match(head, "^If-Range: (.*)\r$", RegexOptions.Multiline) is { Success: true } match ? match.Groups[1].Value : null;

    /// <summary>Answers; the connection is closed afterwards.</summary>
    public async Task SendAsync(string headers, ReadOnlyMemory<byte> body)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {headers}\r\nConnection: close\r\n\r\n"));
        await stream.WriteAsync(body);
        await stream.FlushAsync();
    }
}
