using System.Management.Automation;

namespace DemucsPS;

/// <summary>The parameters by which cmdlets take audio files and folders of them.</summary>
internal interface IFileInput
{
    /// <summary>Audio files, folders, playlists and CUE sheets; wildcards are allowed.</summary>
    string[] Path { get; }

    /// <summary>The same, by literal names.</summary>
    string[] LiteralPath { get; }

    /// <summary>Include subfolders.</summary>
    SwitchParameter Recurse { get; }

    /// <summary>Names of the files that are taken from folders.</summary>
    string[] Include { get; }

    /// <summary>Names of files and folders that are left out of folders.</summary>
    string[] Exclude { get; }
}
