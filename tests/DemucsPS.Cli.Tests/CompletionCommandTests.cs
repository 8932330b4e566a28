using System.Diagnostics;
using System.Text.RegularExpressions;

namespace DemucsPS.Cli.Tests;

/// <summary>
/// <c>demucsps completion</c>: what is offered, and that shells put it into the line. PowerShell's script is tried by the module's tests.
/// </summary>
public sealed partial class CompletionCommandTests : IDisposable
{
    private const string Hostile = "b $(touch pwned) 'x\" `touch pwned`";

    private readonly TemporaryFolder _folder = new();

    public CompletionCommandTests() =>
        File.WriteAllText(
            _folder["catalog.json"],
            $$"""
            { "version": 1, "models": [{ "name": "tiny", "description": "A small one. It is for tests.", "contract": "split", "stems": ["drums", "kazoo"], "segment": 8192, "license": "Only for tests.",
              "files": [{ "name": "tiny.onnx", "url": "https://models.invalid/tiny.onnx", "size": 10, "sha256": "{{new string(
                '0',
                64
            )}}" }] }] }
            """
        );

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("pl", "player :nothing")]
    [InlineData("models |in", "install :nothing")]
    [InlineData("models |install |ti", "tiny :nothing")]
    [InlineData("models |remove |", ":nothing")]
    [InlineData("separate |-m|tiny|--two-stems|", "drums kazoo :nothing")]
    [InlineData("separate |--model=tiny|--stem|drums,", "drums,kazoo :nothing")]
    [InlineData("separate |--mixdown|vocals=-6,ka", "vocals=-6,kazoo= :nothing open")]
    [InlineData("separate |--format=F", "--format=flac :nothing")]
    [InlineData("separate |--execution-provider|c", "cpu cuda coreml :nothing")]
    [InlineData("separate |--file-name-template|{artist}/{st", "{artist}/{stem} :nothing open")]
    [InlineData("separate |--dither|--di", ":nothing")]
    [InlineData("separate |--seed|--st", ":nothing")]
    [InlineData("separate |--|--st", ":files")]
    [InlineData("slurm |submit |--job|", ":folders")]
    [InlineData("slurm |submit |--job-", "--job-name :nothing")]
    [InlineData("compare |--precision|full,", "full,int8 :nothing")]
    [InlineData("nonsense |--nonsense|", ":nothing")]
    public void Offers_what_fits(string words, string expected) =>
        Assert.Equal(
            expected,
            string.Join(' ', Complete([.. words.Split('|').Select(word => word.TrimEnd(' '))]).Select(line => line.Split('\t')[0]))
        );

    [Fact]
    public void Says_what_models_are() => Assert.Equal("tiny\tnot installed; A small one", Complete("separate", "--model", "t")[0]);

    [Theory]
    [InlineData("separate")]
    [InlineData("models install")]
    [LongInlineData("models convert")]
    [LongInlineData("models test")]
    [LongInlineData("measure")]
    [LongInlineData("compare")]
    [LongInlineData("spectrogram")]
    [LongInlineData("slurm submit")]
    [LongInlineData("slurm wait")]
    public void Offers_each_option_that_the_help_names(string command)
    {
        string[] words = command.Split(' ');
        string[] named =
        [
            .. OptionOfHelp().Matches(Demucsps.Run(_folder.Path, [.. words, "--help"]).Output).Select(match => match.Groups[1].Value),
        ];
        Assert.Contains("--help", named);
        Assert.Equal(named.Order(), Complete([.. words, "-"]).SkipLast(1).Select(line => line.Split('\t')[0]).Order());
    }

    [Theory]
    [InlineData("bash", "--rcfile", "set-up", "-i")]
    [LongInlineData("zsh", "-i")]
    [LongInlineData("fish", "-i", "-C", "source set-up")]
    public void Shells_write_it_as_they_read_it(params string[] shell)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "These shells are tried in a terminal of Linux.");
        foreach (string program in (string[])["script", shell[0]])
            Assert.SkipUnless(
                (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program))),
                $"{program} is not installed."
            );
        string[] lines =
        [
            "demucsps separate --form\tfl\t",
            "demucsps mod\tins\tti\t",
            "demucsps separate my\ta\t",
            "demucsps separate \"my songs/a\t",
            "demucsps separate we\t",
            "demucsps separate --stem=drums,k\t",
            "demucsps separate --output=se\t",
            "demucsps separate --model ti\t",
            "demucsps zzz \t",
            "hostile/demucsps separate --stem b\t",
            "hostile/demucsps separate --stem \"b\t",
            "hostile/demucsps separate --stem 'b\t",
            "~/hostile/demucsps separate --stem b\t",
            "silent/demucsps separate --stem b\t",
            "demucsps separate --model \"ti\t",
            "demucsps separate --model 'ti\t",
            "counted/demucsps separate \t",
            "demucsps separate --model=pie\t",
        ];
        string[] expected =
        [
            "<separate><--format><flac>",
            "<models><install><tiny>",
            "<separate><my songs/a b.wav>",
            "<separate><my songs/a b.wav>",
            "<separate><we$(touch pwned).wav>",
            "<separate><--stem=drums,kazoo>",
            "<separate><--output=sets>",
            "<separate><--model><tiny>",
            "<zzz>",
            $"<separate><--stem><{Hostile}>",
            $"<separate><--stem><{Hostile}>",
            $"<separate><--stem><{Hostile}>",
            $"<separate><--stem><{Hostile}>",
            "<separate><--stem><b>",
            "<separate><--model><tiny>",
            "<separate><--model><tiny>",
            "<separate><3>",
            "<separate><--model=pieces.onnx>",
        ];
        if (shell[0] == "fish")
        {
            // Bash cuts words at =, and looks for files that begin like what is behind it. What is offered, in its order, fish can write
            // down.
            lines = [.. lines, "demucsps separate key=C\t", "complete -C'ordered/demucsps separate --stem ' >order"];
            expected = [.. expected, "<separate><key=C.wav>"];
        }
        Directory.CreateDirectory(_folder["my songs"]);
        Directory.CreateDirectory(_folder["sets"]);
        foreach (string file in (string[])["my songs/a b.wav", "we$(touch pwned).wav", "pieces.onnx", "key=C.wav"])
            File.WriteAllText(_folder[file], "");
        // What is asked is answered; anything else is written down.
        string real = $"exec {string.Join(' ', Demucsps.Command.Select(word => $"'{word}'"))} \"$@\"";
        WriteProgram("programs/demucsps", real);
        // It would eat what is typed, and spoil what is shown.
        WriteProgram("hostile/demucsps", $"head -c 1 >/dev/null; echo noise >&2; cat '{_folder["candidates"]}'");
        WriteProgram("silent/demucsps", "exit 1");
        WriteProgram("counted/demucsps", "printf '%s\\n:nothing\\n' $#");
        WriteProgram("ordered/demucsps", "printf 'vocals\\ndrums\\n:nothing\\n'");
        File.WriteAllText(_folder["candidates"], $"{Hostile}\tIt is: this\n:nothing\n");
        File.WriteAllText(
            _folder["set-up"],
            shell[0] switch
            {
                "fish" => "function fish_greeting; end\ndemucsps completion fish | source\n",
                _ => $"demucsps completion {shell[0]} >script; source ./script\n",
            }
        );
        File.WriteAllText(_folder[".zshrc"], "autoload -Uz compinit; compinit -u -D\nsource ./set-up\n");
        Dictionary<string, string?> environment = new()
        {
            ["PATH"] = $"{_folder["programs"]}:{Environment.GetEnvironmentVariable("PATH")}",
            ["HOME"] = _folder.Path,
            ["ZDOTDIR"] = _folder.Path,
            ["XDG_CONFIG_HOME"] = _folder.Path,
            ["XDG_DATA_HOME"] = _folder.Path,
            ["INPUTRC"] = "/dev/null",
            ["TERM"] = "xterm",
            ["DEMUCSPS_CATALOG"] = _folder["catalog.json"],
            ["DEMUCSPS_MODELS"] = _folder["no-models"],
        };
        string shown = InTerminal(shell, environment, [.. lines, "exit"]);
        // zsh takes its / back where the line ends.
        string[] got = File.Exists(_folder["log"])
            ? [.. File.ReadAllLines(_folder["log"]).Select(line => line.Replace("sets/", "sets", StringComparison.Ordinal))]
            : [];
        Assert.True(expected.SequenceEqual(got), $"{string.Join('\n', got)}\n{shown}");
        Assert.False(File.Exists(_folder["pwned"]));
        if (shell[0] == "fish")
            Assert.Equal(["vocals", "drums"], File.ReadAllLines(_folder["order"]));
        Assert.DoesNotContain("noise", shown, StringComparison.Ordinal);
    }

    private void WriteProgram(string name, string answer)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllText(
            _folder[name],
            $"""
            #!/bin/sh
            case $1 in complet*) {answer}; exit ;; esac
            for word; do printf '<%s>' "$word"; done >>"{_folder["log"]}"
            echo >>"{_folder["log"]}"

            """
        );
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder[name], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private string InTerminal(string[] shell, Dictionary<string, string?> environment, string[] lines)
    {
        string command = string.Join(' ', shell.Select(word => $"'{word}'"));
        ProcessStartInfo start = new("script", ["-qec", command, "/dev/null"])
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach ((string name, string? value) in environment)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        process.StandardInput.Write(string.Join('\n', lines) + '\n');
        process.StandardInput.Flush();
        if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{shell[0]} hung: {output.Result}");
        }
        return output.Result;
    }

    private string[] Complete(params string[] words)
    {
        (int exitCode, string output, string error) = Demucsps.Run(
            _folder.Path,
            new() { ["DEMUCSPS_CATALOG"] = _folder["catalog.json"] },
            ["complete", .. words]
        );
        Assert.Equal(0, exitCode);
        Assert.Empty(error);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [GeneratedRegex("""^  (?:-\S, )*(--[a-z-]+)""", RegexOptions.Multiline)]
    private static partial Regex OptionOfHelp();
}
