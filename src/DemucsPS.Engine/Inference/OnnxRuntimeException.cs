namespace DemucsPS.Engine.Inference;

/// <summary>An error that ONNX Runtime reported; the message is the runtime's own.</summary>
internal sealed class OnnxRuntimeException : Exception
{
    /// <summary>Creates an error of the runtime.</summary>
    /// <param name="code">The runtime's code.</param>
    /// <param name="message">The runtime's message.</param>
    /// <param name="cause">What reported it; null for nothing.</param>
    public OnnxRuntimeException(OnnxRuntimeErrorCode code, string message, Exception? cause = null)
        : base(message, cause) => Code = code;

    /// <summary>The runtime's code.</summary>
    public OnnxRuntimeErrorCode Code { get; }

    /// <summary>Whether memory ran out, of the processor or of an accelerator. The runtime has no code for it, only words.</summary>
    public bool IsOutOfMemory =>
        Message.Contains("Failed to allocate memory", StringComparison.OrdinalIgnoreCase)
        || Message.Contains("bad_alloc", StringComparison.OrdinalIgnoreCase)
        || Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
        || Message.Contains("out_of_memory", StringComparison.OrdinalIgnoreCase);
}
