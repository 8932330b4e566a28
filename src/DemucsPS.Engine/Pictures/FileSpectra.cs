using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Pictures;

/// <summary>The spectra of a file at its own rate.</summary>
/// <param name="track">The file, and what of it.</param>
internal sealed class FileSpectra(TrackSource track) : SampledSpectra
{
    // Readers of two channels give no others; files with other rates are brought to the nearest.
    private const int MinRate = 8_000,
        MaxRate = 384_000;

    private int _rate;
    private long _frames;

    // Those of each time that the file was read; a list may grow until its reading ends.
    private readonly List<IReadOnlyList<string>> _warnings = [];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Warnings => [.. _warnings.SelectMany(w => w).Distinct()];

    /// <inheritdoc/>
    protected override int Rate => _rate;

    /// <inheritdoc/>
    protected override long Frames => _frames;

    /// <inheritdoc/>
    public override void Open(CancellationToken cancellationToken)
    {
        using StereoTrackReader reader = OpenReader();
        _rate = reader.SampleRate;
        _frames = reader.FrameCount ?? Count(reader, cancellationToken);
        if (_frames == 0)
            throw new DemucsException(
                DemucsError.AudioTrackCorrupt,
                $"'{track.Path}' has no frames. Fetch or export the file again.",
                track.Path
            );
    }

    /// <inheritdoc/>
    protected override IDisposable? OpenAt(long frame, CancellationToken cancellationToken, out IStereoSource source)
    {
        StereoTrackReader reader = OpenReader();
        try
        {
            float[] left = new float[1 << 14],
                right = new float[1 << 14];
            while (
                frame > 0
                && reader.Read(left.AsSpan(0, (int)Math.Min(left.Length, frame)), right.AsSpan(0, (int)Math.Min(left.Length, frame)))
                    is > 0
                        and int read
            )
            {
                cancellationToken.ThrowIfCancellationRequested();
                frame -= read;
            }
            _warnings.Add(reader.Warnings);
            source = new Finite(reader, track.Path);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override void EndedAt(long frames) => _frames = frames;

    private static long Count(StereoTrackReader reader, CancellationToken cancellationToken)
    {
        float[] left = new float[1 << 14],
            right = new float[1 << 14];
        long count = 0;
        while (reader.Read(left, right) is > 0 and int read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            count += read;
        }
        return count;
    }

    private StereoTrackReader OpenReader()
    {
        AudioReader reader = AudioFile.Open(track);
        return StereoTrackReader.Over(reader, track, Math.Clamp(reader.SampleRate, MinRate, MaxRate));
    }

    /// <summary>Refuses samples that are not numbers, as those who measure a track do.</summary>
    private sealed class Finite(StereoTrackReader reader, string path) : IStereoSource
    {
        public int Read(Span<float> left, Span<float> right)
        {
            int read = reader.Read(left, right);
            for (int i = 0; i < read; i++)
            {
                if (!float.IsFinite(left[i]) || !float.IsFinite(right[i]))
                    throw new DemucsException(
                        DemucsError.AudioTrackCorrupt,
                        $"'{path}' has samples that are NaN or infinite. Export the file again.",
                        path
                    );
            }
            return read;
        }
    }
}
