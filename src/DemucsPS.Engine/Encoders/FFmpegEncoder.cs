using System.Diagnostics;
using System.Globalization;
using System.Text;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Audio.Pcm;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Encoders;

/// <summary>
/// Encodes with ffmpeg as a child process: samples go into a pipe, tags and the picture come from files in a private temporary folder, and
/// ffmpeg writes the file.
/// </summary>
internal sealed class FFmpegEncoder : IStemEncoder
{
    private const int BlockSamples = 32768;

    // After the last sample an encoder has little left to do; the index of a long file takes a moment on a slow disk.
    private static readonly TimeSpan s_endTimeout = TimeSpan.FromMinutes(5);

    private readonly StemFormat _format;
    private readonly string _path;
    private readonly IReadOnlyList<string> _stems;
    private readonly PcmPacker _packer;
    private readonly byte[] _block;
    private readonly DirectoryInfo _inputs;
    private readonly Process _process;
    private readonly FFmpegLog _log;
    private readonly Stream _pipe;
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenRegistration _kill;

    // What is put into the file when ffmpeg has written it.
    private byte[] _picture = [];
    private bool _hasSeveralValues;
    private bool _completed;

    private FFmpegEncoder(
        StemFormat format,
        string ffmpeg,
        string path,
        int sampleRate,
        int channels,
        int? ditherSeed,
        StemLabels labels,
        IReadOnlyList<string> stems,
        CancellationToken cancellationToken
    )
    {
        _format = format;
        _path = path;
        _stems = stems;
        _cancellationToken = cancellationToken;
        PcmPacking packing =
            !format.IsLossless ? PcmPacking.Float32
            : format.Sample == WavSampleFormat.Pcm16 ? PcmPacking.Int16
            : PcmPacking.Int24In32;
        _packer = new PcmPacker(path, packing, ditherSeed);
        _block = new byte[BlockSamples * _packer.SampleBytes];
        try
        {
            _inputs = Directory.CreateTempSubdirectory("demucsps-");
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw Failed(
                $"its tags cannot be written to the temporary folder: {e.Message}",
                "Check the folder that TMPDIR or TEMP names",
                e
            );
        }
        try
        {
            _process = FFmpegReader.Start(path, ffmpeg, Arguments(packing, sampleRate, channels, WriteInputs(labels)), keepInput: true);
        }
        catch
        {
            DeleteInputs();
            throw;
        }
        _log = new FFmpegLog(_process.StandardError.BaseStream);
        _pipe = _process.StandardInput.BaseStream;
        // A write to a process that hangs would never return; when it is dead, it fails.
        _kill = cancellationToken.Register(() => FFmpegReader.Kill(_process, _log));
    }

    /// <inheritdoc/>
    public long ClippedSamples => _packer.ClippedSamples;

    /// <summary>Starts ffmpeg; see <see cref="StemEncoder.Create"/>.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.FFmpegNotFound"/> or <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static FFmpegEncoder Start(
        StemFormat format,
        string ffmpeg,
        string path,
        int sampleRate,
        int channels,
        int? ditherSeed,
        StemLabels labels,
        IReadOnlyList<string> stems,
        CancellationToken cancellationToken
    ) => new(format, ffmpeg, path, sampleRate, channels, ditherSeed, labels, stems, cancellationToken);

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<float> interleaved, float gain)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        while (!interleaved.IsEmpty)
        {
            ReadOnlySpan<float> part = interleaved[..Math.Min(BlockSamples, interleaved.Length)];
            Span<byte> bytes = _block.AsSpan(0, part.Length * _packer.SampleBytes);
            _packer.Pack(part, gain, bytes);
            try
            {
                _pipe.Write(bytes);
            }
            catch (IOException e)
            {
                throw Ended(e);
            }
            interleaved = interleaved[part.Length..];
        }
    }

    /// <inheritdoc/>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        _completed = true;
        try
        {
            _pipe.Dispose();
        }
        catch (IOException e)
        {
            throw Ended(e);
        }
        if (!_process.WaitForExit(s_endTimeout))
        {
            FFmpegReader.Kill(_process, _log);
            throw Failed("ffmpeg does not exit", "Try again, or use another ffmpeg", null);
        }
        if (_process.ExitCode != 0)
            throw Ended(null);
        _cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using FileStream file = RefusalPatience.System.Do(() =>
                new FileStream(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read)
            );
            if (file.Length == 0)
                throw Failed("ffmpeg wrote nothing", "Try again, or use another ffmpeg", null);
            if (_format.File == StemFileFormat.StemMp4)
                StemAtom.Append(file, _path, _stems);
            if (_picture.Length > 0)
                PictureWriter.Fill(file, _path, _format.File, _picture);
            if (_hasSeveralValues)
                MultiValueField.Split(file, _path, _format.File);
            file.Flush(flushToDisk: true);
        }
        catch (FileNotFoundException e)
        {
            throw Failed("ffmpeg wrote nothing", "Try again, or use another ffmpeg", e);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw Failed(e.Message, "Check that the disk is connected and has free space", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kill.Dispose();
        FFmpegReader.Kill(_process, _log);
        try
        {
            _pipe.Dispose();
        }
        catch (IOException)
        {
            // What was left in it belongs to a file that is thrown away.
        }
        _process.Dispose();
        DeleteInputs();
    }

    // Input 0 is the samples, 1 the tags and 2 the picture, if there is one.
    private string[] Arguments(PcmPacking packing, int sampleRate, int channels, string? cover) =>
        [
            "-v",
            "level+warning",
            .. SampleInput(packing, sampleRate, channels),
            "-f",
            "ffmetadata",
            "-i",
            "file:" + TagFile,
            .. cover is null ? [] : CoverInput(cover),
            // "-bitexact" keeps the version of ffmpeg and the time out of the file: equal input gives equal files.
            "-map_metadata",
            "1",
            "-bitexact",
            .. _picture.Length > 0 ? (string[])["-metadata_header_padding", Invariant(_picture.Length)] : [],
            .. _format.IsOneFile ? StemStreams(channels) : ["-map", "0:a"],
            .. cover is null ? [] : CoverStream(),
            .. EncoderOptions(packing),
            .. ContainerOptions(sampleRate),
            "-n",
            "file:" + _path,
        ];

    private string[] SampleInput(PcmPacking packing, int sampleRate, int channels) =>
        [
            "-f",
            packing switch
            {
                PcmPacking.Int16 => "s16le",
                PcmPacking.Int24In32 => "s32le",
                _ => "f32le",
            },
            "-ar",
            Invariant(sampleRate),
            "-ac",
            Invariant(_format.IsOneFile ? channels * _stems.Count : channels),
            "-i",
            "pipe:0",
        ];

    private static string[] CoverInput(string cover) =>
        [
            "-f",
            "image2pipe",
            "-c:v",
            Path.GetExtension(cover) switch
            {
                ".png" => "png",
                ".bmp" => "bmp",
                _ => "mjpeg",
            },
            "-i",
            "file:" + cover,
        ];

    // A stream of each stem, cut out of the channels of the one input.
    private string[] StemStreams(int channels)
    {
        IEnumerable<string> cuts = _stems.Select(
            (_, i) => channels == 1 ? $"[0:a]pan=mono|c0=c{i}[s{i}]" : $"[0:a]pan=stereo|c0=c{2 * i}|c1=c{2 * i + 1}[s{i}]"
        );
        return
        [
            "-filter_complex",
            string.Join(';', cuts),
            .. _stems.SelectMany(
                (stem, i) =>
                    (string[])
                        ["-map", $"[s{i}]", $"-metadata:s:a:{i}", "title=" + stem, $"-disposition:a:{i}", i == 0 ? "default" : "0"]
            ),
        ];
    }

    private static string[] CoverStream() =>
        ["-map", "2:v", "-c:v", "copy", "-disposition:v:0", "attached_pic", "-metadata:s:v:0", "comment=Cover (front)"];

    private string[] EncoderOptions(PcmPacking packing) =>
        [
            "-c:a",
            FFmpegEncoders.NameOf(_format.File),
            .. packing == PcmPacking.Int24In32 ? (string[])["-bits_per_raw_sample", "24"] : [],
            .. _format.Quality is { } quality ? (string[])["-q:a", Invariant(quality)]
                : _format.IsLossless ? []
                : ["-b:a", Invariant(_format.BitRateInEffect) + "k"],
        ];

    private string[] ContainerOptions(int sampleRate) =>
        _format.File switch
        {
            StemFileFormat.Flac => ["-compression_level", "8", "-f", "flac"],
            // Version 2.3 is what Windows and car radios read.
            StemFileFormat.Mp3 => ["-id3v2_version", "3", "-f", "mp3"],
            StemFileFormat.Opus => ["-f", "opus"],
            // In steps of a frame, or the edit list that takes the delay of the encoder out would cut the end to a millisecond.
            StemFileFormat.StemMp4 => ["-movie_timescale", Invariant(sampleRate), "-f", "mp4"],
            _ => ["-movie_timescale", Invariant(sampleRate), "-f", "ipod"],
        };

    private string TagFile => Path.Combine(_inputs.FullName, "tags");

    /// <summary>Writes the tags, and gives the picture's file if ffmpeg is to take it from there.</summary>
    private string? WriteInputs(StemLabels labels)
    {
        IEnumerable<KeyValuePair<string, string>> tags = labels.Tags.Keys.Select(field =>
            MultiValueField.ForFFmpeg(_format.File, field, TrackTags.ValuesOf(labels.Tags, field))
        );
        _hasSeveralValues = labels.Tags.Keys.Any(field => TrackTags.ValuesOf(labels.Tags, field).Count > 1);
        string? cover = null;
        // ffmpeg puts no pictures into Ogg files; there they are a tag.
        if (labels.Cover is not null && _format.File == StemFileFormat.Opus)
            tags = tags.Append(new("METADATA_BLOCK_PICTURE", Convert.ToBase64String(labels.Cover.ToPictureBlock())));
        else if (
            labels.Cover is { Kind: PictureKind.Jpeg or PictureKind.Png }
            || _format.File is not (StemFileFormat.Flac or StemFileFormat.Mp3)
        )
            cover = labels.Cover is null
                ? null
                : Path.Combine(
                    _inputs.FullName,
                    "cover"
                        + labels.Cover.Kind switch
                        {
                            PictureKind.Png => ".png",
                            PictureKind.Bmp => ".bmp",
                            _ => ".jpg",
                        }
                );
        else if (labels.Cover is not null)
            _picture = PictureWriter.Bytes(labels.Cover, _format.File);
        try
        {
            if (cover is not null)
                File.WriteAllBytes(cover, labels.Cover!.Data.Span);
            File.WriteAllText(TagFile, FFMetadata.Of(tags), new UTF8Encoding(false));
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw Failed(
                $"its tags cannot be written to the temporary folder: {e.Message}",
                "Check the folder that TMPDIR or TEMP names",
                e
            );
        }
        return cover;
    }

    private void DeleteInputs()
    {
        try
        {
            _inputs.Delete(recursive: true);
        }
        catch (Exception e) when (e.IsFileError())
        {
            // The system's temporary folder is swept by the system.
        }
    }

    /// <summary>ffmpeg has ended before its time, or with an error.</summary>
    private Exception Ended(Exception? cause)
    {
        _process.WaitForExit(TimeSpan.FromSeconds(5));
        string code =
            !_process.HasExited ? "ffmpeg accepts no more samples"
            : _process.ExitCode == 0 ? "ffmpeg ended before it had taken all samples"
            : $"ffmpeg failed with exit code {_process.ExitCode}";
        FFmpegReader.Kill(_process, _log);
        if (_cancellationToken.IsCancellationRequested)
            return new OperationCanceledException(_cancellationToken);
        string words = _log.Errors;
        // Builds between versions do not say how old they are.
        string remedy = words.Contains("Unrecognized option", StringComparison.Ordinal)
            ? $"Install a newer ffmpeg: {FFmpegEncoders.LeastFor(_format.File)} or newer is needed"
            : "Check that the disk has free space, or choose another format";
        return Failed($"{code}.{(words.Length > 0 ? $" ffmpeg reports: {words}" : "")}".TrimEnd('.'), remedy, cause);
    }

    private DemucsException Failed(string what, string remedy, Exception? cause) =>
        new(DemucsError.StemWriteFailed, $"'{_path}' cannot be written as {_format.File}: {what}. {remedy}.", _path, cause);

    private static string Invariant(int number) => number.ToString(CultureInfo.InvariantCulture);
}
