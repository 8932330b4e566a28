namespace DemucsPS.Engine.Stems.Selection;

/// <summary>How the rest beside one stem is made.</summary>
public enum TwoStemsMethod
{
    /// <summary>The sum of the other stems.</summary>
    Add,

    /// <summary>The mix minus the stem: both sum to the mix exactly, and only the one stem is computed.</summary>
    Minus,
}
