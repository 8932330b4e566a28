namespace DemucsPS.Engine.Batch;

/// <summary>What is to be done of a track, as far as looking tells.</summary>
/// <param name="Music">Its length; null if unknown.</param>
/// <param name="Kept">What share of it is separated already and can be continued, 0 to 1.</param>
/// <param name="IsRecorded">Whether stems are there that may be skipped.</param>
internal sealed record TrackOutlook(TimeSpan? Music, double Kept, bool IsRecorded);
