namespace DemucsPS.Engine.Tests.Separation;

/// <summary>A clock that can be turned, also backwards: the time of day and what intervals are measured by.</summary>
internal sealed class TurnedClock : TimeProvider
{
    private TimeSpan _turned;

    public void Turn(TimeSpan by) => _turned += by;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + _turned;

    public override long GetTimestamp() => System.GetTimestamp() + (long)(_turned.TotalSeconds * TimestampFrequency);
}
