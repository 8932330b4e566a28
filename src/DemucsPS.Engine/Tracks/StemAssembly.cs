using DemucsPS.Engine.Chunking;
using DemucsPS.Engine.Levels;

namespace DemucsPS.Engine.Tracks;

/// <summary>
/// One stem in the making. Chunks are blended in the order of their offsets, each as soon as all before it are there; only chunks that come
/// early are held.
/// </summary>
internal sealed class StemAssembly
{
    private const int BlockFrames = 16384;

    private readonly float[] _weights;
    private readonly AudioChunk _anyChunk;
    private readonly StemChunkRun _run;
    private readonly MixNormalization _normalization;
    private readonly bool[] _present;
    private readonly List<string> _models;
    private readonly SortedDictionary<int, StemChunk> _held = [];
    private OverlapAdder? _adder;
    private float[][]? _channels;
    private bool _isDemucs;
    private long _covered;

    /// <param name="first">Any chunk of the stem; it is not added.</param>
    /// <param name="weights">Weights of a segment's frames.</param>
    public StemAssembly(StemChunk first, float[] weights)
    {
        _anyChunk = first.Chunk;
        _run = first.Run;
        _weights = weights;
        _normalization = first.Normalization;
        _present = new bool[Plan.Count];
        _models = [first.ModelName];
        _isDemucs = first.IsDemucs;
        StemName = first.StemName;
    }

    public AudioTrack Track => _anyChunk.Track;

    public ChunkPlan Plan => _anyChunk.Plan;

    public string StemName { get; }

    /// <summary>The model; several, joined by +, after <see cref="TakeAll"/>.</summary>
    public string ModelName => string.Join('+', _models);

    /// <summary>Chunks that came.</summary>
    public int Count { get; private set; }

    /// <summary>Chunks that are blended: all before this number.</summary>
    private int Blended { get; set; }

    /// <summary>Numbers of chunks that came again.</summary>
    public List<int> Doubled { get; } = [];

    public bool IsWhole => Blended == Plan.Count;

    /// <summary>Whether the stem was given away.</summary>
    public bool IsFinished { get; private set; }

    private bool IsDiscarded { get; set; }

    /// <summary>Adds a chunk.</summary>
    /// <returns>False if one of that number has come already; it is only noted then.</returns>
    public bool Add(StemChunk chunk)
    {
        int index = chunk.Chunk.Index;
        if (_present[index])
        {
            Doubled.Add(index);
            return false;
        }
        _present[index] = true;
        Count++;
        if (IsDiscarded)
            return true;
        _isDemucs &= chunk.IsDemucs;
        _held.Add(index, chunk);
        while (_held.Remove(Blended, out StemChunk? next))
        {
            Blend(next);
            Blended++;
        }
        return true;
    }

    /// <summary>Takes the held chunks of another assembly, of another model; that one is of no use afterwards.</summary>
    public void TakeAll(StemAssembly other)
    {
        _models.AddRange(other._models);
        foreach (StemChunk chunk in other._held.Values)
            Add(chunk);
        other.Discard();
    }

    /// <summary>Numbers of the chunks that came.</summary>
    public IEnumerable<int> Present() => Enumerable.Range(0, Plan.Count).Where(i => _present[i]);

    /// <summary>Numbers of the chunks that did not come.</summary>
    public int[] Missing() => [.. Enumerable.Range(0, Plan.Count).Where(i => !_present[i])];

    /// <summary>Gives up: frees the memory, and only takes note of what comes.</summary>
    public void Discard()
    {
        IsDiscarded = true;
        _held.Clear();
        _adder = null;
        _channels = null;
    }

    /// <summary>The stem, of the chunks there are; frees the rest.</summary>
    public Stem Finish()
    {
        foreach (StemChunk chunk in _held.Values)
            Blend(chunk);
        EmitUntil(_covered);
        Stem stem = new(Track, StemName, ModelName, _isDemucs, _run.StemNames, _channels!, Missing());
        IsFinished = true;
        Discard();
        return stem;
    }

    private void Blend(StemChunk chunk)
    {
        _adder ??= new OverlapAdder(2, _weights);
        _channels ??= [new float[Track.Frames], new float[Track.Frames]];
        ChunkSpan span = chunk.Chunk.Span;
        EmitUntil(Math.Min(span.Offset, _covered));
        // Where chunks are missing, frames stay silent.
        _adder.Advance(span.Offset - _adder.Start);
        _adder.AddWeights(span.Offset, span.Length);
        for (int channel = 0; channel < 2; channel++)
            _adder.AddSignal(channel, span.Offset, chunk.SamplesIn(_normalization, channel));
        _covered = span.Offset + span.Length;
    }

    private void EmitUntil(long frame)
    {
        Span<float> block = stackalloc float[BlockFrames];
        for (long first = _adder!.Start; first < frame; first += BlockFrames)
        {
            Span<float> part = block[..(int)Math.Min(BlockFrames, frame - first)];
            for (int channel = 0; channel < 2; channel++)
            {
                _adder.Read(channel, first, part);
                _normalization.AddUndone(part, _channels![channel].AsSpan((int)first, part.Length));
            }
        }
        _adder.Advance(Math.Max(0, frame - _adder.Start));
    }
}
