namespace DemucsPS.Engine.Files;

/// <summary>Where the program keeps what it has of this user, where no variable says otherwise.</summary>
internal static class ApplicationFolder
{
    /// <summary>The folder for what the program keeps of this user.</summary>
    public static string Path =>
        System.IO.Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            "DemucsPS"
        );

    /// <summary>The full path that an environment variable names; null if it names none.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: it is not a full path.</exception>
    public static string? FromVariable(string variable)
    {
        string? value = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrWhiteSpace(value))
            return null;
        return System.IO.Path.IsPathFullyQualified(value)
            ? value
            : throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"${variable} is '{value}', which is not a full path. Set it to a full path.",
                value
            );
    }
}
