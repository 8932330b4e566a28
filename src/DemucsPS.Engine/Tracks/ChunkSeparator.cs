using System.Diagnostics;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Tracks;

/// <summary>
/// Separates chunks one by one, of any number of tracks: the middle of <see cref="Separator"/> by itself, with the same results bit for
/// bit. Chunks are
/// started as long as there is room, and taken in the order in which they were started. Not thread-safe. Dispose it before its models.
/// </summary>
public sealed class ChunkSeparator : IDisposable
{
    // 256 MB of stem chunks. Large arrays are collected with the oldest generation only, and that the rarer the more memory the stems take
    // that are being joined; without a hint the chunks that were long blended take several times the memory of the stems. The collection
    // goes on in the background.
    private const long FramesBetweenCollections = (256L << 20) / 16;

    private readonly ModelBag _bag;
    private readonly ChunkAttempts _attempts;
    private readonly IReadOnlyList<string> _names;
    private readonly int[] _workerStem;
    private readonly ChunkQueue<Job> _queue;
    private long _framesGiven;

    /// <summary>Prepares separations.</summary>
    /// <param name="bag">The models, which are loaded now if they are not; owned by the caller.</param>
    /// <param name="stems">Names of the stems to give, in this order; null or empty for all.</param>
    /// <param name="jobs">Chunks that run at once, 1 to 256.</param>
    /// <param name="retries">How often a failed run is repeated, 0 to 100.</param>
    /// <param name="cancellationToken">Ends all runs, also in the middle.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: no such stem, or a number out of range. Or a model
    /// cannot be loaded, as in <see cref="ModelBag.Load(CancellationToken)"/>.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public ChunkSeparator(ModelBag bag, IReadOnlyCollection<string>? stems, int jobs, int retries, CancellationToken cancellationToken)
    {
        new SeparationOptions { Jobs = jobs, RetryCount = retries }.Check();
        StemMatrix selection = StemMatrix.Choose(bag.Contract.Stems, stems);
        bag.Load(cancellationToken);
        _bag = bag;
        _attempts = new ChunkAttempts(retries, bag.BatchesAtOnce(jobs) + 1);
        _names = selection.Names;
        // Workers know the stems in the model's order.
        _workerStem = [.. selection.Rows.Select(row => selection.ModelStems.ToList().IndexOf(row.Stems[0].Stem))];
        _queue = new ChunkQueue<Job>(bag, selection.ModelStems, jobs, keepTimeBranch: bag.ShowsBranches, cancellationToken);
    }

    /// <summary>Chunks that were started and not taken.</summary>
    public int Count => _queue.Count;

    /// <summary>Whether a chunk must be taken before another can be started.</summary>
    public bool IsFull => _queue.IsFull;

    /// <summary>Called before each attempt, with its number: lets tests make attempts fail.</summary>
    internal Action<AudioChunk, int>? Attempting { get; init; }

    /// <summary>Starts a chunk; there must be room.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ChunkLengthMismatch"/>: it was cut to another length than the model
    /// takes.</exception>
    public void Start(AudioChunk chunk) => Start(new Job(chunk, null));

    /// <summary>
    /// Starts a chunk by its spectrogram. Unedited, it is the same as the chunk. Edited, the model gets the edited spectrogram, and next to
    /// it the chunk's waveform
    /// with the inverse spectrogram of the change added, so that its two inputs agree; a model that takes a waveform only gets that.
    /// </summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ChunkLengthMismatch"/>: it was cut to another length than the model
    /// takes.</exception>
    public void Start(ChunkSpectrogram spectrogram) => Start(new Job(spectrogram.Chunk, spectrogram));

    /// <summary>Waits for the oldest chunk.</summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public ChunkResult Take()
    {
        ChunkResult? result = null;
        _queue.TakeOldest((job, _) => result = job.Result);
        _framesGiven += (long)result!.Stems.Count * result.Chunk.Length;
        if (_framesGiven >= FramesBetweenCollections)
        {
            _framesGiven = 0;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
        return result;
    }

    /// <summary>Ends what runs and waits for it.</summary>
    public void Dispose()
    {
        _queue.Dispose();
        _attempts.Dispose();
    }

    private void Start(Job job)
    {
        if (job.Chunk.SegmentFrames != _bag.Contract.SegmentFrames)
        {
            throw new DemucsException(
                DemucsError.ChunkLengthMismatch,
                $"{job.Chunk} has segments of {job.Chunk.SegmentFrames} frames, but the model '{_bag.Name}' needs {_bag.Contract.SegmentFrames}. Split the track again with that length.",
                job.Chunk.Track.SourcePath
            );
        }
        _queue.Start(
            job,
            new ChunkPlace(job.Chunk.Index, 0, job.Chunk.Count, AllCome: false),
            static _ => { },
            (worker, stop) => job.Result = Run(job, worker, stop)
        );
    }

    private ChunkResult Run(Job job, ChunkWorker worker, CancellationToken cancellationToken)
    {
        AudioChunk chunk = job.Chunk;
        bool normalizes = _bag.Contract.NormalizesMix;
        MixNormalization normalization = normalizes ? chunk.Track.Normalization : MixNormalization.None;
        float[] change = job.Spectrogram?.Change(normalizes) ?? [];
        List<string> failures = [];
        ChunkResult? result = null;
        try
        {
            _attempts.Run(
                chunk.ToString(),
                failures,
                attempt =>
                {
                    long started = Stopwatch.GetTimestamp();
                    Attempting?.Invoke(chunk, attempt);
                    chunk.CopySegment(normalization, worker.InputLeft, worker.InputRight);
                    worker.Separate(change, cancellationToken);
                    StemChunkRun run = new(
                        _bag.Name,
                        _bag.IsDemucs,
                        _bag.ExecutionProvider,
                        _bag.Precision,
                        _names,
                        Stopwatch.GetElapsedTime(started),
                        attempt
                    );
                    result = new ChunkResult(chunk, [.. _names.Select((name, n) => Collect(name, _workerStem[n]))], failures, null);

                    StemChunk Collect(string name, int n) =>
                        new(
                            chunk,
                            name,
                            run,
                            normalization,
                            [Own(worker.Left(n)), Own(worker.Right(n))],
                            _bag.ShowsBranches ? [Own(worker.TimeLeft(n)), Own(worker.TimeRight(n))] : null
                        );
                },
                cancellationToken
            );
            return result!;
        }
        catch (DemucsException e)
        {
            return new ChunkResult(chunk, [], failures, e);
        }

        float[] Own(ReadOnlySpan<float> segment) => segment.Slice(chunk.Span.Trim, chunk.Length).ToArray();
    }

    private sealed class Job(AudioChunk chunk, ChunkSpectrogram? spectrogram)
    {
        public AudioChunk Chunk => chunk;

        public ChunkSpectrogram? Spectrogram => spectrogram;

        public ChunkResult? Result { get; set; }
    }
}
