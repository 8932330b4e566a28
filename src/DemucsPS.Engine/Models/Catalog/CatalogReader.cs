using System.Globalization;
using System.Text.Json;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Models.Catalog;

/// <summary>
/// Reads a catalog file. Everything is checked, for names become files and addresses are visited: what is unknown, missing or doubtful is
/// an error.
/// </summary>
internal sealed class CatalogReader
{
    /// <summary>Longest catalog in bytes.</summary>
    public const int MostBytes = 1 << 20;

    private const int MostModels = 1000,
        MostText = 4000;
    private const long MostModelBytes = 1L << 36;

    private static readonly string[] s_contracts = ["split", "real-imaginary", "waveform"];

    private readonly string _path;
    private string _where = "the file";

    private CatalogReader(string path) => _path = path;

    /// <summary>Reads a catalog.</summary>
    /// <param name="json">The file's bytes.</param>
    /// <param name="path">The file, for messages.</param>
    /// <param name="allowBuiltIn">Whether an entry may be said to be built in.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.CatalogInvalid"/>; the message names the file and the entry.</exception>
    public static IReadOnlyList<CatalogEntry> Read(ReadOnlyMemory<byte> json, string path, bool allowBuiltIn)
    {
        CatalogReader reader = new(path);
        if (json.Length > MostBytes)
            throw reader.Wrong($"it is longer than {MostBytes} bytes");
        try
        {
            using JsonDocument document = JsonDocument.Parse(
                json,
                new JsonDocumentOptions
                {
                    MaxDepth = 16,
                    CommentHandling = JsonCommentHandling.Skip,
                    AllowTrailingCommas = true,
                }
            );
            return reader.Entries(document.RootElement, allowBuiltIn);
        }
        catch (JsonException e)
        {
            throw reader.Wrong($"it is not valid JSON: there is a fault in line {e.LineNumber + 1}, at byte {e.BytePositionInLine + 1}", e);
        }
        catch (InvalidOperationException e)
        {
            // Escapes may stand for halves of characters, which only shows when a text is requested.
            throw reader.Wrong($"a text in it is not valid Unicode: {e.Message}", e);
        }
    }

    private List<CatalogEntry> Entries(JsonElement root, bool allowBuiltIn)
    {
        Known(root, "version", "models", "licenses", "about");
        if (Integer(root, "version", 1, int.MaxValue) != 1)
            throw Wrong("its version is not 1, the only supported version");
        Dictionary<string, string> licenses = [];
        if (root.TryGetProperty("licenses", out JsonElement texts))
        {
            if (texts.ValueKind != JsonValueKind.Object)
                throw Wrong("'licenses' is not an object of names and texts");
            foreach (JsonProperty text in texts.EnumerateObject())
                licenses[text.Name] = Text(texts, text.Name);
        }

        List<CatalogEntry> entries = [];
        foreach (JsonElement model in Items(root, "models", MostModels))
        {
            _where = string.Create(CultureInfo.InvariantCulture, $"model number {entries.Count + 1}");
            CatalogEntry entry = Entry(model, licenses, allowBuiltIn);
            if (entries.Exists(e => string.Equals(e.Name, entry.Name, StringComparison.OrdinalIgnoreCase)))
                throw Wrong("its name occurs twice");
            entries.Add(entry);
        }
        return entries;
    }

    private CatalogEntry Entry(JsonElement model, Dictionary<string, string> licenses, bool allowBuiltIn)
    {
        Known(model, "name", "description", "builtIn", "contract", "stems", "segment", "license", "scores", "files", "bag");
        string name = SafeName(model, "name");
        _where = $"model '{name}'";
        bool builtIn = model.TryGetProperty("builtIn", out JsonElement flag) && flag.ValueKind == JsonValueKind.True;
        if (builtIn && !allowBuiltIn)
            throw Wrong("only the program's own models can be built in; give 'files' or a 'bag'");
        string[] stems =
        [
            .. Items(model, "stems", 64)
                .Select(s =>
                    s.ValueKind == JsonValueKind.String && SafeFileName.IsPortable(s.GetString()!)
                        ? s.GetString()!
                        : throw Wrong($"the stem name {s.GetRawText()} is invalid; letters, digits, '-' and '_' are allowed")
                ),
        ];
        if (stems.Length == 0 || stems.Distinct(StringComparer.OrdinalIgnoreCase).Count() != stems.Length)
            throw Wrong("'stems' must have different names, at least one");
        CatalogMember[] members = model.TryGetProperty("bag", out _) ? [.. Items(model, "bag", 64).Select(m => Member(m, stems))] : [];
        CatalogFile[] files = model.TryGetProperty("files", out _) ? [.. Items(model, "files", 64).Select(File)] : [];
        if ((builtIn ? 1 : 0) + (members.Length > 0 ? 1 : 0) + (files.Length > 0 ? 1 : 0) != 1)
            throw Wrong("it must have either 'files' or a 'bag'");
        if (files.Length > 0 && !ModelFiles.IsModel(files[0].Name))
            throw Wrong($"the first of its files, '{files[0].Name}', must be the model, a .safetensors, .onnx or .ort file");
        if (files.Skip(1).Any(f => ModelFiles.IsModel(f.Name)))
            throw Wrong("only the first of its files may be a .safetensors, .onnx or .ort file");
        if (files.Select(f => f.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count() != files.Length)
            throw Wrong("two of its files have the same name");
        for (int stem = 0; stem < stems.Length && members.Length > 0; stem++)
        {
            if (members.All(m => m.Weights[stem] == 0))
                throw Wrong($"no model of the bag has a weight above 0 for '{stems[stem]}'");
        }
        string? contract = model.TryGetProperty("contract", out _) ? Text(model, "contract") : null;
        if (contract is not null && !s_contracts.Contains(contract))
            throw Wrong($"its contract is '{contract}'; supported are {string.Join(", ", s_contracts)}");
        // A key of 'licenses', or the text itself.
        string? license = model.TryGetProperty("license", out _) ? Text(model, "license") : null;
        return new CatalogEntry
        {
            Name = name,
            Description = model.TryGetProperty("description", out _) ? Text(model, "description") : "",
            IsBuiltIn = builtIn,
            Contract = contract,
            Stems = stems,
            SegmentFrames = (int)Integer(model, "segment", 4096, 100_000_000),
            LicenseNotice = license is null ? null : licenses.GetValueOrDefault(license, license),
            Scores = model.TryGetProperty("scores", out _) ? [.. Items(model, "scores", 64).Select(Score)] : [],
            Files = files,
            Members = members,
        };
    }

    private CatalogFile File(JsonElement file)
    {
        Known(file, "name", "url", "size", "sha256");
        string name = SafeName(file, "name");
        string address = Text(file, "url");
        if (
            !Uri.TryCreate(address, UriKind.Absolute, out Uri? url)
            || !(url.Scheme == Uri.UriSchemeHttps || url.IsFile || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))
        )
            throw Wrong($"the address '{address}' of '{name}' is not allowed; use https, file, or http on this machine");
        string hash = Text(file, "sha256");
        if (hash.Length != 64 || !hash.All(char.IsAsciiHexDigit))
            throw Wrong($"the sha256 of '{name}' is not 64 hexadecimal digits");
        return new CatalogFile(name, url, Integer(file, "size", 1, MostModelBytes), hash.ToLowerInvariant());
    }

    private CatalogMember Member(JsonElement member, string[] stems)
    {
        Known(member, "model", "weights");
        string name = SafeName(member, "model");
        double[] weights =
        [
            .. Items(member, "weights", 64)
                .Select(w =>
                    w.ValueKind == JsonValueKind.Number && w.TryGetDouble(out double value) && value >= 0 && double.IsFinite(value)
                        ? value
                        : throw Wrong($"the weight {w.GetRawText()} of '{name}' is invalid; weights are numbers of at least 0")
                ),
        ];
        return weights.Length == stems.Length
            ? new CatalogMember(name, weights)
            : throw Wrong($"'{name}' has {weights.Length} weights for {stems.Length} stems");
    }

    private ModelScore Score(JsonElement score)
    {
        Known(score, "sdr", "measured", "source");
        return
            score.TryGetProperty("sdr", out JsonElement sdr) && sdr.ValueKind == JsonValueKind.Number && sdr.TryGetDouble(out double value)
            ? new ModelScore(value, Text(score, "measured"), Text(score, "source"))
            : throw Wrong("a score's 'sdr' is not a number");
    }

    private void Known(JsonElement element, params ReadOnlySpan<string> names)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Wrong($"{element.ValueKind} found where an object is expected");
        HashSet<string> seen = [];
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (!names.Contains(property.Name))
                throw Wrong($"'{property.Name}' is unknown; known are {string.Join(", ", names!)}");
            if (!seen.Add(property.Name))
                throw Wrong($"'{property.Name}' occurs twice");
        }
    }

    private JsonElement.ArrayEnumerator Items(JsonElement parent, string name, int most)
    {
        if (!parent.TryGetProperty(name, out JsonElement list) || list.ValueKind != JsonValueKind.Array)
            throw Wrong($"it has no list '{name}'");
        return list.GetArrayLength() <= most ? list.EnumerateArray() : throw Wrong($"'{name}' has more than {most} entries");
    }

    private string Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement text)
        && text.ValueKind == JsonValueKind.String
        && text.GetString() is { Length: > 0 and <= MostText } value
            ? value
            : throw Wrong($"'{name}' is missing, or not a text of 1 to {MostText} characters");

    private string SafeName(JsonElement parent, string name) =>
        Text(parent, name) is { } value && SafeFileName.IsPortable(value)
            ? value
            : throw Wrong($"the {name} '{Text(parent, name)}' is not a portable file name; letters, digits, '.', '-' and '_' are allowed");

    private long Integer(JsonElement parent, string name, long least, long most) =>
        parent.TryGetProperty(name, out JsonElement number)
        && number.ValueKind == JsonValueKind.Number
        && number.TryGetInt64(out long value)
        && value >= least
        && value <= most
            ? value
            : throw Wrong($"'{name}' is missing, or not a whole number from {least} to {most}");

    private DemucsException Wrong(string what, Exception? cause = null) =>
        new(
            DemucsError.CatalogInvalid,
            $"The catalog '{_path}' cannot be used: in {_where}, {what}. Correct or remove the file.",
            _path,
            cause
        );
}
