using System.Globalization;
using System.Text.RegularExpressions;

namespace DemucsPS.Cli.Tests;

/// <summary>
/// The console's options and the cmdlets' parameters are one set with two spellings: each has its counterpart or is listed here as only
/// one's, and what the console says in short (numbers, words to choose from, defaults) is in the pages from which the cmdlets' help is
/// built.
/// </summary>
public sealed partial class ParameterTests
{
    /// <summary>Options that are called otherwise than parameters.</summary>
    private static readonly Dictionary<string, string> s_names = new()
    {
        ["--output"] = "DestinationPath",
        ["--weights"] = "Weight",
        ["--jobs"] = "ThrottleLimit",
        ["--retry"] = "RetryCount",
        ["--references"] = "Reference",
    };

    /// <summary>What PowerShell has by itself, or says by the pipeline: confirmation, and paths as arguments.</summary>
    private static readonly string[] s_powerShell = ["Confirm", "WhatIf", "Path", "LiteralPath", "PassThru"];

    [Theory]
    [InlineData(
        "separate",
        "Invoke-DemucsSeparation",
        "--threads --verbose --json --files-from --null --shard --durations --time-limit --results",
        ""
    )]
    [InlineData("measure", "Measure-StemQuality", "--csv --json", "SeparationResult")]
    [InlineData("player", "Show-StemPlayer", "", "Result")]
    [InlineData("spectrogram", "Export-Spectrogram", "", "Audio")]
    [InlineData("compare", "Compare-DemucsModel", "--json --overlap --precision --shifts", "Metric Setting")]
    [InlineData("verify", "Test-DemucsSeparation", "--json", "")]
    [InlineData("models test", "Test-DemucsModel", "--json", "Name")]
    [InlineData("models install", "Install-DemucsModel", "--json", "Name")]
    [InlineData("models remove", "Remove-DemucsModel", "--json", "Name Cache")]
    [InlineData("models convert", "ConvertTo-OnnxModel", "--json", "Model")]
    [InlineData("providers install", "Install-DemucsProvider", "", "ExecutionProvider")]
    public void Console_and_cmdlets_say_the_same(string command, string page, string consoleOnly, string cmdletOnly)
    {
        Dictionary<string, (string Values, string Text)> options = OptionsOf(command);
        Dictionary<string, (string Text, string Default)> parameters = ParametersOf(page);
        Assert.Equal(Words(consoleOnly), options.Keys.Where(option => !parameters.ContainsKey(ParameterOf(option))).Order());
        Assert.Equal(
            Words(cmdletOnly),
            parameters.Keys.Except(options.Keys.Select(ParameterOf)).Except(s_powerShell).Order(StringComparer.Ordinal)
        );
        List<string> apart = [];
        foreach ((string option, (string values, string text)) in options)
        {
            if (!parameters.TryGetValue(ParameterOf(option), out (string Text, string Default) parameter))
                continue;
            string said = $"{parameter.Text} {parameter.Default}";
            foreach (string number in Numbers().Matches(Examples().Replace(text, "")).Select(match => match.Value))
            {
                if (!Regex.IsMatch(said, $@"(?<![\w.]){Regex.Escape(number)}(?!\d)"))
                    apart.Add($"{option}: {number}");
            }
            foreach (string word in values.Contains('|') ? values.Split('|') : [])
            {
                if (!said.Contains(word, StringComparison.OrdinalIgnoreCase))
                    apart.Add($"{option}: {word}");
            }
            if (Default().Match(text) is { Success: true } stated && stated.Groups[1].Value != parameter.Default)
                apart.Add($"{option}: default {stated.Groups[1].Value}, {parameter.Default}");
        }
        Assert.Empty(apart);

        static string[] Words(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
    }

    private static string ParameterOf(string option) =>
        s_names.GetValueOrDefault(option)
        ?? string.Concat(option[2..].Split('-').Select(word => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(word)));

    /// <summary>A command's options: the values that its help shows, and what it says of them.</summary>
    private static Dictionary<string, (string Values, string Text)> OptionsOf(string command)
    {
        using TemporaryFolder folder = new();
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, [.. command.Split(' '), "--help"]);
        Assert.True(exitCode == 0, error);
        Dictionary<string, (string, string)> options = OptionLine()
            .Matches(output)
            .Where(match => match.Groups["name"].Value != "--help")
            .ToDictionary(match => match.Groups["name"].Value, match => (match.Groups["values"].Value, match.Groups["text"].Value));
        Assert.NotEmpty(options);
        return options;
    }

    /// <summary>The parameters of a page: all that it says, and the default.</summary>
    private static Dictionary<string, (string Text, string Default)> ParametersOf(string page)
    {
        string text = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "help", page + ".md")).ReplaceLineEndings("\n");
        Dictionary<string, (string, string)> parameters = Parameter()
            .Matches(text)
            .ToDictionary(match => match.Groups["name"].Value, match => (match.Groups["text"].Value, match.Groups["default"].Value));
        Assert.NotEmpty(parameters);
        return parameters;
    }

    [GeneratedRegex(@"(?m)^  (?:-\S, )?(?<name>--[\w-]+)(?: <(?<values>[^>]*)>)?(?: \(REQUIRED\))? {2,}(?<text>.*?)\r?$")]
    private static partial Regex OptionLine();

    [GeneratedRegex(@"(?ms)^### -(?<name>\w+)\n\n(?<text>.*?)^```yaml\n.*?^DefaultValue: '?(?<default>.*?)'?\n.*?^```")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"(?<![\w.,/:-])\d+(?:\.\d+)?(?![\w:/-])")]
    private static partial Regex Numbers();

    // Examples in parentheses, which either has of its own.
    [GeneratedRegex(@"\(\d[^)]*,[^)]*\)|: \d+/\d+")]
    private static partial Regex Examples();

    [GeneratedRegex(@"\[default: (.*)\]")]
    private static partial Regex Default();
}
