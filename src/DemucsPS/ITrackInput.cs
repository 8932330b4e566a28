using DemucsPS.Engine.Audio;

namespace DemucsPS;

/// <summary>
/// The parameters by which cmdlets take audio files. <c>Invoke-DemucsSeparation</c> takes files in as <c>Import-AudioTrack</c> does and
/// writes stems as <c>Export-Stem</c> does, and a class has one base: it inherits the output, which has twice as many parameters, and
/// repeats these, which this interface keeps alike; what is done with them is in <see cref="TrackInput"/>.
/// </summary>
internal interface ITrackInput : IFileInput
{
    /// <summary>The audio stream of each file, counted from 0.</summary>
    int StreamIndex { get; }

    /// <summary>What happens to the time before sound that begins later than its file.</summary>
    LateStart LateStart { get; }

    /// <summary>What is taken of files with more than two channels.</summary>
    ChannelLayout ChannelLayout { get; }

    /// <summary>What happens where a file has lost some of its sound.</summary>
    DamageHandling OnDamage { get; }
}
