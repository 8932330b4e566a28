using System.Globalization;
using System.Text;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Models.Weights;

/// <summary>
/// A bag of models as Demucs describes it, a YAML file: <c>models</c>, a list of signatures (names of files next to it without their ends);
/// <c>weights</c>, a row for each of them with a weight for each stem; <c>segment</c>, seconds. The last two may be missing.
/// </summary>
internal sealed class BagFile
{
    /// <summary>How names of such files end.</summary>
    public const string Extension = ".yaml";

    private const int MostBytes = 1 << 16,
        MostModels = 64,
        MostStems = 64,
        MostName = 100;
    private const double LongestSegment = 600;

    private BagFile(string path, IReadOnlyList<string> models, IReadOnlyList<IReadOnlyList<double>>? weights, double? segment)
    {
        Path = path;
        Models = models;
        Weights = weights;
        Segment = segment;
    }

    /// <summary>Full path of the file.</summary>
    public string Path { get; }

    /// <summary>The models' signatures; at least one.</summary>
    public IReadOnlyList<string> Models { get; }

    /// <summary>
    /// A row for each model with a weight for each stem; null for equal ones. Whether a row has as many as there are stems, is not known
    /// here.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<double>>? Weights { get; }

    /// <summary>The length that each model gets that is not shorter already, in seconds; null for the models' own.</summary>
    public double? Segment { get; }

    /// <summary>Whether a file is a bag by its name.</summary>
    internal static bool IsBag(string path) =>
        path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) || path.EndsWith(".yml", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a file.</summary>
    /// <param name="path">Its full path.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read;
    /// <see cref="DemucsError.DemucsModelInvalid"/>: it is not a bag; the message says where.</exception>
    public static BagFile Read(string path)
    {
        try
        {
            using FileStream file = RegularFile.OpenRead(path);
            byte[] bytes = new byte[(int)Math.Min(file.Length, MostBytes + 1)];
            return Parse(bytes.AsSpan(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)), path);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(DemucsError.DemucsModelNotFound, $"The bag of models '{path}' cannot be read: {e.Message}", path, e);
        }
    }

    /// <summary>As above, of a file's bytes.</summary>
    internal static BagFile Parse(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length > MostBytes)
            throw Wrong($"it is longer than {MostBytes} bytes");
        try
        {
            Dictionary<string, object> entries = YamlText.Parse(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes));
            if (entries.Keys.FirstOrDefault(k => k is not ("models" or "weights" or "segment")) is { } unknown)
                throw Wrong($"'{unknown}' is unknown; known are models, weights and segment");
            if (!entries.TryGetValue("models", out object? value) || value is not List<object> { Count: > 0 and <= MostModels } list)
                throw Wrong($"it has no list 'models' of 1 to {MostModels} signatures");
            string[] models = [.. list.Select(Signature)];
            double? segment =
                entries.TryGetValue("segment", out object? seconds) && seconds is not "null" ? Number(seconds, "segment") : null;
            if (segment is not (null or (> 0 and <= LongestSegment)))
                throw Wrong(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"its segment is {segment} seconds; it must be above 0 and at most {LongestSegment}"
                    )
                );
            return new BagFile(
                path,
                models,
                entries.TryGetValue("weights", out object? rows) && rows is not "null" ? Rows(rows, models.Length) : null,
                segment
            );
        }
        catch (DecoderFallbackException e)
        {
            throw Wrong("it is not valid UTF-8 text", e);
        }
        catch (FormatException e)
        {
            throw Wrong(e.Message, e);
        }

        DemucsException Wrong(string what, Exception? cause = null) =>
            new(
                DemucsError.DemucsModelInvalid,
                $"The bag of models '{path}' cannot be used: {what}. Write it as Demucs does, such as: models: ['955717e8']",
                path,
                cause
            );
    }

    // A signature becomes a file's name.
    private static string Signature(object item) =>
        item is string { Length: <= MostName } name && SafeFileName.IsPortable(name)
            ? name
            : throw new FormatException(
                $"the signature {(item is string text ? $"'{Shortened(text)}'" : "that is a list")} in 'models' is invalid; letters, digits, '.', '-' and '_' are allowed"
            );

    private static double[][] Rows(object value, int count)
    {
        if (value is not List<object> rows || rows.Count != count)
            throw new FormatException($"'weights' is not a list of {count} rows, one for each model");
        double[][] weights =
        [
            .. rows.Select(row =>
                row is List<object> { Count: > 0 and <= MostStems } numbers
                    ? numbers.Select(n => Number(n, "weights")).ToArray()
                    : throw new FormatException("a row of 'weights' is not a list of numbers")
            ),
        ];
        if (weights.Any(row => row.Length != weights[0].Length))
            throw new FormatException("the rows of 'weights' differ in length");
        return weights.All(row => row.All(w => w >= 0)) ? weights : throw new FormatException("'weights' has numbers below 0");
    }

    private static double Number(object item, string entry) =>
        item is string text
        && double.TryParse(
            text,
            NumberStyles.Float & ~(NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite),
            CultureInfo.InvariantCulture,
            out double number
        )
        && double.IsFinite(number)
            ? number
            : throw new FormatException(
                $"'{entry}' has {(item is string other ? $"'{Shortened(other)}'" : "a list")} where a number is expected"
            );

    private static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
