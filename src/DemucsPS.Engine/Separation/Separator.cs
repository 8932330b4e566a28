using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Chunking;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Separates one track, streaming: chunks are read, separated (several at once if asked), blended in the order of their offsets and handed
/// to a sink as
/// soon as they are final, while the next ones are in the model. Memory depends on the segment, the number of stems, shifts and jobs, never
/// on the track's length. For equal input and options
/// the result is the same bit for bit, whatever the number of jobs.
/// </summary>
internal sealed class Separator
{
    private const int BlockFrames = 16384;

    private readonly ModelBag _bag;
    private readonly StemMatrix _selection;
    private readonly SeparationOptions _options;
    private readonly int _segment;

    /// <summary>Prepares separations.</summary>
    /// <param name="bag">The models, loaded or not; owned by the caller.</param>
    /// <param name="selection">The outputs wanted.</param>
    /// <param name="options">How to cut, shift and blend.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: an option is out of range, or does not fit the
    /// models.</exception>
    public Separator(ModelBag bag, StemMatrix selection, SeparationOptions options)
    {
        options.Check();
        _segment = options.SegmentFrames(bag.Contract);
        _bag = bag;
        _selection = selection;
        _options = options;
    }

    /// <summary>Receives what the workers come to, on their threads: lets tests hold them there.</summary>
    internal Action<ChunkStep>? Observe { get; init; }

    /// <summary>Chunks that a track of that length takes, over all shifts.</summary>
    /// <param name="frames">Length in frames, at least 1.</param>
    public int CountChunks(long frames) => Schedule(frames).Sum(view => view.Plan.Count);

    /// <summary>Separates a track.</summary>
    /// <param name="source">The track at its start, at <see cref="DemucsAudio.SampleRate"/>.</param>
    /// <param name="path">Its file, for messages.</param>
    /// <param name="statistics">What the first pass found.</param>
    /// <param name="sink">Takes the outputs; called on this thread.</param>
    /// <param name="chunkDone">Receives the number of chunks blended so far, after each and after the sink has got the frames that are
    /// final with it; called on this thread.</param>
    /// <param name="cancellationToken">Ends the separation, also in the middle of a chunk.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">The source changed since the first pass, or a model failed.</exception>
    public void Separate(
        IStereoSource source,
        string path,
        TrackStatistics statistics,
        IStemSink sink,
        Action<int>? chunkDone,
        CancellationToken cancellationToken
    ) => Separate(source, path, statistics, sink, chunkDone, 0, null, null, cancellationToken);

    /// <summary>
    /// As the public one, from a frame on: the sink gets the frames from there, the same bit for bit, and chunks that end before it are not
    /// run.
    /// </summary>
    /// <param name="source">The track at its start.</param>
    /// <param name="path">Its file, for messages.</param>
    /// <param name="statistics">What the first pass found.</param>
    /// <param name="sink">Takes the outputs; called on this thread.</param>
    /// <param name="chunkDone">Receives the number of chunks blended so far, those of the earlier run included, after each; called on this
    /// thread.</param>
    /// <param name="firstFrame">The first frame wanted.</param>
    /// <param name="retried">Receives chunks that needed more than one attempt, after they were blended; called on this thread.</param>
    /// <param name="begun">Called on this thread when the first chunks are under way: time for what need not be done before.</param>
    /// <param name="cancellationToken">Ends the separation, also in the middle of a chunk.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">The source changed since the first pass, or a chunk failed at every attempt.</exception>
    internal void Separate(
        IStereoSource source,
        string path,
        TrackStatistics statistics,
        IStemSink sink,
        Action<int>? chunkDone,
        long firstFrame,
        Action<ChunkRetry>? retried,
        Action? begun,
        CancellationToken cancellationToken
    )
    {
        _bag.Load(cancellationToken);
        MixNormalization normalization = _bag.Contract.NormalizesMix
            ? MixNormalization.Create(statistics.Mean, statistics.Deviation)
            : MixNormalization.None;
        View[] views = Schedule(statistics.Frames);
        RecordedMix? mix = _selection.UsesMix ? new RecordedMix(source, firstFrame) : null;
        MeasuredSource measured = new(mix ?? source, path, statistics.Frames);
        // After a segment that is shorter than the model's, the input stays zero.
        TrackWindow window = new(measured, _segment, normalization);

        int total = views.Sum(view => view.Plan.Count);
        Job[] order = JobsFrom(firstFrame, views);
        Blender blender = new(_selection, Adders(views.Length, order[0]), sink, normalization, mix, firstFrame);
        BlendingOrder blending = new(blender, order, statistics.Frames);
        using ChunkAttempts attempts = Attempts();
        using ChunkQueue<Job> queue = new(_bag, _selection.ModelStems, _options.Jobs, keepTimeBranch: false, cancellationToken)
        {
            Observe = Observe,
        };
        foreach (Job next in order)
        {
            if (queue.IsFull)
                TakeOldest();
            cancellationToken.ThrowIfCancellationRequested();
            string what = $"chunk {next.Number} (of 0 to {total - 1}) of {Path.GetFileName(path)}";
            // The window goes forwards only, so segments are copied here, in order, and not on the worker's thread.
            queue.Start(
                next,
                new ChunkPlace(next.Number, order[0].Number, order.Length, AllCome: true),
                worker => window.CopySegment(next.Chunk.Offset, next.Chunk.InputStart, worker.InputLeft, worker.InputRight),
                (worker, stop) => attempts.Run(what, next.Failures, attempt => Run(next, worker, attempt, stop), stop)
            );
        }
        while (queue.Count > 0)
            TakeOldest();
        measured.CheckEnd();

        void TakeOldest()
        {
            begun?.Invoke();
            begun = null;
            queue.TakeOldest(blending.Add);
            Job job = order[blending.Count - 1];
            if (job.Failures.Count > 0)
                retried?.Invoke(new ChunkRetry(job.Number, job.Failures));
            chunkDone?.Invoke(total - order.Length + blending.Count);
        }
    }

    private OverlapAdder[] Adders(int views, Job first)
    {
        float[] weights = TransitionWeights.Create(_segment, _options.TransitionPower);
        return [.. Enumerable.Range(0, views).Select(_ => new OverlapAdder(2 * _selection.ModelStems.Count, weights, first.Chunk.Offset))];
    }

    /// <summary>One batch more than jobs has its chunks ready.</summary>
    private ChunkAttempts Attempts() =>
        new(_options.RetryCount, (_bag.BatchesAtOnce(_options.Jobs) + 1) * _bag.BatchSize, _bag.BatchSize);

    private void Run(Job job, ChunkWorker worker, int attempt, CancellationToken stop)
    {
        _options.Attempting?.Invoke(job.Number, attempt);
        worker.Separate(stop);
    }

    /// <summary>
    /// The views of the track that are separated and averaged. A shift o of at most M frames starts the view M − o frames before the track
    /// (the official code pads the mix by M and starts at o), so chunk boundaries fall elsewhere.
    /// </summary>
    private View[] Schedule(long frames)
    {
        IReadOnlyList<int> shifts = _options.DrawShifts();
        if (shifts.Count == 0)
            return [new View(0, ChunkPlan.Create(frames, _segment, _options.Overlap))];
        return
        [
            .. shifts.Select(o => new View(
                o - SeparationOptions.MaxShift,
                ChunkPlan.Create(frames + SeparationOptions.MaxShift - o, _segment, _options.Overlap)
            )),
        ];
    }

    /// <summary>Every chunk that reaches past the first frame wanted: so each frame gets all its summands, in their order.</summary>
    private static Job[] JobsFrom(long firstFrame, View[] views)
    {
        // Over all views in the order of the offsets: then no view ever lags more than one segment behind another.
        IEnumerable<(int View, ChunkSpan Chunk)> all = views
            .SelectMany((view, number) => Enumerable.Range(0, view.Plan.Count).Select(i => (View: number, Chunk: view.ChunkInTrack(i))))
            .OrderBy(c => c.Chunk.Offset)
            .ThenBy(c => c.View);
        return
        [
            .. all.Select((c, number) => new Job(number, c.View, c.Chunk)).Where(job => job.Chunk.Offset + job.Chunk.Length > firstFrame),
        ];
    }

    /// <summary>A plan that starts at some frame of the track, at or before 0.</summary>
    private sealed record View(long Start, ChunkPlan Plan)
    {
        public ChunkSpan ChunkInTrack(int index)
        {
            ChunkSpan chunk = Plan[index];
            return chunk with { Offset = chunk.Offset + Start, InputStart = chunk.InputStart + Start };
        }
    }

    /// <summary>A chunk of a view, with its number over all views in the order of blending.</summary>
    private sealed record Job(int Number, int View, ChunkSpan Chunk)
    {
        public List<string> Failures { get; } = [];
    }

    /// <summary>Blends the chunks one after the other, and lets go of the frames that are final with each.</summary>
    private sealed class BlendingOrder(Blender blender, Job[] order, long frames)
    {
        /// <summary>Chunks blended so far.</summary>
        public int Count { get; private set; }

        public void Add(Job job, ChunkWorker worker)
        {
            blender.Add(job, worker);
            Count++;
            // Nothing that is still to come reaches frames before the next chunk's offset: they are final.
            blender.EmitUntil(Count < order.Length ? order[Count].Chunk.Offset : frames);
        }
    }

    /// <summary>
    /// Adds chunks up; takes final frames from the adders, averages the views, undoes the normalization, sums stems and the mix and hands
    /// the outputs on.
    /// </summary>
    private sealed class Blender(
        StemMatrix selection,
        OverlapAdder[] adders,
        IStemSink sink,
        MixNormalization normalization,
        RecordedMix? mix,
        long firstFrame
    )
    {
        private readonly float[] _one = new float[BlockFrames];
        private readonly float[] _views = new float[BlockFrames];
        private readonly float[] _interleaved = new float[2 * BlockFrames];
        private readonly Dictionary<int, int> _signalOfStem = selection
            .ModelStems.Select((stem, n) => (stem, n))
            .ToDictionary(p => p.stem, p => p.n);

        public void Add(Job job, ChunkWorker worker)
        {
            OverlapAdder adder = adders[job.View];
            ChunkSpan chunk = job.Chunk;
            adder.AddWeights(chunk.Offset, chunk.Length);
            for (int n = 0; n < selection.ModelStems.Count; n++)
            {
                adder.AddSignal(2 * n, chunk.Offset, worker.Left(n).Slice(chunk.Trim, chunk.Length));
                adder.AddSignal(2 * n + 1, chunk.Offset, worker.Right(n).Slice(chunk.Trim, chunk.Length));
            }
        }

        public void EmitUntil(long frame)
        {
            // Frames before the track belong to shifted views only, those before the first one wanted to an earlier run: both are dropped.
            for (long first = Math.Max(firstFrame, adders[0].Start); first < frame; first += BlockFrames)
                Emit(first, (int)Math.Min(BlockFrames, frame - first));
            foreach (OverlapAdder adder in adders)
                adder.Advance(frame - adder.Start);
            mix?.Forget(frame);
        }

        private void Emit(long first, int count)
        {
            Span<float> interleaved = _interleaved.AsSpan(0, 2 * count);
            for (int output = 0; output < selection.Names.Count; output++)
            {
                interleaved.Clear();
                StemRow row = selection.Rows[output];
                for (int channel = 0; channel < 2; channel++)
                {
                    if (row.Mix != 0)
                        StemRow.Add(mix!.Frames(channel, first, count), row.Mix, interleaved[channel..], step: 2);
                    foreach ((int stem, float weight) in row.Stems)
                        normalization.AddUndone(
                            Average(2 * _signalOfStem[stem] + channel, first, count),
                            interleaved[channel..],
                            step: 2,
                            weight
                        );
                }
                sink.Write(output, interleaved);
            }
        }

        private ReadOnlySpan<float> Average(int signal, long first, int count)
        {
            Span<float> sum = _views.AsSpan(0, count),
                one = _one.AsSpan(0, count);
            adders[0].Read(signal, first, sum);
            if (adders.Length == 1)
                return sum;
            foreach (OverlapAdder adder in adders.AsSpan(1))
            {
                adder.Read(signal, first, one);
                for (int i = 0; i < count; i++)
                    sum[i] += one[i];
            }
            for (int i = 0; i < count; i++)
                sum[i] /= adders.Length;
            return sum;
        }
    }
}
