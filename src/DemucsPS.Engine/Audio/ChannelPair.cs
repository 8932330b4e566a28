namespace DemucsPS.Engine.Audio;

/// <summary>
/// The channels of a file that are taken as left and right. The same channel twice for one that is mono by nature, such as the center.
/// </summary>
/// <param name="Left">Number of the left channel, counted from 0.</param>
/// <param name="Right">Number of the right channel.</param>
/// <param name="Name">What the pair is called in the name of its track: <c>FL FR</c>.</param>
public readonly record struct ChannelPair(int Left, int Right, string Name);
