namespace DemucsPS.Engine.Inference;

/// <summary>
/// What runs a model. If the requested one is unavailable, that is an error, never a silent fallback to the CPU. Only operators that a
/// provider does not support run on the CPU.
/// </summary>
public enum ExecutionProvider
{
    /// <summary>The processor; every ONNX Runtime library has it.</summary>
    Cpu,

    /// <summary>NVIDIA graphics cards. In the GPU build of ONNX Runtime, which needs the CUDA and cuDNN libraries.</summary>
    Cuda,

    /// <summary>Graphics cards under Windows, by DirectX 12.</summary>
    DirectML,

    /// <summary>Apple's accelerators.</summary>
    CoreML,

    /// <summary>Graphics cards by Vulkan, Metal or DirectX 12.</summary>
    WebGpu,

    /// <summary>
    /// The first that starts: under Windows of CUDA and DirectML, under macOS CoreML, elsewhere CUDA; the CPU if none does. The choice, and
    /// the reasons against the others, are reported.
    /// WebGPU is used only on request, because an emulated graphics card would pass for a real one.
    /// </summary>
    Auto,

    /// <summary>Processors, graphics cards and accelerators of Intel. In a plug-in library, see <see cref="ProviderLibraries"/>.</summary>
    OpenVINO,

    /// <summary>Whatever the plug-in library has that is named, see <see cref="OnnxSessionOptions.ProviderLibrary"/>.</summary>
    Plugin,
}
