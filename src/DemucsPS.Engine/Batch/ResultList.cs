using System.Collections.ObjectModel;

namespace DemucsPS.Engine.Batch;

/// <summary>A list in a result. As text, such as in a table or a CSV file, it is its items.</summary>
/// <typeparam name="T">Of the items.</typeparam>
/// <param name="items">The items.</param>
public sealed class ResultList<T>(IEnumerable<T> items) : ReadOnlyCollection<T>([.. items])
{
    /// <summary>The items, with "; " between.</summary>
    public override string ToString() => string.Join("; ", this);
}
