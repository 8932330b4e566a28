using System.Diagnostics;

namespace DemucsPS.Engine.Audio.FFmpeg;

/// <summary>All that a short run of ffmpeg writes.</summary>
/// <param name="Bytes">What it writes to its standard output; null when it fails, writes too much or takes too long.</param>
/// <param name="ExitCode">How it ended; null when it had to be ended.</param>
/// <param name="Log">Its messages.</param>
internal sealed record FFmpegOutput(byte[]? Bytes, int? ExitCode, FFmpegLog Log)
{
    /// <summary>Takes what a process writes.</summary>
    /// <param name="process">Started with its streams redirected; it has ended afterwards.</param>
    /// <param name="maxBytes">More is too much.</param>
    /// <param name="timeLimit">For everything.</param>
    public static FFmpegOutput Collect(Process process, int maxBytes, TimeSpan timeLimit)
    {
        FFmpegLog log = new(process.StandardError.BaseStream);
        Stream output = process.StandardOutput.BaseStream;
        bool hasEnded = false;
        try
        {
            // On its own thread, because not every platform can give up reading a pipe.
            Task<byte[]?> bytes = Task.Factory.StartNew(
                () => ReadAll(output, maxBytes),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default
            );
            hasEnded = bytes.Wait(timeLimit) && bytes.Result is not null && process.WaitForExit(timeLimit);
            if (!hasEnded)
                return new FFmpegOutput(null, null, log);
            log.WaitForEnd(TimeSpan.FromSeconds(2));
            return new FFmpegOutput(process.ExitCode == 0 ? bytes.Result : null, process.ExitCode, log);
        }
        finally
        {
            if (!hasEnded)
                FFmpegReader.Kill(process, log);
        }
    }

    private static byte[]? ReadAll(Stream output, int maxBytes)
    {
        MemoryStream bytes = new();
        byte[] block = new byte[4096];
        try
        {
            int read;
            while ((read = output.Read(block)) > 0)
            {
                bytes.Write(block, 0, read);
                if (bytes.Length > maxBytes)
                    return null;
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The process was killed.
            return null;
        }

        return bytes.ToArray();
    }
}
