namespace DemucsPS.Engine.Player;

/// <summary>Where a player page has its sound from.</summary>
public enum PlayerAudio
{
    /// <summary>In the page where that is short enough to be decoded in a browser's memory; otherwise as <see cref="Linked"/>.</summary>
    Auto,

    /// <summary>
    /// In the page: FLAC if that is small, otherwise Opus; WAV where there is no ffmpeg. All of it is decoded when the page is opened, and
    /// plays in step to the sample.
    /// </summary>
    Embedded,

    /// <summary>
    /// In the files, which the page names and which must stay where they are. Plays while it is read, so that the length does not matter;
    /// in step to 2 ms, and up to 25 ms apart in the first seconds. A page that is served asks for parts of them instead, and is in step to
    /// the sample.
    /// </summary>
    Linked,
}
