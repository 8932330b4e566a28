using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Records;

/// <summary>
/// Small JSON files that are read back: written whole or not at all, read strictly (no unknown, missing or doubled members) and only up to
/// a length.
/// </summary>
internal static class RecordFile
{
    /// <summary>Bytes above which a file is refused; a long track's has some thousand.</summary>
    public const int MaxBytes = 16 << 20;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        MaxDepth = 8,
        TypeInfoResolver = RecordTypes.Default,
        // Names of any script stay readable; the files are not embedded in HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads a file.</summary>
    /// <exception cref="JsonException">Its content is not what it should be.</exception>
    /// <exception cref="InvalidDataException">It is too long.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static T Read<T>(string path)
    {
        using FileStream stream = RegularFile.OpenRead(path, bufferSize: 0);
        if (stream.Length > MaxBytes)
            throw new InvalidDataException($"it has {stream.Length} bytes; the limit is {MaxBytes}");
        byte[] content = new byte[stream.Length];
        int length = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        return Parse<T>(content.AsSpan(0, length));
    }

    /// <summary>Reads a file's content.</summary>
    /// <exception cref="JsonException">It is not what it should be.</exception>
    public static T Parse<T>(ReadOnlySpan<byte> content) =>
        JsonSerializer.Deserialize<T>(content, s_json) ?? throw new JsonException("it is empty");

    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="content">What it will hold.</param>
    /// <param name="temporary">Full path of a file to write to first, on the same file system.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static void Write<T>(string path, T content, string temporary) =>
        DurableFiles.Replace(path, JsonSerializer.SerializeToUtf8Bytes(content, s_json), temporary);
}

/// <summary>The types of records, described at build time: reflection would take a twentieth of a second at every start.</summary>
[JsonSerializable(typeof(SeparationJournal))]
[JsonSerializable(typeof(SeparationProvenance))]
internal sealed partial class RecordTypes : JsonSerializerContext;
