using System.Numerics;

namespace DemucsPS.Engine.Spectral;

/// <summary>Where a <see cref="LaneFft"/> leaves its results; see <see cref="ILaneReader"/>.</summary>
internal interface ILaneWriter
{
    /// <summary>Takes an element; every one of each group is given once, in any order.</summary>
    /// <param name="group">The group of frames, from 0.</param>
    /// <param name="index">The element's number.</param>
    /// <param name="first">Sample 2·index, or the real part of bin index.</param>
    /// <param name="second">Sample 2·index + 1, or the imaginary part.</param>
    void Store(int group, int index, Vector<float> first, Vector<float> second);
}
