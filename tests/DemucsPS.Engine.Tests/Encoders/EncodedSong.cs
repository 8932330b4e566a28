using System.Diagnostics;
using System.Text.Json;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Audio;
using DemucsPS.Engine.Tests.Inference;
using TemporaryFolder = DemucsPS.Tests.Shared.TemporaryFolder;

namespace DemucsPS.Engine.Tests.Encoders;

/// <summary>
/// A piece of the song, separated by the small model, which multiplies, into files of any format; and what other programs say of them.
/// </summary>
internal sealed class EncodedSong : IDisposable
{
    /// <summary>No multiple of any encoder's frame.</summary>
    public const int Frames = 100_003;

    private readonly TemporaryFolder _folder = new();
    private readonly ModelBag _bag;
    private int _runs;

    public EncodedSong(byte[]? model = null)
    {
        File.WriteAllBytes(_folder["model.onnx"], model ?? SmallModels.Split());
        _bag = ModelBag.Load([ModelSource.Find(_folder["model.onnx"])], null, new OnnxSessionOptions());
        Source = _folder["song.wav"];
        using WavWriter writer = WavWriter.Create(Source, 44100, 2, WavSampleFormat.Float32);
        MemoryTrack song = MemoryTrack.Song(44100, Frames);
        writer.Write([.. song.Left.Zip(song.Right, (l, r) => new[] { l, r }).SelectMany(f => f)]);
        writer.Complete();
    }

    public string Source { get; private set; }

    public TemporaryFolder Folder => _folder;

    /// <summary>Makes the source another file, by ffmpeg, with tags and, if asked, a picture.</summary>
    public void Convert(string name, IEnumerable<KeyValuePair<string, string>> tags, bool cover, params string[] options)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg"),
            file = _folder[name];
        File.WriteAllText(_folder["tags"], FFMetadata.Of(tags));
        List<string> arguments = ["-v", "error", "-i", Source, "-f", "ffmetadata", "-i", _folder["tags"]];
        if (cover)
        {
            ExternalTool.Run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "color=c=red:s=32x32", "-frames:v", "1", _folder["cover.png"]);
            arguments.AddRange(["-i", _folder["cover.png"], "-map", "2:v", "-c:v", "copy", "-disposition:v", "attached_pic"]);
        }
        ExternalTool.Run(ffmpeg, [.. arguments, "-map", "0:a", "-map_metadata", "1", .. options, file]);
        Source = file;
    }

    /// <summary>Separates, and gives the files by name.</summary>
    public IReadOnlyDictionary<string, string> Separate(
        StemFormat format,
        StemRequest? choice = null,
        bool copyTags = true,
        string? template = null
    )
    {
        StemOutput output = new(new StemNames(_folder[$"out{_runs++}"], template is null ? null : FileNameTemplate.Parse(template)), format)
        {
            CopyTags = copyTags,
        };
        Result = new FileSeparator(
            _bag,
            (choice ?? new StemRequest()).Select(_bag.Contract.Stems),
            new SeparationOptions(),
            output
        ).Separate(new TrackSource(Source), cancellationToken: CancellationToken.None);
        return Result.Stems.ToDictionary(s => s.StemName, s => s.FilePath);
    }

    /// <summary>What the last separation gave.</summary>
    public SeparationResult? Result { get; private set; }

    /// <summary>All samples of a file, interleaved, as the product reads it.</summary>
    public static float[] Samples(string path)
    {
        using AudioReader reader = AudioFile.Open(path);
        Assert.Empty(reader.Warnings);
        return reader.ReadAll();
    }

    /// <summary>What ffprobe says of a file.</summary>
    public static JsonElement Probe(string path)
    {
        ProcessStartInfo info = new(
            ExternalTool.FindOrSkip("ffprobe"),
            ["-v", "error", "-show_format", "-show_streams", "-of", "json", "file:" + path]
        )
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(info)!;
        string json = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return JsonDocument.Parse(json).RootElement;
    }

    /// <summary>The tags that ffprobe finds: of the file or, in Ogg, of its stream.</summary>
    public static Dictionary<string, string> Tags(JsonElement probe) =>
        probe
            .GetProperty("streams")
            .EnumerateArray()
            .Take(1)
            .Prepend(probe.GetProperty("format"))
            .Where(e => e.TryGetProperty("tags", out _))
            .SelectMany(e => e.GetProperty("tags").EnumerateObject())
            .GroupBy(t => t.Name.ToLowerInvariant())
            .ToDictionary(g => g.Key, g => g.First().Value.GetString()!);

    public void Dispose()
    {
        _bag.Dispose();
        _folder.Dispose();
    }
}
