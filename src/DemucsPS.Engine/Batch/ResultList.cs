using System.Collections.ObjectModel;

namespace DemucsPS.Engine.Batch;

/// <summary>A list in a result. Its text, such as in a table or a CSV file, lists its items.</summary>
/// <typeparam name="T">Type of the items.</typeparam>
/// <param name="items">The items.</param>
public sealed class ResultList<T>(IEnumerable<T> items) : ReadOnlyCollection<T>([.. items])
{
    /// <summary>The items, joined by "; ".</summary>
    public override string ToString() => string.Join("; ", this);
}
