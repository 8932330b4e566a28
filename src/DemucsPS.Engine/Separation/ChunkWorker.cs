using System.Numerics;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Separates one segment at a time: spectrogram, model, inverse spectrogram, stem = time branch + inverse(frequency branch), averaged over
/// the bag. Models that take and give waveforms only are spared the spectrograms. Owns its result and reuses it; its input is in its batch,
/// and the models run when all chunks of that have come.
/// </summary>
internal sealed class ChunkWorker
{
    private readonly ModelBag _bag;
    private readonly IReadOnlyList<int> _stems;
    private readonly ChannelTransforms _transforms;
    private readonly ModelSlots _slots;
    private readonly float[][] _left;
    private readonly float[][] _right;
    private readonly float[][]? _timeLeft;
    private readonly float[][]? _timeRight;
    private ChunkBatch? _batch;
    private int _place;
    private bool _hasLeft;

    /// <param name="bag">The models.</param>
    /// <param name="stems">Numbers of the stems that are wanted; models without weight in any of them are not run.</param>
    /// <param name="transforms">Scratch, shared by workers.</param>
    /// <param name="slots">Lets batches into the models.</param>
    /// <param name="keepTimeBranch">Whether the time branch is also kept by itself, for people who want to see what each branch
    /// does.</param>
    public ChunkWorker(ModelBag bag, IReadOnlyList<int> stems, ChannelTransforms transforms, ModelSlots slots, bool keepTimeBranch = false)
    {
        _bag = bag;
        _stems = stems;
        _transforms = transforms;
        _slots = slots;
        _left = Segments();
        _right = Segments();
        if (keepTimeBranch)
        {
            _timeLeft = Segments();
            _timeRight = Segments();
        }

        float[][] Segments() => [.. stems.Select(_ => new float[bag.Contract.SegmentFrames])];
    }

    /// <summary>Receives what the worker comes to, on its thread.</summary>
    public Action<ChunkStep>? Observe { get; init; }

    /// <summary>Asked, when the models run, what they may take of the machine.</summary>
    public Func<RunResources> RunResources { get; set; } = static () => default;

    /// <summary>The segment to separate, left channel.</summary>
    public Span<float> InputLeft => Segment.Left;

    /// <summary>The segment to separate, right channel.</summary>
    public Span<float> InputRight => Segment.Right;

    /// <summary>The result for the n-th wanted stem, one segment long, left channel.</summary>
    public ReadOnlySpan<float> Left(int n) => _left[n];

    /// <summary>The result for the n-th wanted stem, right channel.</summary>
    public ReadOnlySpan<float> Right(int n) => _right[n];

    /// <summary>What the time branch has in the result for the n-th wanted stem, averaged over the bag, left channel.</summary>
    /// <exception cref="InvalidOperationException">The worker was not made to keep it.</exception>
    public ReadOnlySpan<float> TimeLeft(int n) => (_timeLeft ?? throw NotKept())[n];

    /// <summary>What the time branch has in the result for the n-th wanted stem, right channel.</summary>
    /// <exception cref="InvalidOperationException">The worker was not made to keep it.</exception>
    public ReadOnlySpan<float> TimeRight(int n) => (_timeRight ?? throw NotKept())[n];

    private SegmentTensors Segment =>
        (_batch ?? throw new InvalidOperationException("The worker has no place in a batch.")).Tensors.Segment(_place);

    /// <summary>Memory for a batch of chunks.</summary>
    public static ModelTensors Allocate(ModelBag bag)
    {
        ModelTensors tensors = new(bag.Contract, bag.BatchSize);
        tensors.AllocateInputs(bag.NeedsSpectrograms);
        return tensors;
    }

    /// <summary>Takes a place in a batch, for one chunk.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="place">A place that no other has, from 0.</param>
    public void Enter(ChunkBatch batch, int place) => (_batch, _place, _hasLeft) = (batch, place, false);

    /// <summary>Leaves its batch, unless it has: the others go on without this chunk.</summary>
    public void Leave()
    {
        if (!_hasLeft)
            _batch?.Leave();
        _hasLeft = true;
    }

    /// <summary>Separates the segment in <see cref="InputLeft"/> and <see cref="InputRight"/>.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: a model failed, or gave values that are not
    /// finite.</exception>
    public void Separate(CancellationToken cancellationToken) => Separate(default, cancellationToken);

    /// <summary>
    /// As <see cref="Separate(CancellationToken)"/>, of a segment whose spectrogram is changed first: the model gets spectrogram + change
    /// and, so that its two inputs agree, waveform + inverse(change); of a model that takes a waveform only, that is all.
    /// </summary>
    /// <param name="change">[4][2048][T] in the scale of the segment; empty for none.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: a model failed, or gave values that are not
    /// finite.</exception>
    public void Separate(ReadOnlyMemory<float> change, CancellationToken cancellationToken)
    {
        if (_hasLeft)
        {
            _slots.RunAlone(() => Allocate(_bag), tensors => SeparateAlone(tensors, change, cancellationToken), cancellationToken);
            return;
        }
        try
        {
            SeparateInBatch(change, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException && !_batch!.IsAlone)
        {
            // The others of the batch go on. If this chunk is tried again, it is by itself.
            Leave();
            throw;
        }
    }

    /// <summary>Separates a chunk that left its batch, in the place that it had there.</summary>
    private void SeparateAlone(ModelTensors tensors, ReadOnlyMemory<float> change, CancellationToken cancellationToken)
    {
        ChunkBatch left = _batch!;
        ChunkBatch alone = new(_bag, _slots, tensors, members: 1);
        InputLeft.CopyTo(alone.Tensors.Segment(_place).Left);
        InputRight.CopyTo(alone.Tensors.Segment(_place).Right);
        _batch = alone;
        try
        {
            SeparateInBatch(change, cancellationToken);
        }
        finally
        {
            // The input is still there, and the memory is free for the next one.
            _batch = left;
        }
    }

    private void SeparateInBatch(ReadOnlyMemory<float> change, CancellationToken cancellationToken)
    {
        Transform(change);
        Observe?.Invoke(ChunkStep.Transformed);
        bool first = true;
        for (int model = 0; model < _bag.Sources.Count; model++)
        {
            if (!_stems.Any(stem => _bag.Weight(model, stem) != 0))
                continue;
            using ChunkBatch.Reading reading = _batch!.Run(
                model,
                RunResources,
                () => Observe?.Invoke(ChunkStep.Running),
                cancellationToken
            );
            Collect(model, first);
            first = false;
            Observe?.Invoke(ChunkStep.Done);
        }
    }

    /// <summary>Computes the models' inputs.</summary>
    private void Transform(ReadOnlyMemory<float> change)
    {
        // One after another: what began first gets all processors, and is the first to have its turn.
        lock (_transforms.InputsGate)
        {
            _transforms.ForEach(2, (spectrogram, channel) =>
            {
                if (_bag.NeedsSpectrograms)
                {
                    spectrogram.ForwardChannel(Input(channel), Planes(Segment.Spectrogram, channel));
                    if (!change.IsEmpty)
                        Add(Planes(change.Span, channel), Planes(Segment.Spectrogram, channel), 1);
                }
                if (!change.IsEmpty)
                    spectrogram.AddInverseChannel(Planes(change.Span, channel), Input(channel));
            });
        }
    }

    /// <summary>Adds a model's share to the results; the first one also clears them.</summary>
    private void Collect(int model, bool clear)
    {
        bool[] finite = new bool[2 * _stems.Count];
        _transforms.ForEach(finite.Length, (spectrogram, signal) =>
        {
            (int n, int channel) = (signal / 2, signal % 2);
            int stem = _stems[n];
            float weight = Share(model, stem);
            float[] result = (channel == 0 ? _left : _right)[n];
            float[]? timeBranch = (channel == 0 ? _timeLeft : _timeRight)?[n];
            if (clear)
            {
                Array.Clear(result);
                if (timeBranch is not null)
                    Array.Clear(timeBranch);
            }
            if (weight != 0)
            {
                ReadOnlySpan<float> time = Segment.StemWaveform(stem, channel);
                if (Segment.HasStemSpectrograms)
                    spectrogram.AddInverseChannel(Planes(Segment.StemSpectrogram(stem), channel), result, weight);
                Add(time, result, weight);
                if (timeBranch is not null)
                    Add(time, timeBranch, weight);
            }
            finite[signal] = AllFinite(result);
        });
        int failed = Array.IndexOf(finite, false);
        if (failed < 0)
            return;
        ModelSource named = _bag.Sources[model];
        throw new DemucsException(
            DemucsError.DemucsModelInvalid,
            $"Model '{named.Path ?? named.Name}' gave values that are not finite for the stem '{_bag.Contract.Stems[_stems[failed / 2]]}'. The file may be damaged. Install it again.",
            named.Path
        );
    }

    private Span<float> Input(int channel) => channel == 0 ? InputLeft : InputRight;

    // The real and the imaginary part of one channel.
    private static Span<float> Planes(Span<float> tensor, int channel) => tensor.Slice(channel * (tensor.Length / 2), tensor.Length / 2);

    private static ReadOnlySpan<float> Planes(ReadOnlySpan<float> tensor, int channel) =>
        tensor.Slice(channel * (tensor.Length / 2), tensor.Length / 2);

    private static InvalidOperationException NotKept() => new("This worker does not keep the time branch.");

    private float Share(int model, int stem)
    {
        float sum = 0;
        for (int i = 0; i < _bag.Sources.Count; i++)
            sum += _bag.Weight(i, stem);
        return _bag.Weight(model, stem) / sum;
    }

    private static void Add(ReadOnlySpan<float> values, Span<float> target, float weight)
    {
        int i = 0;
        Vector<float> factor = new(weight);
        for (; i <= target.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(target[i..]) + factor * new Vector<float>(values[i..])).CopyTo(target[i..]);
        for (; i < target.Length; i++)
            target[i] += weight * values[i];
    }

    private static bool AllFinite(ReadOnlySpan<float> values)
    {
        // x·0 is 0 for a finite x and NaN for all others.
        Vector<float> sum = Vector<float>.Zero;
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
            sum += new Vector<float>(values[i..]) * Vector<float>.Zero;
        float rest = Vector.Sum(sum);
        for (; i < values.Length; i++)
            rest += values[i] * 0;
        return rest == 0;
    }
}
