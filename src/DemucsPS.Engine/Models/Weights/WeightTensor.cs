namespace DemucsPS.Engine.Models.Weights;

/// <summary>A tensor of a safetensors file; its values stay in the file until they are requested.</summary>
internal sealed class WeightTensor
{
    internal WeightTensor(string name, WeightType type, IReadOnlyList<int> shape, int count, long offset)
    {
        Name = name;
        Type = type;
        Shape = shape;
        Count = count;
        Offset = offset;
    }

    /// <summary>Its name, that of the official model's state dict.</summary>
    public string Name { get; }

    /// <summary>The precision in which it is stored.</summary>
    public WeightType Type { get; }

    /// <summary>Its dimensions, the outermost first; empty for a single number.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>How many numbers it has.</summary>
    public int Count { get; }

    /// <summary>How many bytes it takes in the file.</summary>
    public long Bytes => (long)Count * Width;

    /// <summary>Bytes of one number.</summary>
    internal int Width => Type == WeightType.Float32 ? 4 : 2;

    /// <summary>Where its bytes begin in the file.</summary>
    internal long Offset { get; }

    /// <summary>Its name and shape, for messages.</summary>
    public override string ToString() => $"{Name} [{string.Join(',', Shape)}]";
}
