using Microsoft.ML.OnnxRuntime;

namespace DemucsPS.OnnxRuntime;

/// <summary>
/// The arena from which all sessions take their memory, so that one uses again what another has freed. It is there as long as a session is,
/// and its memory with it.
/// </summary>
/// <remarks>
/// Its first block is larger than the runtime's default of a megabyte, from which it would come to hundreds by doubling: what is allocated
/// in between does not fit into the small ones, and a real-size htdemucs took 6 % more memory.
/// </remarks>
internal static class SharedArena
{
    private const int FirstBlockBytes = 64 << 20;

    // The arena's settings: the runtime's own choice.
    private const int Default = -1;

    private static readonly Lock s_gate = new();
    private static int s_sessions;

    /// <summary>
    /// Lets a session that is made of some options use it. To be given back when the session is released, or was not made.
    /// </summary>
    /// <exception cref="OnnxRuntimeException">The runtime cannot make it.</exception>
    public static void Take(SessionOptions options)
    {
        options.AddSessionConfigEntry("session.use_env_allocators", "1");
        lock (s_gate)
        {
            if (s_sessions == 0)
            {
                using OrtMemoryInfo memory = Memory();
                using OrtArenaCfg configuration = new(
                    maxMemory: 0,
                    arenaExtendStrategy: Default,
                    initialChunkSizeBytes: FirstBlockBytes,
                    maxDeadBytesPerChunk: Default
                );
                OrtEnv.Instance().CreateAndRegisterAllocator(memory, configuration);
            }
            s_sessions++;
        }
    }

    /// <summary>Says that a session does not use it any more.</summary>
    public static void GiveBack()
    {
        lock (s_gate)
        {
            if (--s_sessions > 0)
                return;
            using OrtMemoryInfo memory = Memory();
            OrtEnv.Instance().UnregisterAllocator(memory);
        }
    }

    private static OrtMemoryInfo Memory() => new(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
}
