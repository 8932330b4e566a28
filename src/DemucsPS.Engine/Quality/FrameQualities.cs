using System.Collections.ObjectModel;
using System.Globalization;

namespace DemucsPS.Engine.Quality;

/// <summary>The windows of a stem, in order.</summary>
/// <param name="frames">The windows.</param>
public sealed class FrameQualities(IList<FrameQuality> frames) : ReadOnlyCollection<FrameQuality>(frames)
{
    /// <summary>How many there are, for tables.</summary>
    public override string ToString() => Count == 1 ? "1 window" : string.Create(CultureInfo.InvariantCulture, $"{Count} windows");
}
