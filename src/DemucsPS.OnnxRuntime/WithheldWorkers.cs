using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace DemucsPS.OnnxRuntime;

/// <summary>
/// The worker threads of a session that is to compute in its callers' threads only: the runtime asks for them, counts on them when it
/// divides its operators, and does
/// not miss them, because a caller takes back what no worker has started. They are only started to be told of the session's end.
/// </summary>
/// <remarks>
/// How the runtime divides a sum depends on the number of its threads, and so does the sum's last bit. Asking it for one thread would
/// therefore give other results than asking it for all; this does not.
/// </remarks>
internal sealed unsafe class WithheldWorkers : IDisposable
{
    private readonly List<Worker> _workers = [];
    private GCHandle _self;

    /// <summary>
    /// Lets the session that will be made of some options have such workers. To be disposed when it is made; the workers live as long as
    /// the session.
    /// </summary>
    public WithheldWorkers(SessionOptions options)
    {
        _self = GCHandle.Alloc(this);
        try
        {
            // The package has no methods for these.
            OrtApi api = NativeRuntime.Api;
            nint native = options.DangerousGetHandle();
            NativeRuntime.Check(
                (
                    (delegate* unmanaged[Cdecl]<nint, delegate* unmanaged[Cdecl]<nint, nint, nint, nint>, nint>)
                        api.SessionOptionsSetCustomCreateThreadFn
                )(native, &Create)
            );
            NativeRuntime.Check(
                ((delegate* unmanaged[Cdecl]<nint, nint, nint>)api.SessionOptionsSetCustomThreadCreationOptions)(
                    native,
                    GCHandle.ToIntPtr(_self)
                )
            );
            NativeRuntime.Check(
                ((delegate* unmanaged[Cdecl]<nint, delegate* unmanaged[Cdecl]<nint, void>, nint>)api.SessionOptionsSetCustomJoinThreadFn)(
                    native,
                    &Join
                )
            );
        }
        catch
        {
            _self.Free();
            throw;
        }
    }

    /// <summary>How many the runtime asked for.</summary>
    public int Count
    {
        get
        {
            lock (_workers)
                return _workers.Count;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _self.Free();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Create(nint owner, nint function, nint parameter)
    {
        Worker worker = new((WithheldWorkers)GCHandle.FromIntPtr(owner).Target!, function, parameter);
        lock (worker.Owner._workers)
            worker.Owner._workers.Add(worker);
        return GCHandle.ToIntPtr(GCHandle.Alloc(worker));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Join(nint handle)
    {
        GCHandle self = GCHandle.FromIntPtr(handle);
        Worker worker = (Worker)self.Target!;
        self.Free();
        // All together, because in some versions none ends before all of them have seen that there is nothing to do.
        lock (worker.Owner._workers)
        {
            foreach (Worker any in worker.Owner._workers)
                any.Start();
            worker.Owner._workers.Clear();
        }
        worker.Wait();
    }

    /// <summary>A thread of the runtime that was not started.</summary>
    private sealed class Worker(WithheldWorkers owner, nint function, nint parameter)
    {
        private Thread? _thread;

        public WithheldWorkers Owner => owner;

        public void Start()
        {
            _thread = new Thread(() => ((delegate* unmanaged[Cdecl]<nint, void>)function)(parameter)) { IsBackground = true };
            _thread.Start();
        }

        public void Wait() => _thread!.Join();
    }
}
