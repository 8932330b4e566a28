namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>How the outer convolutions of all layers step: the one form that is written here.</summary>
internal static class Steps
{
    /// <summary>The kernel's length.</summary>
    public const int Kernel = 8;

    /// <summary>The step; a kernel has two.</summary>
    public const int Stride = 4;

    /// <summary>Zeros before and after what a convolution takes; as many are cut off the result of a transposed one.</summary>
    public const int Pad = Kernel / 4;
}
