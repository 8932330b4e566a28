using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace DemucsPS.OnnxRuntime;

/// <summary>
/// Owns a session. The package's own releases the native one when it is disposed, though runs are in it; a run that holds this handle
/// delays that until it has returned.
/// </summary>
internal sealed class SessionHandle : SafeHandle
{
    private static int s_live;

    private readonly InferenceSession _session;

    private readonly bool _inArena;

    /// <param name="session">The session, owned from now on.</param>
    /// <param name="inArena">Whether it uses the <see cref="SharedArena"/>, which is given back with it.</param>
    public SessionHandle(InferenceSession session, bool inArena)
        : base(0, ownsHandle: true)
    {
        _session = session;
        _inArena = inArena;
        // Its value means nothing but that there is something to release.
        SetHandle(1);
        Interlocked.Increment(ref s_live);
    }

    /// <summary>Sessions of this process that are not released: tests count them.</summary>
    public static int Live => Volatile.Read(ref s_live);

    public override bool IsInvalid => handle == 0;

    /// <summary>Keeps the session alive until the returned lease is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public Lease Use() => new(this);

    protected override bool ReleaseHandle()
    {
        _session.Dispose();
        Interlocked.Decrement(ref s_live);
        if (_inArena)
            SharedArena.GiveBack();
        return true;
    }

    /// <summary>One use of the session.</summary>
    public readonly ref struct Lease
    {
        private readonly SessionHandle _owner;

        public Lease(SessionHandle owner)
        {
            bool added = false;
            owner.DangerousAddRef(ref added);
            _owner = owner;
        }

        /// <summary>The session, valid until <see cref="Dispose"/>.</summary>
        public InferenceSession Session => _owner._session;

        public void Dispose() => _owner.DangerousRelease();
    }
}
