using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace DemucsPS.Engine.Tests.Player;

/// <summary>
/// A Chromium of this machine without a window, driven over its own protocol by a web socket of .NET's. The package that does this for
/// tests brings a runtime for each platform and some hundred
/// megabytes; what is needed of it are these lines. One process for all tests of a class, started by the first that asks.
/// </summary>
public sealed class Chromium : IDisposable
{
    /// <summary>The variable that names another executable than the first on PATH.</summary>
    private const string Variable = "DEMUCSPS_CHROMIUM";

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _profile = new();
    private readonly Dictionary<int, TaskCompletionSource<JsonNode>> _asked = [];
    private readonly List<(string Session, JsonNode Event)> _events = [];
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ClientWebSocket _socket = new();
    private Process? _process;
    private int _last;

    /// <summary>What makes tests skip: there is none.</summary>
    public static string Absent => $"Chromium is not installed: neither on PATH nor named by {Variable}.";

    private static string? Executable { get; } =
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named
        : OperatingSystem.IsWindows() ? null
        : (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':')
            .SelectMany(_ => new[] { "chromium", "chromium-browser", "google-chrome" }, Path.Combine)
            .FirstOrDefault(File.Exists);

    /// <summary>Whether the browser's own process is running as nobody special, which is when it can shut its pages in.</summary>
    private static bool IsRoot => Environment.UserName == "root";

    /// <summary>A new, empty tab. Skips the test where there is no browser.</summary>
    internal async Task<Tab> OpenAsync()
    {
        Assert.SkipWhen(Executable is null, Absent);
        await StartAsync();
        string target = (await AskAsync(null, "Target.createTarget", new() { ["url"] = "about:blank" }))["targetId"]!.GetValue<string>();
        string session = (await AskAsync(null, "Target.attachToTarget", new() { ["targetId"] = target, ["flatten"] = true }))[
            "sessionId"
        ]!.GetValue<string>();
        foreach (string domain in (string[])["Page", "Runtime", "Log"])
            await AskAsync(session, domain + ".enable", []);
        return new Tab(this, target, session);
    }

    public void Dispose()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
            _process.Dispose();
        }
        _socket.Dispose();
        _sending.Dispose();
        _profile.Dispose();
    }

    private async Task StartAsync()
    {
        if (_process is not null)
            return;
        ProcessStartInfo start = new(Executable!)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach (
            string argument in (string[])
                [
                    "--headless=new",
                    .. IsRoot ? (string[])["--no-sandbox"] : [],
                    "--disable-gpu",
                    "--mute-audio",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--remote-debugging-port=0",
                    "--user-data-dir=" + _profile.Path,
                    "about:blank",
                ]
        )
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.BeginOutputReadLine();
        string? address = null,
            said = "";
        while (address is null)
        {
            string line = await _process.StandardError.ReadLineAsync().WaitAsync(s_patience)
                ?? throw new InvalidOperationException($"Chromium has ended: {said}");
            said += line + "\n";
            if (Regex.Match(line, @"^DevTools listening on (ws://\S+)$") is { Success: true } match)
                address = match.Groups[1].Value;
        }
        _ = _process.StandardError.ReadToEndAsync();
        await _socket.ConnectAsync(new Uri(address), CancellationToken.None);
        _ = Task.Run(ReceiveAsync);
    }

    private async Task<JsonNode> AskAsync(string? session, string method, JsonObject parameters)
    {
        TaskCompletionSource<JsonNode> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        JsonObject message = new() { ["method"] = method, ["params"] = parameters };
        if (session is not null)
            message["sessionId"] = session;
        await _sending.WaitAsync();
        try
        {
            lock (_asked)
                _asked[++_last] = answer;
            message["id"] = _last;
            await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }
        return await answer.Task.WaitAsync(s_patience);
    }

    private async Task ReceiveAsync()
    {
        byte[] block = new byte[1 << 16];
        using MemoryStream message = new();
        try
        {
            while (true)
            {
                message.SetLength(0);
                WebSocketReceiveResult part;
                do
                {
                    part = await _socket.ReceiveAsync(block, CancellationToken.None);
                    message.Write(block, 0, part.Count);
                } while (!part.EndOfMessage);
                Take(JsonNode.Parse(message.ToArray())!);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException or JsonException)
        {
            lock (_asked)
            {
                foreach (TaskCompletionSource<JsonNode> waiting in _asked.Values)
                    waiting.TrySetException(e);
            }
        }
    }

    private void Take(JsonNode message)
    {
        if (message["id"] is { } id)
        {
            TaskCompletionSource<JsonNode>? answer;
            lock (_asked)
                _asked.Remove(id.GetValue<int>(), out answer);
            if (message["error"] is { } error)
                answer?.TrySetException(new InvalidOperationException(error.ToJsonString()));
            else
                answer?.TrySetResult(message["result"]!);
        }
        else if (message["sessionId"] is { } session)
        {
            lock (_events)
                _events.Add((session.GetValue<string>(), message));
        }
    }

    /// <summary>A tab of the browser.</summary>
    internal sealed class Tab(Chromium browser, string target, string session) : IAsyncDisposable
    {
        /// <summary>
        /// What the page and the browser have complained of: errors, warnings, refused loads, exceptions that nobody caught.
        /// </summary>
        public string[] Complaints
        {
            get
            {
                lock (browser._events)
                {
                    return
                    [
                        .. browser
                            ._events.Where(e => e.Session == session)
                            .Select(e => e.Event)
                            .Where(e =>
                                e["method"]!.GetValue<string>()
                                    is "Runtime.exceptionThrown"
                                        or "Runtime.consoleAPICalled"
                                        or "Log.entryAdded"
                            )
                            .Select(e => e["params"]!.ToJsonString()),
                    ];
                }
            }
        }

        /// <summary>Opens a page and waits until its player can play.</summary>
        public async Task GoAsync(string address)
        {
            await AskAsync("Page.navigate", new() { ["url"] = address });
            await EvaluateAsync(
                "new Promise(resolve => { const look = () => window.stemPlayer ? resolve() : setTimeout(look, 10); look(); }).then(() => stemPlayer.ready)"
            );
        }

        /// <summary>The value of an expression, awaited.</summary>
        public async Task<JsonNode?> EvaluateAsync(string expression)
        {
            JsonNode result = await AskAsync(
                "Runtime.evaluate",
                new()
                {
                    ["expression"] = expression,
                    ["awaitPromise"] = true,
                    ["returnByValue"] = true,
                }
            );
            return result["exceptionDetails"] is { } thrown
                ? throw new InvalidOperationException($"{expression}: {thrown.ToJsonString()}")
                : result["result"]!["value"];
        }

        /// <summary>A number.</summary>
        public async Task<double> NumberAsync(string expression) => (await EvaluateAsync(expression))!.GetValue<double>();

        /// <summary>A window of that size, as a phone's where it is narrow.</summary>
        public Task ResizeAsync(int width, int height) =>
            AskAsync(
                "Emulation.setDeviceMetricsOverride",
                new()
                {
                    ["width"] = width,
                    ["height"] = height,
                    ["deviceScaleFactor"] = 1,
                    ["mobile"] = width < 500,
                }
            );

        /// <summary>What the system prefers.</summary>
        public Task PreferAsync(string theme) =>
            AskAsync(
                "Emulation.setEmulatedMedia",
                new() { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = theme }) }
            );

        /// <summary>A click into the middle of what a selector finds, as of a mouse.</summary>
        public async Task ClickAsync(string selector, double across = 0.5)
        {
            JsonNode box = (
                await EvaluateAsync(
                    $"(() => {{ const e = document.querySelector({JsonSerializer.Serialize(selector)}); e.scrollIntoView({{ block: 'center' }}); const b = e.getBoundingClientRect(); return [b.x + b.width * {across.ToString(System.Globalization.CultureInfo.InvariantCulture)}, b.y + b.height / 2]; }})()"
                )
            )!;
            foreach (string type in (string[])["mousePressed", "mouseReleased"])
                await AskAsync(
                    "Input.dispatchMouseEvent",
                    new()
                    {
                        ["type"] = type,
                        ["x"] = box[0]!.GetValue<double>(),
                        ["y"] = box[1]!.GetValue<double>(),
                        ["button"] = "left",
                        ["clickCount"] = 1,
                    }
                );
        }

        /// <summary>A key, as of a keyboard.</summary>
        /// <param name="key">What it gives.</param>
        /// <param name="code">Which it is.</param>
        /// <param name="virtualKey">The same as Windows has it; browsers want it.</param>
        /// <param name="shift">Whether Shift is down.</param>
        public async Task PressAsync(string key, string code, int virtualKey, bool shift = false)
        {
            foreach (string type in (string[])["rawKeyDown", "keyUp"])
                await AskAsync(
                    "Input.dispatchKeyEvent",
                    new()
                    {
                        ["type"] = type,
                        ["key"] = key,
                        ["code"] = code,
                        ["windowsVirtualKeyCode"] = virtualKey,
                        ["modifiers"] = shift ? 8 : 0,
                    }
                );
        }

        public async ValueTask DisposeAsync() => await browser.AskAsync(null, "Target.closeTarget", new() { ["targetId"] = target });

        private Task<JsonNode> AskAsync(string method, JsonObject parameters) => browser.AskAsync(session, method, parameters);
    }
}
