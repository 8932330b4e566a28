namespace DemucsPS.Engine.Audio;

/// <summary>Reads a part of a file as if it were all.</summary>
internal sealed class RangeReader : AudioReader
{
    private readonly AudioReader _reader;
    private readonly FrameRange _range;

    // Where the warnings of the file are in the list of this reader, which may have others between them.
    private readonly List<int> _places = [];
    private long _taken;
    private bool _ended;

    /// <summary>Goes to the first frame of the part.</summary>
    /// <param name="reader">The file at its first frame; closed with this object.</param>
    /// <param name="range">The part.</param>
    /// <param name="onDamage">What happens where the part's sound is lost. The reader itself passes over damage: what is outside of the
    /// part is none of it.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: the file ends before the part begins, or is damaged
    /// before it.</exception>
    public RangeReader(AudioReader reader, FrameRange range, DamageHandling onDamage = DamageHandling.Warn)
        : base(reader.SourcePath, onDamage)
    {
        _reader = reader;
        _range = range;
        long skipped = reader.Skip(range.Start);
        if (skipped < range.Start || (reader.FrameCount is { } frames && frames <= range.Start))
            throw new DemucsException(
                DemucsError.AudioTrackCorrupt,
                $"'{SourcePath}' ends after {skipped} frames, before the track that begins at frame {range.Start}. Check that the CUE sheet belongs to this file.",
                SourcePath
            );
        TakeWarnings();
    }

    /// <inheritdoc/>
    public override int SampleRate => _reader.SampleRate;

    /// <inheritdoc/>
    public override int Channels => _reader.Channels;

    /// <inheritdoc/>
    internal override IReadOnlyList<string> ChannelNames => _reader.ChannelNames;

    /// <inheritdoc/>
    public override long? FrameCount =>
        _reader.FrameCount is { } frames ? Math.Min(frames - _range.Start, _range.Length ?? long.MaxValue) : _range.Length;

    /// <inheritdoc/>
    public override string Codec => _reader.Codec;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Tags => _reader.Tags;

    /// <inheritdoc/>
    internal override string? Picture => _reader.Picture;

    /// <inheritdoc/>
    public override IReadOnlyList<TrackGap> Gaps => [.. _reader.Gaps.Select(gap => gap.Within(_range)).OfType<TrackGap>(), .. base.Gaps];

    /// <inheritdoc/>
    public override int Read(Span<float> interleaved)
    {
        int frames = (int)Math.Min(FramesIn(interleaved), (_range.Length ?? long.MaxValue) - _taken);
        int read = frames == 0 ? 0 : _reader.Read(interleaved[..(frames * Channels)]);
        _taken += read;
        bool isEnd = read == 0 && !_ended;
        if (isEnd)
        {
            _ended = true;
            TakeWarnings();
        }

        if (
            OnDamage == DamageHandling.Fail
            && (
                Gaps is [{ } gap, ..] ? $"{gap} are lost"
                : isEnd && frames > 0 && _reader.IsDamagedSomewhere ? "the place is unknown"
                : null
            )
                is { } damage
        )
            throw Refused($"'{SourcePath}' is damaged in the track that begins at frame {_range.Start}: {damage}.");
        if (isEnd && _taken < _range.Length)
        {
            string sentence =
                $"'{SourcePath}' ends {_range.Length - _taken} frames before the end of the track that begins at frame {_range.Start}.";
            if (Gaps.Any(missing => !missing.IsFilled))
                AddWarning(sentence);
            else
                LoseEnd(_taken, _range.Length - _taken, sentence);
        }

        return read;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _reader.Dispose();

    private void TakeWarnings()
    {
        // Those taken before may say more now.
        for (int i = 0; i < _places.Count; i++)
            ReplaceWarning(_places[i], _reader.Warnings[i]);
        foreach (string warning in _reader.Warnings.Skip(_places.Count))
            _places.Add(AddWarning(warning));
    }
}
