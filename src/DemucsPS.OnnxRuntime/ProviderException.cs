namespace DemucsPS.OnnxRuntime;

/// <summary>An execution provider that the library has and that does not start here.</summary>
internal sealed class ProviderException(RuntimeException cause) : Exception(cause.Message, cause);
