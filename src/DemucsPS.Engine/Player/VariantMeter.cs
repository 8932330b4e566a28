using System.Numerics;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Levels;

namespace DemucsPS.Engine.Player;

/// <summary>
/// Reads all stems of a variant, and the mix beside them, once and in step: their waveforms, and how loud their sum is. Memory does not
/// depend on the length.
/// </summary>
internal sealed class VariantMeter : IDisposable
{
    private const int BlockFrames = 1 << 14;

    // Cosine of the angle between sum and mix. Below this the one is not made of the other, and a factor between them says nothing of
    // levels.
    private const double LeastCorrelation = 0.5;

    private readonly List<MeteredTrack> _stems = [];
    private readonly int _sampleRate;
    private double _sumEnergy,
        _mixEnergy,
        _product;

    /// <param name="variant">The variant.</param>
    /// <param name="mix">The mix; null for none.</param>
    /// <param name="sampleRate">Frames per second of everything.</param>
    /// <exception cref="DemucsException">A file cannot be read.</exception>
    public VariantMeter(PlayerVariant variant, TrackSource? mix, int sampleRate)
    {
        _sampleRate = sampleRate;
        try
        {
            foreach (PlayerStem stem in variant.Stems)
                _stems.Add(new MeteredTrack(stem, sampleRate, BlockFrames));
            if (mix is not null)
                Mix = new MeteredTrack(new PlayerStem("mix", mix), sampleRate, BlockFrames);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The stems, in the variant's order.</summary>
    public IReadOnlyList<MeteredTrack> Stems => _stems;

    /// <summary>The mix; null if there is none.</summary>
    public MeteredTrack? Mix { get; }

    /// <summary>Seconds of sound that the files declare, over all of them; 0 if one does not.</summary>
    public double DeclaredSeconds =>
        All.All(t => t.Reader.FrameCount is not null) ? All.Sum(t => (double)t.Reader.FrameCount!.Value / _sampleRate) : 0;

    /// <summary>
    /// The factor of the mix that leaves the least of the sum of the stems, ⟨sum, mix⟩ / ⟨mix, mix⟩; null without a mix, or where the stems
    /// are not what it is made of.
    /// </summary>
    public double? FactorOfMix =>
        _product > 0 && _product >= LeastCorrelation * Math.Sqrt(_sumEnergy * _mixEnergy) ? _product / _mixEnergy : null;

    /// <summary>Root mean square of the sum of the stems.</summary>
    public double Rms => Math.Sqrt(_sumEnergy / Math.Max(1, 2 * _stems.Max(t => t.Frames)));

    private IEnumerable<MeteredTrack> All => Mix is null ? _stems : _stems.Append(Mix);

    /// <summary>Reads everything to its end.</summary>
    /// <param name="read">Receives seconds of sound that were read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="DemucsException">A file is damaged.</exception>
    public void Read(Action<double> read, CancellationToken cancellationToken)
    {
        float[] left = new float[BlockFrames],
            right = new float[BlockFrames];
        for (int longest = 1; longest > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            longest = 0;
            int frames = 0;
            foreach (MeteredTrack track in All)
            {
                int got = track.ReadBlock();
                longest = Math.Max(longest, got);
                frames += got;
            }
            left.AsSpan(0, longest).Clear();
            right.AsSpan(0, longest).Clear();
            foreach (MeteredTrack stem in _stems.Where(s => !s.IsMixdown))
            {
                Add(stem.Left, left);
                Add(stem.Right, right);
            }
            _sumEnergy += SampleSquares.Sum(left.AsSpan(0, longest)) + SampleSquares.Sum(right.AsSpan(0, longest));
            if (Mix is not null)
            {
                _mixEnergy += SampleSquares.Sum(Mix.Left) + SampleSquares.Sum(Mix.Right);
                _product += SampleSquares.Product(Mix.Left, left) + SampleSquares.Product(Mix.Right, right);
            }
            read((double)frames / _sampleRate);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (MeteredTrack track in All)
            track.Dispose();
    }

    private static void Add(ReadOnlySpan<float> samples, Span<float> to)
    {
        int i = 0;
        for (; i <= samples.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(to[i..]) + new Vector<float>(samples[i..])).CopyTo(to[i..]);
        for (; i < samples.Length; i++)
            to[i] += samples[i];
    }
}
