namespace DemucsPS.Engine.Tests.Separation;

/// <summary>
/// Reference data of the official code: the small part that is in the repository, and all of it where it lies beside the repository.
/// </summary>
internal static class OfficialFiles
{
    /// <summary>A file's path; without the file the test is skipped.</summary>
    public static string Find(params string[] parts)
    {
        string inside = Path.Combine([RepositoryFiles.Root, "tests", "fixtures", "official", .. parts]),
            beside = Path.Combine([RepositoryFiles.Root, "..", "shared", "reference", "official", .. parts]);
        if (File.Exists(inside))
            return inside;
        if (!File.Exists(beside))
            Assert.Skip($"'{string.Join('/', parts)}' is not in the repository, and not beside it as '{beside}'.");
        return beside;
    }
}
