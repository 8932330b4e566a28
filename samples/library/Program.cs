// The whole of it: from a file to stems with the engine as a library. dotnet run -- FILE [FOLDER]
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

string file = Path.GetFullPath(args[0]), folder = Path.GetFullPath(args.ElementAtOrDefault(1) ?? "separated");

using ModelBag models = ModelBag.Open(ModelLibrary.Open().Select([], null, Path.GetFullPath), null, new OnnxSessionOptions(), prepare: true);
FileSeparator separator = new(models, StemMatrix.Choose(models.Contract.Stems, null), new SeparationOptions(), new StemOutput(new StemNames(folder, null), new StemFormat()));
SeparationResult result = separator.Separate(new TrackSource(file));

foreach (StemFile stem in result.Stems)
    Console.WriteLine(stem.FilePath);
