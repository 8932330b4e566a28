using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Input;

/// <summary>What is taken of the files, folders and lists that a user names.</summary>
public sealed record TrackListOptions
{
    /// <summary>Which audio stream of each file, counted from 0.</summary>
    public int StreamIndex { get; init; }

    /// <summary>What happens to the time before sound that begins later than its file.</summary>
    public LateStart LateStart { get; init; }

    /// <summary>What is separated of files with more than two channels.</summary>
    public ChannelLayout ChannelLayout { get; init; }

    /// <summary>What happens where a file has lost some of its sound.</summary>
    public DamageHandling OnDamage { get; init; }

    /// <summary>Whether folders are taken with the folders in them.</summary>
    public bool Recurse { get; init; }

    /// <summary>Whether the user can set <see cref="Recurse"/>. If not, messages do not advise it.</summary>
    public bool CanRecurse { get; init; } = true;

    /// <summary>
    /// Names of the files that are taken from folders, with * and ? for any characters and any one; by default all with the name of an
    /// audio file.
    /// </summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Names of files and folders that are left out of folders, also with * and ?.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Full path of the folder that stems go to; it is skipped in folders. Null for none.</summary>
    public string? OutputFolder { get; init; }

    /// <summary>Refuses values that are out of range.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    public void Check()
    {
        if (StreamIndex < 0)
            throw new DemucsException(DemucsError.ParameterInvalid, $"The stream index is {StreamIndex}; audio streams are counted from 0.")
            {
                Parameter = EngineParameter.StreamIndex,
            };
    }
}
