namespace DemucsPS.Engine.Quality;

/// <summary>The frames of all references and estimates of a track, from its start.</summary>
internal interface IStemFrames : IDisposable
{
    /// <summary>Reads the next frames.</summary>
    /// <param name="references">Takes frame after frame, <paramref name="lanes"/> apart: the channels of the first stem, of the second and
    /// so on.</param>
    /// <param name="estimates">Takes those of the estimates, cut or filled with zeros to the references' length.</param>
    /// <param name="lanes">From one frame to the next; at least all channels of all stems. What lies beyond them is left as it is.</param>
    /// <returns>Frames read: as many as fit, fewer only at the end.</returns>
    int Read(Span<double> references, Span<double> estimates, int lanes);
}
