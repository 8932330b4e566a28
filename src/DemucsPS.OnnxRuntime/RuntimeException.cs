using Microsoft.ML.OnnxRuntime;

namespace DemucsPS.OnnxRuntime;

/// <summary>An error that ONNX Runtime reported, with its number (<c>OrtErrorCode</c>) and its own words.</summary>
internal sealed class RuntimeException : Exception
{
    /// <summary><c>ORT_FAIL</c>: a general failure.</summary>
    private const int Fail = 1;

    // The package's names for the runtime's numbers, in their order. The last two have other meanings in the runtime by now: an execution
    // provider failed, loading was canceled.
    private static readonly string[] s_names =
    [
        "Ok",
        "Fail",
        "InvalidArgument",
        "NoSuchFile",
        "NoModel",
        "EngineError",
        "RuntimeException",
        "InvalidProtobuf",
        "ModelLoaded",
        "NotImplemented",
        "InvalidGraph",
        "ShapeInferenceNotRegistered",
        "RequirementNotRegistered",
    ];

    /// <param name="code">The runtime's number.</param>
    /// <param name="message">Its words.</param>
    /// <param name="cause">The package's exception; null for none.</param>
    public RuntimeException(int code, string message, Exception? cause)
        : base(message, cause) => Code = code;

    /// <summary>The runtime's number of the error.</summary>
    public int Code { get; }

    /// <summary>Does what calls the runtime, and translates the package's exceptions.</summary>
    /// <exception cref="RuntimeException">The runtime reported an error.</exception>
    public static T Translate<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (Of(e) is { } translated)
        {
            throw translated;
        }
    }

    /// <inheritdoc cref="Translate{T}(Func{T})"/>
    public static void Translate(Action call) =>
        Translate(() =>
        {
            call();
            return true;
        });

    /// <summary>What an exception of the package stands for; null for one that is not about the runtime.</summary>
    internal static RuntimeException? Of(Exception e)
    {
        const string Prefix = "[ErrorCode:";
        return e switch
        {
            // The package throws this in place of its own exception for errors that it has no name for, and the runtime's words are lost.
            KeyNotFoundException => new(
                Fail,
                "The package Microsoft.ML.OnnxRuntime reported an unnamed error: the device was reset, the model needs to be compiled, or something was not found.",
                e
            ),
            OnnxRuntimeException
                when e.Message.StartsWith(Prefix, StringComparison.Ordinal)
                    && e.Message.IndexOf(']', StringComparison.Ordinal) is > 0 and int end => new(
                Array.IndexOf(s_names, e.Message[Prefix.Length..end]) is >= 0 and int code ? code : Fail,
                e.Message[(end + 1)..].TrimStart(),
                e
            ),
            OnnxRuntimeException => new(Fail, e.Message, e),
            _ => null,
        };
    }
}
