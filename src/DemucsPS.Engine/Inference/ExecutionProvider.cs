namespace DemucsPS.Engine.Inference;

/// <summary>What runs a model. One that is asked for and cannot be had is an error, never a silent fall to the CPU; operators that a provider does not know run on the CPU all the same.</summary>
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
    /// The first that starts: under Windows of CUDA and DirectML, under macOS CoreML, elsewhere CUDA; the CPU where none does. What is taken, and why those before it are not, is told.
    /// WebGPU is taken only if it is asked for, since a graphics card that the processor imitates passes for one.
    /// </summary>
    Auto,

    /// <summary>Processors, graphics cards and accelerators of Intel. In a plug-in library, see <see cref="ProviderLibraries"/>.</summary>
    OpenVINO,

    /// <summary>Whatever the plug-in library has that is named, see <see cref="OnnxSessionOptions.ProviderLibrary"/>.</summary>
    Plugin,
}
