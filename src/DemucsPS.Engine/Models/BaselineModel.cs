namespace DemucsPS.Engine.Models;

/// <summary>Placeholder until the branch lands.</summary>
public static class BaselineModel
{
    /// <summary>x</summary>
    public static byte[] Build() => [];
}
