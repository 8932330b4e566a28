using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Clusters;

/// <summary>The JSON files of a job folder.</summary>
[JsonSerializable(typeof(ClusterSettings))]
[JsonSerializable(typeof(ClusterSubmission))]
internal sealed partial class ClusterRecords : JsonSerializerContext
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        MaxDepth = 8,
        TypeInfoResolver = Default,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads a file.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>.</exception>
    public static T Read<T>(string path)
    {
        try
        {
            using FileStream stream = RegularFile.OpenRead(path);
            return JsonSerializer.Deserialize<T>(stream, s_json) ?? throw new JsonException("It is empty.");
        }
        catch (Exception e) when (e is JsonException || e.IsFileError())
        {
            throw Invalid(path, e.Message, e);
        }
    }

    /// <summary>Writes a file whole or not at all.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static void Write<T>(string path, T content) =>
        DurableFiles.Replace(path, JsonSerializer.SerializeToUtf8Bytes(content, s_json), path + ".new");

    /// <summary>The error for a file of a job folder that cannot be used.</summary>
    public static DemucsException Invalid(string path, string why, Exception? cause = null) =>
        new(
            DemucsError.ClusterJobInvalid,
            $"'{path}' is not a valid part of a job. {why} Check the path. It must be the folder the job was created in.",
            path,
            cause
        );
}
