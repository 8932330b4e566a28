using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// Owns one native object of ONNX Runtime. A call that uses the object goes through <see cref="Use"/>, so disposing during a run only
/// marks the handle: the object is released when the run has returned.
/// </summary>
internal sealed unsafe class OrtHandle : SafeHandle
{
    private static int s_live;

    private readonly delegate* unmanaged[Cdecl]<nint, void> _release;

    public OrtHandle(nint value, delegate* unmanaged[Cdecl]<nint, void> release)
        : base(0, ownsHandle: true)
    {
        _release = release;
        SetHandle(value);
        if (value != 0)
            Interlocked.Increment(ref s_live);
    }

    /// <summary>Native objects that are not released, in the whole process: lets tests look for leaks.</summary>
    internal static int Live => Volatile.Read(ref s_live);

    public override bool IsInvalid => handle == 0;

    /// <summary>Keeps the object alive until the returned lease is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public Lease Use() => new(this);

    protected override bool ReleaseHandle()
    {
        _release(handle);
        Interlocked.Decrement(ref s_live);
        return true;
    }

    /// <summary>One use of the object.</summary>
    public readonly ref struct Lease
    {
        private readonly OrtHandle _owner;

        public Lease(OrtHandle owner)
        {
            bool added = false;
            owner.DangerousAddRef(ref added);
            _owner = owner;
        }

        /// <summary>The native pointer, valid until <see cref="Dispose"/>.</summary>
        public nint Pointer => _owner.DangerousGetHandle();

        public void Dispose() => _owner.DangerousRelease();
    }
}
