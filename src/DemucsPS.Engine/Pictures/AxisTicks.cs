using System.Globalization;
using DemucsPS.Pictures;

namespace DemucsPS.Engine.Pictures;

/// <summary>The marks of axes, as many as there is room for.</summary>
internal static class AxisTicks
{
    private static readonly double[] s_timeSteps =
    [
        .. new[] { 0.001, 0.01, 0.1 }.SelectMany(unit => new[] { unit, 2 * unit, 5 * unit }),
        1,
        2,
        5,
        10,
        15,
        30,
        60,
        120,
        300,
        600,
        900,
        1800,
        3600,
        7200,
        14400,
        28800,
    ];

    private static readonly double[] s_melLabels =
    [
        100,
        250,
        500,
        1000,
        2000,
        3000,
        4000,
        6000,
        8000,
        12_000,
        16_000,
        24_000,
        32_000,
        48_000,
        64_000,
        96_000,
        128_000,
        192_000,
        256_000,
    ];
    private static readonly double[][] s_logDigits =
    [
        [1, 2, 5],
        [1, 3],
        [1],
    ];
    private static readonly double[] s_digits = [1, 2, 3, 4, 5, 6, 7, 8, 9],
        s_roundDigits = [1, 2, 5],
        s_levelSteps = [1, 2, 5, 10, 20, 50];

    /// <summary>Marks of a time axis, and what it says.</summary>
    /// <param name="start">Time at its start in seconds.</param>
    /// <param name="seconds">Its length.</param>
    /// <param name="points">Its length in points of 1/96 inch.</param>
    public static (IReadOnlyList<PictureTick> Ticks, string Label) OfTime(double start, double seconds, double points)
    {
        const double Room = 72;
        double step = s_timeSteps.FirstOrDefault(s => points * s / seconds >= Room, s_timeSteps[^1]),
            end = start + seconds;
        (string whole, string label) =
            end >= 3600 ? (@"h\:mm\:ss", "Time (h:min:s)")
            : end >= 60 ? (@"m\:ss", "Time (min:s)")
            : ("", "Time (s)");
        int decimals = Math.Max(0, (int)-Math.Floor(Math.Log10(step)));
        List<PictureTick> ticks = [];
        for (double i = Math.Ceiling(start / step - 1e-9); i * step <= end + step * 1e-9; i++)
        {
            // Not minus zero, which would be written so.
            double time = i * step + 0.0;
            ticks.Add(new PictureTick((time - start) / seconds, Text(time)));
        }
        return (ticks, label);

        string Text(double time)
        {
            if (whole.Length == 0)
                return time.ToString("F" + decimals, CultureInfo.InvariantCulture);
            // Rounded first, so that 59.9999 is the next minute.
            TimeSpan rounded = TimeSpan.FromSeconds((double)Math.Round((decimal)time, decimals));
            return rounded.ToString(decimals == 0 ? whole : whole + @"\." + new string('f', decimals), CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Marks of a frequency axis.</summary>
    /// <param name="scale">Its scale.</param>
    /// <param name="rows">Its ends.</param>
    /// <param name="points">Its length in points of 1/96 inch.</param>
    public static IReadOnlyList<PictureTick> OfFrequency(FrequencyScale scale, FrequencyRows rows, double points)
    {
        const double Room = 15;
        double[] labeled = scale switch
        {
            FrequencyScale.Log => Decades(s_logDigits),
            FrequencyScale.Mel => Spaced(s_melLabels),
            _ => Spaced(Multiples(LinearStep())),
        };
        // A narrow band has no such round number in it.
        if (labeled.Length < 2)
            labeled = [rows.MinFrequency, rows.MaxFrequency];
        IEnumerable<double> small = scale == FrequencyScale.Log ? Decade(s_digits).Except(labeled) : [];
        return
        [
            .. labeled.Select(f => new PictureTick(rows.PositionOf(f), Text(f))),
            .. small.Select(f => new PictureTick(rows.PositionOf(f), null)),
        ];

        double[] Decade(double[] of) =>
            [.. Enumerable.Range(-1, 8).SelectMany(power => of.Select(digit => digit * Math.Pow(10, power))).Where(Inside)];

        double[] Decades(double[][] choices) =>
            choices
                .Select(Decade)
                .FirstOrDefault(chosen => chosen.Zip(chosen.Skip(1)).All(pair => Points(pair.First, pair.Second) >= Room), []);

        double[] Multiples(double step) =>
            [.. Enumerable.Range(0, 1 + (int)(rows.MaxFrequency / step)).Select(i => i * step).Where(Inside)];

        double LinearStep() =>
            Enumerable
                .Range(0, 7)
                .SelectMany(power => s_roundDigits.Select(digit => digit * Math.Pow(10, power)))
                .FirstOrDefault(step => Points(rows.MinFrequency, rows.MinFrequency + step) >= 1.5 * Room, 1e6);

        double[] Spaced(double[] of)
        {
            List<double> kept = [];
            foreach (double frequency in of.Where(Inside))
            {
                if (kept.Count == 0 || Points(kept[^1], frequency) >= Room)
                    kept.Add(frequency);
            }
            return [.. kept];
        }

        bool Inside(double frequency) => frequency >= rows.MinFrequency * (1 - 1e-9) && frequency <= rows.MaxFrequency * (1 + 1e-9);

        double Points(double from, double to) => (rows.PositionOf(to) - rows.PositionOf(from)) * points;

        static string Text(double frequency) =>
            frequency >= 1000
                ? (frequency / 1000).ToString("0.##", CultureInfo.InvariantCulture) + "k"
                : frequency.ToString("0.##", CultureInfo.InvariantCulture);
    }

    /// <summary>Marks of a color bar.</summary>
    /// <param name="minDb">Level at its lower end.</param>
    /// <param name="maxDb">Level at its upper end.</param>
    /// <param name="points">Its length in points of 1/96 inch.</param>
    public static IReadOnlyList<PictureTick> OfLevels(double minDb, double maxDb, double points)
    {
        const double Room = 36;
        double step = s_levelSteps.FirstOrDefault(s => points * s / (maxDb - minDb) >= Room, 100);
        List<PictureTick> ticks = [];
        for (double i = Math.Ceiling(minDb / step); i * step <= maxDb; i++)
            ticks.Add(
                new PictureTick((i * step - minDb) / (maxDb - minDb), (i * step).ToString("0;\u22120;0", CultureInfo.InvariantCulture))
            );
        return ticks;
    }
}
