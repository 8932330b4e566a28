using System.Numerics;

namespace DemucsPS.Engine.Spectral;

/// <summary>What a <see cref="LaneFft"/> transforms: element after element a vector whose lanes belong to different frames.</summary>
internal interface ILaneReader
{
    /// <summary>Gives an element: two samples, or the real and the imaginary part of a bin.</summary>
    /// <param name="group">The group of frames, from 0.</param>
    /// <param name="index">The element's number.</param>
    /// <param name="first">Sample 2·index, or the real part of bin index.</param>
    /// <param name="second">Sample 2·index + 1, or the imaginary part.</param>
    void Load(int group, int index, out Vector<float> first, out Vector<float> second);
}
