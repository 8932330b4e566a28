namespace DemucsPS.Engine.Inference;

/// <summary>ONNX Runtime's error codes (<c>OrtErrorCode</c>).</summary>
internal enum OnnxRuntimeErrorCode
{
    /// <summary>No error.</summary>
    Ok,

    /// <summary>A general failure, also that of a terminated run.</summary>
    Fail,

    /// <summary>An argument does not fit the model.</summary>
    InvalidArgument,

    /// <summary>The model file, or a file it refers to, does not exist.</summary>
    NoSuchFile,

    /// <summary>No model.</summary>
    NoModel,

    /// <summary>An exception inside the runtime, for instance of an execution provider.</summary>
    EngineError,

    /// <summary>An exception inside the runtime.</summary>
    RuntimeException,

    /// <summary>The model is not in protobuf format.</summary>
    InvalidProtobuf,

    /// <summary>The model is loaded already.</summary>
    ModelLoaded,

    /// <summary>Not implemented, for instance an operator without a kernel.</summary>
    NotImplemented,

    /// <summary>The graph is not valid.</summary>
    InvalidGraph,

    /// <summary>The execution provider failed.</summary>
    ExecutionProviderFailed,

    /// <summary>Loading was canceled.</summary>
    LoadCanceled,
}
