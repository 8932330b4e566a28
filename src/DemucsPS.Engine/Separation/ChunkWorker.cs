using System.Numerics;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Separates one segment at a time: spectrogram, model, inverse spectrogram, stem = time branch + inverse(frequency branch), averaged over the bag.
/// Owns its buffers and reuses them; one a job.
/// </summary>
internal sealed class ChunkWorker
{
    private readonly ModelBag _bag;
    private readonly IReadOnlyList<int> _stems;
    private readonly ModelTensors _tensors;
    private readonly SegmentSpectrogram _spectrogram;
    private readonly float[][] _left;
    private readonly float[][] _right;
    private readonly float[][]? _timeLeft;
    private readonly float[][]? _timeRight;

    /// <param name="bag">The models.</param>
    /// <param name="stems">Numbers of the stems that are wanted; models without weight in any of them are not run.</param>
    /// <param name="keepTimeBranch">Whether the time branch is also kept by itself, for people who want to see what each branch does.</param>
    public ChunkWorker(ModelBag bag, IReadOnlyList<int> stems, bool keepTimeBranch = false)
    {
        _bag = bag;
        _stems = stems;
        _tensors = new ModelTensors(bag.Contract);
        _spectrogram = new SegmentSpectrogram(bag.Contract.SegmentFrames);
        _left = Segments();
        _right = Segments();
        if (keepTimeBranch)
        {
            _timeLeft = Segments();
            _timeRight = Segments();
        }

        float[][] Segments() => [.. stems.Select(_ => new float[bag.Contract.SegmentFrames])];
    }

    /// <summary>The segment to separate, left channel.</summary>
    public Span<float> InputLeft => _tensors.Left;

    /// <summary>The segment to separate, right channel.</summary>
    public Span<float> InputRight => _tensors.Right;

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

    /// <summary>Separates the segment in <see cref="InputLeft"/> and <see cref="InputRight"/>.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: a model failed, or gave values that are not finite.</exception>
    public void Separate(CancellationToken cancellationToken) => Separate([], cancellationToken);

    /// <summary>
    /// As <see cref="Separate(CancellationToken)"/>, of a segment whose spectrogram is changed first: the model gets spectrogram + change and, so that its two
    /// inputs agree, waveform + inverse(change).
    /// </summary>
    /// <param name="change">[4][2048][T] in the scale of the segment; empty for none.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: a model failed, or gave values that are not finite.</exception>
    public void Separate(ReadOnlySpan<float> change, CancellationToken cancellationToken)
    {
        _spectrogram.Forward(_tensors.Left, _tensors.Right, _tensors.Spectrogram);
        if (!change.IsEmpty)
        {
            Add(change, _tensors.Spectrogram, 1);
            _spectrogram.AddInverse(change, _tensors.Left, _tensors.Right);
        }
        foreach (float[] result in new[] { _left, _right, _timeLeft ?? [], _timeRight ?? [] }.SelectMany(channel => channel))
            Array.Clear(result);
        for (int model = 0; model < _bag.Sources.Count; model++)
        {
            if (!_stems.Any(stem => _bag.Weight(model, stem) != 0))
                continue;
            _bag.Run(model, _tensors, cancellationToken);
            for (int n = 0; n < _stems.Count; n++)
            {
                int stem = _stems[n];
                float weight = Share(model, stem);
                if (weight == 0)
                    continue;
                cancellationToken.ThrowIfCancellationRequested();
                _spectrogram.AddInverse(_tensors.StemSpectrogram(stem), _left[n], _right[n], weight);
                Add(_tensors.StemWaveform(stem, 0), _left[n], weight);
                Add(_tensors.StemWaveform(stem, 1), _right[n], weight);
                if (_timeLeft is not null && _timeRight is not null)
                {
                    Add(_tensors.StemWaveform(stem, 0), _timeLeft[n], weight);
                    Add(_tensors.StemWaveform(stem, 1), _timeRight[n], weight);
                }
                if (!AllFinite(_left[n]) || !AllFinite(_right[n]))
                {
                    ModelSource failed = _bag.Sources[model];
                    throw new DemucsException(DemucsError.DemucsModelInvalid,
                        $"Model '{failed.Path ?? failed.Name}' gave values that are not finite numbers for the stem '{_bag.Contract.Stems[stem]}'. The file may be damaged; install it again.", failed.Path);
                }
            }
        }
    }

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
