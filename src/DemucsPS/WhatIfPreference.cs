using System.Management.Automation;

namespace DemucsPS;

/// <summary>What was asked of <c>-WhatIf</c>.</summary>
internal static class WhatIfPreference
{
    /// <summary>Whether nothing will be done, whatever the answer: then it may be looked at more closely what would be.</summary>
    public static bool IsWhatIf(this PSCmdlet cmdlet) =>
        LanguagePrimitives.IsTrue(
            cmdlet.MyInvocation.BoundParameters.TryGetValue("WhatIf", out object? given)
                ? given
                : cmdlet.GetVariableValue("WhatIfPreference")
        );
}
