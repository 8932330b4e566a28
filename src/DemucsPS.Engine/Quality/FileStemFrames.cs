using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Quality;

/// <summary>References and estimates in files, frame after frame at the same time.</summary>
internal sealed class FileStemFrames : IStemFrames
{
    private readonly Signal[] _references;
    private readonly Signal[] _estimates;
    private readonly Signal? _mix;

    /// <summary>Opens all files.</summary>
    /// <param name="stems">Of each stem its references, which are summed up, and its estimate; null for none.</param>
    /// <param name="mixPath">Full path of the mix that the estimates' sum is compared with; null for none.</param>
    /// <exception cref="DemucsException">A file cannot be read; <see cref="DemucsError.StemsNotComparable"/>: their rates or channels
    /// differ.</exception>
    public FileStemFrames(IReadOnlyList<(IReadOnlyList<TrackSource> References, TrackSource? Estimate)> stems, string? mixPath)
    {
        List<Signal> opened = [];
        try
        {
            _references = [.. stems.Select(s => Open(s.References))];
            _estimates = [.. stems.Select(s => Open(s.Estimate is null ? [] : [s.Estimate]))];
            _mix = mixPath is null ? null : Open([new TrackSource(mixPath)]);
            AudioReader[] readers = [.. opened.SelectMany(s => s.Readers)];
            AudioReader first = readers[0];
            Channels = readers.Max(r => r.Channels);
            SampleRate = first.SampleRate;
            if (readers.FirstOrDefault(r => r.SampleRate != first.SampleRate) is { } other)
            {
                throw NotComparable(
                    other,
                    $"'{other.SourcePath}' has a sample rate of {other.SampleRate} Hz, but '{first.SourcePath}' has {first.SampleRate} Hz. "
                        + $"Only stems with the same rate can be compared. Separate at {SampleRate} Hz, or convert the references: ffmpeg -i IN -ar {other.SampleRate} OUT."
                );
            }
            if (readers.FirstOrDefault(r => r.Channels != Channels && r.Channels != 1) is { } narrow)
            {
                AudioReader wide = readers.First(r => r.Channels == Channels);
                throw NotComparable(
                    narrow,
                    $"'{narrow.SourcePath}' has {narrow.Channels} channels, but '{wide.SourcePath}' has {wide.Channels}. Only stems with the same number of channels, or with one, can be compared."
                );
            }
        }
        catch
        {
            foreach (Signal signal in opened)
                signal.Dispose();
            throw;
        }

        Signal Open(IReadOnlyList<TrackSource> sources)
        {
            Signal signal = new();
            opened.Add(signal);
            foreach (TrackSource source in sources)
                signal.Readers.Add(AudioFile.Open(source));
            return signal;
        }

        static DemucsException NotComparable(AudioReader reader, string message) =>
            new(DemucsError.StemsNotComparable, message, reader.SourcePath);
    }

    /// <summary>Channels of each stem.</summary>
    public int Channels { get; }

    /// <summary>Frames per second.</summary>
    public int SampleRate { get; }

    /// <summary>Whether nothing was read yet.</summary>
    public bool IsUnread { get; private set; } = true;

    /// <summary>How far the sum of the estimates is from the mix, as far as both were read.</summary>
    public (double Mix, double Residual) NullTest { get; private set; }

    /// <summary>Sentences about the files; complete once all is read.</summary>
    public IEnumerable<string> Warnings => All.SelectMany(s => s.Readers).SelectMany(r => r.Warnings).Distinct();

    private IEnumerable<Signal> All => _mix is null ? [.. _references, .. _estimates] : [.. _references, .. _estimates, _mix];

    /// <inheritdoc/>
    public int Read(Span<double> references, Span<double> estimates, int lanes)
    {
        IsUnread = false;
        int wanted = references.Length / lanes,
            frames = 0;
        for (int stem = 0; stem < _references.Length; stem++)
            frames = Math.Max(frames, _references[stem].Read(references[(stem * Channels)..], lanes, Channels, wanted));
        // What an estimate has beyond the references is not looked at, but that there is something should be known.
        for (int stem = 0; stem < _estimates.Length; stem++)
            _estimates[stem].Read(estimates[(stem * Channels)..], lanes, Channels, frames == 0 ? 1 : frames);
        if (_mix is not null && frames > 0)
            Compare(estimates, lanes, frames);
        return frames;
    }

    /// <summary>Sentences about stems that are longer or shorter than the references, once all is read.</summary>
    /// <param name="frames">Length of the references.</param>
    public IEnumerable<string> LengthWarnings(long frames)
    {
        foreach (AudioReader reader in _references.Concat(_estimates).SelectMany(s => s.Readers.Where((_, i) => s.Frames[i] != frames)))
        {
            Signal signal = All.First(s => s.Readers.Contains(reader));
            long length = signal.Frames[signal.Readers.IndexOf(reader)];
            yield return length < frames
                ? $"'{reader.SourcePath}' ends {frames - length} frames before the references. The missing frames count as zeros."
                : $"'{reader.SourcePath}' is longer than the references. The rest is ignored.";
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Signal signal in All)
            signal.Dispose();
    }

    private void Compare(ReadOnlySpan<double> estimates, int lanes, int frames)
    {
        double[] mix = new double[frames * Channels];
        _mix!.Read(mix, Channels, Channels, frames);
        (double all, double residual) = NullTest;
        for (int frame = 0; frame < frames; frame++)
        {
            for (int channel = 0; channel < Channels; channel++)
            {
                double sum = 0,
                    expected = mix[frame * Channels + channel];
                for (int stem = 0; stem < _estimates.Length; stem++)
                    sum += estimates[frame * lanes + stem * Channels + channel];
                all += expected * expected;
                residual += (sum - expected) * (sum - expected);
            }
        }
        NullTest = (all, residual);
    }

    /// <summary>A file, or the sum of several; nothing is silence.</summary>
    private sealed class Signal : IDisposable
    {
        private float[] _block = [];

        public List<AudioReader> Readers { get; } = [];

        public List<long> Frames { get; } = [];

        /// <summary>Fills frames, with zeros after the end.</summary>
        /// <returns>Frames that any file has.</returns>
        public int Read(Span<double> to, int stride, int channels, int wanted)
        {
            for (int frame = 0; frame < wanted; frame++)
                to.Slice(frame * stride, channels).Clear();
            int most = 0;
            for (int i = 0; i < Readers.Count; i++)
            {
                AudioReader reader = Readers[i];
                if (Frames.Count == i)
                    Frames.Add(0);
                int own = reader.Channels,
                    step = own == 1 ? 0 : 1;
                if (_block.Length < wanted * own)
                    _block = new float[wanted * own];
                int done = 0;
                for (int count; done < wanted && (count = reader.Read(_block.AsSpan(done * own, (wanted - done) * own))) > 0;)
                    done += count;
                for (int frame = 0; frame < done; frame++)
                {
                    for (int channel = 0; channel < channels; channel++)
                    {
                        float sample = _block[frame * own + channel * step];
                        if (!float.IsFinite(sample))
                            throw new DemucsException(
                                DemucsError.AudioTrackCorrupt,
                                $"'{reader.SourcePath}' has NaN samples at frame {Frames[i] + frame}. Export the file again.",
                                reader.SourcePath
                            );
                        to[frame * stride + channel] += sample;
                    }
                }
                Frames[i] += done;
                most = Math.Max(most, done);
            }
            return most;
        }

        public void Dispose()
        {
            foreach (AudioReader reader in Readers)
                reader.Dispose();
        }
    }
}
