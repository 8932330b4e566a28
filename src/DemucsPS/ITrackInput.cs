using System.Management.Automation;
using DemucsPS.Engine.Audio;

namespace DemucsPS;

/// <summary>
/// The parameters by which cmdlets take audio files. <c>Invoke-DemucsSeparation</c> takes files in as <c>Import-AudioTrack</c> does and writes stems as <c>Export-Stem</c> does, and a class has
/// one base: it inherits the output, which has twice as many parameters, and repeats these, which this interface keeps alike; what is done with them is in <see cref="TrackInput"/>.
/// </summary>
internal interface ITrackInput
{
    /// <summary>Audio files, folders, playlists and CUE sheets; wildcards are allowed.</summary>
    string[] Path { get; }

    /// <summary>The same, by names taken as they are.</summary>
    string[] LiteralPath { get; }

    /// <summary>Take folders with the folders in them.</summary>
    SwitchParameter Recurse { get; }

    /// <summary>Names of the files that are taken from folders.</summary>
    string[] Include { get; }

    /// <summary>Names of files and folders that are left out of folders.</summary>
    string[] Exclude { get; }

    /// <summary>The audio stream of each file, counted from 0.</summary>
    int StreamIndex { get; }

    /// <summary>What becomes of the time before sound that begins later than its file.</summary>
    LateStart LateStart { get; }

    /// <summary>What is taken of files with more than two channels.</summary>
    ChannelLayout ChannelLayout { get; }

    /// <summary>What happens where a file has lost some of its sound.</summary>
    DamageHandling OnDamage { get; }
}
