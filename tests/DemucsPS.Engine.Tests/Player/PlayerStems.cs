using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Encoders;

namespace DemucsPS.Engine.Tests.Player;

/// <summary>Folders of stems made of formulas.</summary>
internal static class PlayerStems
{
    public const int Rate = 44_100;

    /// <summary>The control's delay: one millisecond.</summary>
    public const int Late = 44;

    /// <summary>Noise between −0.4 and 0.4, the same for the same seed.</summary>
    public static float[] Noise(int frames, int seed)
    {
        Random random = new(seed);
        float[] samples = new float[frames];
        for (int i = 0; i < frames; i++)
            samples[i] = random.Next(-13107, 13108) / 32768f;
        return samples;
    }

    public static float[] Sine(int frames, double hertz, double amplitude = 0.25, int rate = Rate)
    {
        float[] samples = new float[frames];
        for (int i = 0; i < frames; i++)
            samples[i] = (float)(amplitude * Math.Sin(2 * Math.PI * hertz * i / rate));
        return samples;
    }

    /// <summary>
    /// Stems that tell whether they are in step: <c>noise</c> and <c>opposite</c> together are silence if they are so to the sample;
    /// <c>late</c> is the opposite, one millisecond behind, which leaves
    /// more than it takes; and <c>tone</c>. The mix is the sum of the four.
    /// </summary>
    public static void WriteStepTest(string folder, int frames)
    {
        float[] noise = Noise(frames, 1),
            opposite = Array.ConvertAll(noise, n => -n),
            late = [.. new float[Late], .. opposite[..^Late]],
            tone = Sine(frames, 1000);
        Write(Path.Combine(folder, "noise.wav"), noise);
        Write(Path.Combine(folder, "opposite.wav"), opposite);
        Write(Path.Combine(folder, "late.wav"), late);
        Write(Path.Combine(folder, "tone.wav"), tone);
        Write(Path.Combine(folder, "mix.wav"), [.. noise.Select((n, i) => n + opposite[i] + late[i] + tone[i])]);
    }

    /// <summary>Writes both channels alike, as 16-bit integers.</summary>
    public static void Write(string path, float[] samples, int rate = Rate, WavSampleFormat format = WavSampleFormat.Pcm16)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        float[] both = new float[2 * samples.Length];
        for (int i = 0; i < samples.Length; i++)
            both[2 * i] = both[2 * i + 1] = samples[i];
        using WavWriter writer = WavWriter.Create(path, rate, 2, format);
        writer.Write(both, 1);
        writer.Complete();
    }
}
