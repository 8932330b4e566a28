using System.Collections.ObjectModel;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// A forward-only stream of the frames of one audio file: interleaved 32-bit float samples, nominal range [-1, 1].
/// A frame is one sample of every channel.
/// </summary>
/// <remarks>
/// A reader belongs to one thread at a time. NaN samples are passed on unchanged: whoever measures the
/// track refuses them.
/// </remarks>
internal abstract class AudioReader : IDisposable
{
    private readonly List<string> _warnings = [];
    private readonly TrackGaps _gaps = new();

    // Where in the warnings the one about gaps is.
    private int? _gapWarning;

    /// <summary>Creates a reader for a file.</summary>
    /// <param name="sourcePath">The full path of the file, for messages.</param>
    /// <param name="onDamage">What happens where its sound is lost.</param>
    private protected AudioReader(string sourcePath, DamageHandling onDamage = DamageHandling.Warn)
    {
        SourcePath = sourcePath;
        OnDamage = onDamage;
        Warnings = new ReadOnlyCollection<string>(_warnings);
    }

    /// <summary>The full path of the file that is read.</summary>
    public string SourcePath { get; }

    /// <summary>Frames per second, 1 to 768,000.</summary>
    public abstract int SampleRate { get; }

    /// <summary>Channels in a frame, 1 to 64.</summary>
    public abstract int Channels { get; }

    /// <summary>What each channel is: FL, FR, FC, LFE, BL, BR, SL, SR and so on, or numbers from 1 if unknown.</summary>
    internal virtual IReadOnlyList<string> ChannelNames => Audio.ChannelNames.Usual(Channels);

    /// <summary>
    /// The number of frames that the container declares; null when it declares none, or a FLAC stream has changed its rate on the way. It
    /// is a claim of the file, not a promise: a file that is cut short delivers fewer, with a warning. Do not allocate memory by it.
    /// </summary>
    public abstract long? FrameCount { get; }

    /// <summary>
    /// The sample format as text, and the decoder if it is not this library: "PCM 16 bit", "FLAC 24 bit", "AIFF 16 bit via NAudio", "mp3
    /// via ffmpeg", "mp3 via Media Foundation".
    /// </summary>
    public abstract string Codec { get; }

    /// <summary>
    /// Messages for the user about oddities of a usable file. The list may grow while frames are
    /// read; it is complete once <see cref="Read"/> has returned 0.
    /// </summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>
    /// The parts of the file whose sound is lost, as far as known, in order; the first 1,000. Complete as <see cref="Warnings"/> are.
    /// </summary>
    public virtual IReadOnlyList<TrackGap> Gaps => _gaps.All;

    /// <summary>What happens where sound is lost.</summary>
    internal DamageHandling OnDamage { get; }

    /// <summary>Whether the sound is damaged in a way that no gap tells of.</summary>
    internal bool IsDamagedSomewhere { get; private set; }

    /// <summary>
    /// The file's tags; empty if it has none. The names are in lower case, and looked up in any case: title, artist, album, albumartist,
    /// date, track, disc, genre, comment, composer and others that the file may have. Several values of one field are joined by "; ".
    /// </summary>
    /// <remarks>
    /// Read from the VORBIS_COMMENT block of FLAC, ID3v2 and LIST/INFO chunks of WAV, ID3v2 and text chunks of AIFF, and everything else as
    /// ffmpeg knows it. At most 1,000 values, each of at most 64 KiB, and 1 MiB of text in all; what goes beyond is left out. There are no
    /// control characters in it but line feeds. Unreadable tags are a warning.
    /// </remarks>
    public abstract IReadOnlyDictionary<string, string> Tags { get; }

    /// <summary>
    /// Where ffmpeg finds the first picture of the file, as its option "-map 0:…" has it; null if there is none. There may be none anyway.
    /// </summary>
    internal virtual string? Picture => null;

    /// <summary>Reads the next frames.</summary>
    /// <param name="interleaved">
    /// Receives whole frames, channel after channel. Its length need not be a multiple of <see cref="Channels"/>; what is left
    /// over at its end stays untouched.
    /// </param>
    /// <returns>The number of frames read: as many as fit, fewer only at the end of the track, 0 when nothing is left.</returns>
    /// <exception cref="ArgumentException">The span contains not even one frame.</exception>
    /// <exception cref="ObjectDisposedException">The reader is disposed.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.AudioTrackCorrupt"/>: the file is damaged here, or reading from it failed.
    /// </exception>
    public abstract int Read(Span<float> interleaved);

    /// <summary>Moves forward; the frames that are skipped are decoded anyway where a format demands it.</summary>
    /// <returns>The number of frames skipped; fewer only when the track ends before.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: as <see cref="Read"/>.</exception>
    internal virtual long Skip(long frames)
    {
        const int BlockFrames = 4096;
        float[] block = new float[BlockFrames * Channels];
        long done = 0;
        while (done < frames && Read(block.AsSpan(0, (int)Math.Min(BlockFrames, frames - done) * Channels)) is > 0 and int read)
            done += read;
        return done;
    }

    /// <summary>Whether <see cref="Jump"/> is quick and lands where <see cref="Skip"/> would, as far as the file was read.</summary>
    internal virtual bool CanJump => false;

    /// <summary>
    /// Moves forward in a file that was read to its end by another reader, which said <see cref="CanJump"/> then: what lies between is not
    /// decoded.
    /// </summary>
    /// <returns>As <see cref="Skip"/>.</returns>
    internal virtual long Jump(long frames) => Skip(frames);

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    /// <param name="disposing">Always true: readers have no finalizer.</param>
    protected abstract void Dispose(bool disposing);

    /// <summary>Adds a sentence to <see cref="Warnings"/>.</summary>
    /// <returns>Its place in the list.</returns>
    internal int AddWarning(string sentence)
    {
        _warnings.Add(sentence);
        return _warnings.Count - 1;
    }

    /// <summary>Notes that sound is lost and silence is given in its place.</summary>
    /// <param name="startFrame">The first frame of it.</param>
    /// <param name="frames">How many; at least 1.</param>
    /// <param name="damage">What is damaged, as the end of a sentence.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: damage is not to be passed over.</exception>
    private protected void FillGap(long startFrame, long frames, string damage)
    {
        TrackGap gap = new(startFrame, frames, SampleRate, IsFilled: true);
        if (OnDamage == DamageHandling.Fail)
            throw Refused($"'{SourcePath}' is damaged: {damage}. {gap} are lost.");
        _gaps.Add(gap, damage);
        if (_gapWarning is { } place)
            ReplaceWarning(place, _gaps.Sentence(SourcePath));
        else
            _gapWarning = AddWarning(_gaps.Sentence(SourcePath));
    }

    /// <summary>Notes that a file ends before its sound does.</summary>
    /// <param name="startFrame">The first frame that is missing.</param>
    /// <param name="frames">How many are; null if unknown.</param>
    /// <param name="sentence">What the user should know.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: damage is not to be passed over.</exception>
    private protected void LoseEnd(long startFrame, long? frames, string sentence)
    {
        LoseSomething(sentence);
        if (frames > 0)
            _gaps.Add(new TrackGap(startFrame, frames.Value, SampleRate, IsFilled: false), "");
    }

    /// <summary>Notes that sound is lost or wrong, at an unknown place or to an unknown extent.</summary>
    /// <param name="sentence">What the user should know.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: damage is not to be passed over.</exception>
    private protected void LoseSomething(string sentence)
    {
        if (OnDamage == DamageHandling.Fail)
            throw Refused(sentence);
        IsDamagedSomewhere = true;
        AddWarning(sentence);
    }

    /// <summary>The error for damage that is not to be passed over.</summary>
    private protected DemucsException Refused(string sentence) =>
        new(DemucsError.AudioTrackCorrupt, sentence, SourcePath) { Remedies = [Remedy.PassOverDamage] };

    /// <summary>The <see cref="Picture"/> of a file without video.</summary>
    private protected static string? PictureOf(AudioTagBuilder tags) => tags.MayHavePicture ? "v:0" : null;

    /// <summary>Puts a sentence that says more in the place of an earlier one.</summary>
    private protected void ReplaceWarning(int place, string sentence) => _warnings[place] = sentence;

    /// <summary>Adds a sentence about damaged tags to <see cref="Warnings"/>, if they are.</summary>
    private protected void WarnAbout(AudioTagBuilder tags)
    {
        if (tags.IsDamaged)
            AddWarning($"The tags of '{SourcePath}' are damaged: title, artist and other tags may be missing. The audio is not affected.");
    }

    /// <summary>How many whole frames fit into a caller's span.</summary>
    private protected int FramesIn(Span<float> interleaved)
    {
        int frames = interleaved.Length / Channels;
        return frames > 0
            ? frames
            : throw new ArgumentException(
                $"The span has room for {interleaved.Length} samples, but a frame has {Channels}.",
                nameof(interleaved)
            );
    }
}
