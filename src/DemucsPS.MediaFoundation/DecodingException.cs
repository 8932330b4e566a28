namespace DemucsPS.MediaFoundation;

/// <summary>Windows does not decode a file, and says why.</summary>
internal sealed class DecodingException(string message, Exception cause) : Exception(message, cause)
{
    /// <summary>Whether it decodes none, because its decoders are not installed.</summary>
    public bool IsMissing => InnerException is DllNotFoundException or EntryPointNotFoundException;
}
