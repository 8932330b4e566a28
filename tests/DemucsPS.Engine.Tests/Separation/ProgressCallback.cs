using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>Calls a method at once, on the reporting thread, unlike <see cref="Progress{T}"/>.</summary>
internal sealed class ProgressCallback(Action<SeparationProgress> report) : IProgress<SeparationProgress>
{
    public void Report(SeparationProgress value) => report(value);
}
