using System.Collections;
using System.Runtime.InteropServices;
using DemucsPS.Engine.Inference;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Engine.Tests.Inference;

public sealed unsafe class RuntimeSessionTests
{
    [Fact]
    public void A_session_that_is_disposed_in_the_middle_of_a_run_lives_until_it_has_ended()
    {
        OnnxRuntimeLibrary.Load();
        RuntimeSession session = RuntimeSession.Load(
            SmallModels.Slow(3, 1),
            null,
            new SessionSettings
            {
                IntraOpThreads = 1,
                InterOpThreads = 1,
                OptimizationLevel = 0,
                CpuArena = true,
                MemoryPattern = false,
                CallersOnly = false,
                ConfigEntries = new Dictionary<string, string>(),
                ProviderOptions = new Dictionary<string, string>(),
            },
            CancellationToken.None
        );
        float* x = (float*)NativeMemory.AlignedAlloc(2 * 64, 64);
        try
        {
            for (int i = 0; i < 9; i++)
                x[i] = i + 1;
            float* y = x + 16;
            // Its inputs are looked at when the run has begun.
            DisposingList inputs = new(session, new BoundTensor("x", 1, [3, 3], (nint)x, 36));
            session.Run(inputs, [new BoundTensor("y", 1, [3, 3], (nint)y, 36)], shrink: false, CancellationToken.None);
            Assert.True(inputs.WasRead);
            Assert.Equal([30, 36, 42, 66, 81, 96, 102, 126, 150], new ReadOnlySpan<float>(y, 9).ToArray());
        }
        finally
        {
            NativeMemory.AlignedFree(x);
        }
        Assert.Throws<ObjectDisposedException>(() => session.Run([], [], shrink: false, CancellationToken.None));
    }

    /// <summary>One tensor; whoever reads it disposes the session.</summary>
    private sealed class DisposingList(RuntimeSession session, BoundTensor tensor) : IReadOnlyList<BoundTensor>
    {
        public bool WasRead { get; private set; }

        public int Count => 1;

        public BoundTensor this[int index] => Read();

        public IEnumerator<BoundTensor> GetEnumerator()
        {
            yield return Read();
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        private BoundTensor Read()
        {
            WasRead = true;
            session.Dispose();
            return tensor;
        }
    }
}
