namespace DemucsPS.Engine.Models.Weights;

/// <summary>The precision in which a tensor is stored; all of them are raised to float32 before anything is computed.</summary>
internal enum WeightType
{
    /// <summary>IEEE 754 binary32; F32 in the file.</summary>
    Float32,

    /// <summary>IEEE 754 binary16; F16 in the file.</summary>
    Float16,

    /// <summary>The upper half of a float32; BF16 in the file.</summary>
    BFloat16,
}
