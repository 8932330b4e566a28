namespace DemucsPS.Engine.Naming;

/// <summary>What files next to stems are called that are the mix, and no stem of it.</summary>
internal static class MixNames
{
    private static readonly string[] s_names = ["mix", "mixture"];

    /// <summary>Whether a file is called so.</summary>
    /// <param name="name">Its name without extension.</param>
    public static bool Contains(string name) => s_names.Contains(name, StringComparer.OrdinalIgnoreCase);
}
