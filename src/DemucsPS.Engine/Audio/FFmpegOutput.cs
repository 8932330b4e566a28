using System.Diagnostics;

namespace DemucsPS.Engine.Audio;

/// <summary>Takes all that a short run of ffmpeg writes to its standard output.</summary>
internal static class FFmpegOutput
{
    /// <summary>What the process writes; null when it fails, writes too much or takes too long.</summary>
    /// <param name="process">Started with its streams redirected; it has ended afterwards.</param>
    /// <param name="maxBytes">More is too much.</param>
    /// <param name="timeLimit">For everything.</param>
    public static byte[]? Collect(Process process, int maxBytes, TimeSpan timeLimit)
    {
        var log = new FFmpegLog(process.StandardError.BaseStream);
        Stream output = process.StandardOutput.BaseStream;
        bool isGood = false;
        try
        {
            // On a thread of its own, because not every platform can give up reading a pipe.
            Task<byte[]?> bytes = Task.Factory.StartNew(() => ReadAll(output, maxBytes), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            isGood = bytes.Wait(timeLimit) && bytes.Result is not null && process.WaitForExit(timeLimit) && process.ExitCode == 0;
            return isGood ? bytes.Result : null;
        }
        finally
        {
            if (!isGood)
                FFmpegReader.Kill(process, log);
        }
    }

    private static byte[]? ReadAll(Stream output, int maxBytes)
    {
        var bytes = new MemoryStream();
        var block = new byte[4096];
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
