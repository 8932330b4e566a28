using System.Globalization;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Bench.Exactness;

/// <summary>
/// How far the stems of one chunk are from the exported graph computed in float64, position embeddings included, for music that ends sooner
/// and sooner.
/// </summary>
internal static class StemErrors
{
    private static readonly string[] s_titles = ["Music, frames", "as exported", "prepared", "prepared, float64"];

    /// <summary>Lists the worst stem's ratio of signal to error for each length of the music.</summary>
    /// <param name="path">Full path of the model.</param>
    /// <param name="others">Other graphs of the model.</param>
    /// <param name="song">An audio file; null for the sound that models are tested with.</param>
    /// <param name="add">A number to add to all samples.</param>
    /// <param name="lengths">Frames of music; behind them are zeros.</param>
    /// <param name="output">Takes the table.</param>
    public static void Report(
        string path,
        IReadOnlyList<string> others,
        string? song,
        float add,
        IReadOnlyList<int> lengths,
        TextWriter output
    )
    {
        string folder = Path.GetDirectoryName(path)!;
        GraphModel exported = GraphModel.Parse(File.ReadAllBytes(path));
        // What the exporter computed in float32 is no part of what the model means.
        PositionEmbeddings.Apply(exported, folder);
        ExactGraph graph = new(exported, folder);
        using PreparedModel? prepared = PreparedModel.Prepare(
            path,
            GraphTarget.Cpu,
            PreparationCache.Open(),
            output.WriteLine,
            CancellationToken.None
        );
        ExactGraph? rewritten = prepared is null ? null : new(GraphModel.Parse(prepared.ToBytes()), folder);
        List<SeparationModel> models =
        [
            SeparationModel.Load(ModelSource.Find(path), new OnnxSessionOptions()),
            SeparationModel.Load(ModelSource.Find(path), new OnnxSessionOptions(), prepare: true),
            .. others.Select(other => SeparationModel.Load(ModelSource.Find(Path.GetFullPath(other)), new OnnxSessionOptions())),
        ];
        try
        {
            output.WriteLine("The worst stem's ratio of signal to error in dB, against the exported graph in float64.");
            output.WriteLine(string.Concat(s_titles.Concat(others.Select(Path.GetFileName)).Select(title => $"{title,20}")));
            foreach (int length in lengths)
            {
                (float[] left, float[] right) = ExactChunk.Music(models[0].Contract.SegmentFrames, song, length, add);
                ExactChunk chunk = new(models[0].Contract, left, right);
                float[][] exact = chunk.Stems(graph);
                List<double> found = [.. models.Select(model => Worst(exact, chunk.Stems(model)))];
                found.Insert(2, rewritten is null ? double.PositiveInfinity : Worst(exact, chunk.Stems(rewritten)));
                output.WriteLine(
                    $"{length,20}"
                        + string.Concat(found.Select(decibels => string.Create(CultureInfo.InvariantCulture, $"{decibels,20:F1}")))
                );
                output.Flush();
            }
        }
        finally
        {
            models.ForEach(model => model.Dispose());
        }
    }

    private static double Worst(float[][] exact, float[][] stems) =>
        Enumerable
            .Range(0, exact.Length / 2)
            .Min(stem =>
            {
                double signal = 0,
                    error = 0;
                for (int channel = 2 * stem; channel < 2 * stem + 2; channel++)
                {
                    for (int i = 0; i < exact[channel].Length; i++)
                    {
                        signal += (double)exact[channel][i] * exact[channel][i];
                        error += Math.Pow((double)stems[channel][i] - exact[channel][i], 2);
                    }
                }
                return 10 * Math.Log10(signal / error);
            });
}
