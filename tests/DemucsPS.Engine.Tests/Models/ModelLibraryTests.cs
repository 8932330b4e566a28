using System.Text.Json;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Models.Installation;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Inference;

namespace DemucsPS.Engine.Tests.Models;

public sealed class ModelLibraryTests
{
    [Fact]
    public void The_programs_catalog_is_sound()
    {
        IReadOnlyList<CatalogEntry> entries = ModelCatalog.BuiltIn.Entries;
        foreach (
            string name in new[]
            {
                "baseline",
                "htdemucs",
                "htdemucs_6s",
                "htdemucs_ft",
                "htdemucs_ryan5453",
                "htdemucs_6s_ryan5453_fp16",
                "htdemucs_timcsy",
                "htdemucs_ft_stemsplitio",
            }
        )
            Assert.Contains(entries, e => e.Name == name);
        Assert.All(entries.Where(e => e.Files.Count > 0), e =>
        {
            Assert.NotNull(e.LicenseNotice);
            Assert.True(e.LicenseNotice.Length > 100, "a notice, not its key");
            Assert.NotNull(e.Contract);
            Assert.All(e.Files, f => Assert.Matches("^https://.*/resolve/[0-9a-f]{40}/", f.Url.ToString()));
            // Resolution finds a model by its folder, output folders are named after its file where it is used by its path. The author's
            // files keep their names, which are what provenance tells.
            Assert.Equal(
                e.Files[0].Name.EndsWith(".safetensors", StringComparison.Ordinal) ? e.Files[0].Url.Segments[^1] : $"{e.Name}.onnx",
                e.Files[0].Name
            );
        });
        // The names that people know mean the author's own files; what others made of them says whose it is.
        Assert.Equal(
            ["htdemucs", "htdemucs_6s", "htdemucs_ft_drums", "htdemucs_ft_bass", "htdemucs_ft_other", "htdemucs_ft_vocals"],
            entries
                .Where(e => e.Files.Any(f => f.Url.ToString().Contains("/adefossez/HTDemucs", StringComparison.Ordinal)))
                .Select(e => e.Name)
        );
        Assert.All(entries.Where(e => e.Files.Any(f => f.Name.EndsWith(".onnx", StringComparison.Ordinal))), e =>
            Assert.Contains(e.Files[0].Url.Segments[1].TrimEnd('/'), e.Name, StringComparison.OrdinalIgnoreCase)
        );
        foreach (string fact in (string[])["2026-07-11", "2026-08-31", "2026-11-28", "'mit'", "scientific purposes"])
            Assert.Contains(fact, entries.Single(e => e.Name == "htdemucs").LicenseNotice!, StringComparison.Ordinal);
        CatalogEntry bag = entries.Single(e => e.Name == "htdemucs_ft");
        Assert.Contains(bag.Scores, s => s.Sdr == 9.0 && s.Source.Contains("facebookresearch/demucs", StringComparison.Ordinal));
        for (int model = 0; model < 4; model++)
        {
            Assert.Equal($"htdemucs_ft_{bag.Stems[model]}", bag.Members[model].Model);
            Assert.Equal(Enumerable.Range(0, 4).Select(stem => stem == model ? 1.0 : 0.0), bag.Members[model].Weights);
        }
        // A bag of a user's file is checked against its models; that of the program is here.
        Assert.All(bag.Members, m => Assert.Equal(bag.Stems, entries.Single(e => e.Name == m.Model).Stems));
    }

    private const string Files =
        """ "files": [{ "name": "a.onnx", "url": "https://models.invalid/a.onnx", "size": 5, "sha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF" }] """;
    private const string Rest = """ "stems": ["x", "y"], "segment": 8192 """;

    public static TheoryData<string, string> BadCatalogs =>
        new()
        {
            { "{", "not valid JSON" },
            { """{ "version": 2, "models": [] }""", "version" },
            { """{ "version": 1 }""", "'models'" },
            { """{ "version": 1, "models": [], "more": 1 }""", "'more' is unknown" },
            { $$"""{ "version": 1, "models": [{ "name": "../up", {{Rest}}, {{Files}} }] }""", "'../up'" },
            { $$"""{ "version": 1, "models": [{ "name": "aux.x", {{Rest}}, {{Files}} }] }""", "'aux.x'" },
            { $$"""{ "version": 1, "models": [{ "name": "htdemucs", {{Rest}}, {{Files}} }] }""", "model 'htdemucs'" },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}}, {{Files}} }, { "name": "A", {{Rest}}, {{Files}} }] }""",
                "occurs twice"
            },
            { $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}} }] }""", "'files' or a 'bag'" },
            { $$"""{ "version": 1, "models": [{ "name": "a", "builtIn": true, {{Rest}} }] }""", "built in" },
            { $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}}, "contract": "none", {{Files}} }] }""", "contract is 'none'" },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}}, {{Files.Replace("https", "http", StringComparison.Ordinal)}} }] }""",
                "use https, file"
            },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}}, {{Files.Replace("a.onnx\",", "..\",", StringComparison.Ordinal)}} }] }""",
                "'..'"
            },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}}, {{Files.Replace("0123456789abcdef0123", "", StringComparison.Ordinal)}} }] }""",
                "64 hexadecimal"
            },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}}, {{Files.Replace("\"size\": 5", "\"size\": 0", StringComparison.Ordinal)}} }] }""",
                "'size'"
            },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest.Replace("8192", "100", StringComparison.Ordinal)}}, {{Files}} }] }""",
                "'segment'"
            },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest.Replace("\"y\"", "\"x\"", StringComparison.Ordinal)}}, {{Files}} }] }""",
                "different names"
            },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}}, "bag": [{ "model": "none", "weights": [1, 1] }] }] }""",
                "in no catalog"
            },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}}, "bag": [{ "model": "htdemucs", "weights": [1, 1] }] }] }""",
                "other stems"
            },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}}, "bag": [{ "model": "htdemucs", "weights": [1, -1] }] }] }""",
                "weight -1"
            },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}}, "bag": [{ "model": "htdemucs", "weights": [1, 0] }] }] }""",
                "for 'y'"
            },
            {
                $$"""{ "version": 1, "models": [{ "name": "a", {{Rest}}, "bag": [{ "model": "htdemucs", "weights": [1] }] }] }""",
                "1 weights for 2 stems"
            },
        };

    [Theory]
    [MemberData(nameof(BadCatalogs))]
    public void A_bad_catalog_is_named_with_what_is_wrong(string json, string says)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["mine.json"], json);
        DemucsException e = Assert.Throws<DemucsException>(() => ModelLibrary.Open(folder["models"], folder["mine.json"]));
        Assert.Equal(DemucsError.CatalogInvalid, e.Error);
        Assert.Contains(folder["mine.json"], e.Message, StringComparison.Ordinal);
        Assert.True(e.Message.Contains(says, StringComparison.Ordinal), e.Message);
    }

    [Fact]
    public void A_catalog_that_is_missing_or_too_long_is_named()
    {
        using TemporaryFolder folder = new();
        Assert.Equal(
            DemucsError.CatalogInvalid,
            Assert.Throws<DemucsException>(() => ModelLibrary.Open(folder["models"], folder["none.json"])).Error
        );
        File.WriteAllText(folder["long.json"], new string(' ', CatalogReader.MostBytes + 1));
        Assert.Contains(
            "longer",
            Assert.Throws<DemucsException>(() => ModelLibrary.Open(folder["models"], folder["long.json"])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Own_catalogs_add_to_the_programs()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["models"]);
        File.WriteAllText(folder["mine.json"], $$"""{ "version": 1, "models": [{ "name": "mine", {{Rest}}, {{Files}} }] }""");
        File.WriteAllText(
            folder["models", "catalog.json"],
            $$"""{ "version": 1, "models": [{ "name": "pair", {{Rest}}, "bag": [{ "model": "mine", "weights": [1, 0.5] }, { "model": "mine", "weights": [0, 0.5] }] }] }"""
        );
        ModelLibrary library = ModelLibrary.Open(folder["models"], folder["mine.json"]);
        Assert.Equal(ModelCatalog.BuiltIn.Entries.Count + 2, library.List().Count);
        Assert.Equal(["mine", "mine"], library.Describe("PAIR")!.Members);
        Assert.Equal(64, library.Catalog.Find("mine")!.Files[0].Sha256.Length);
        Assert.DoesNotContain("A", library.Catalog.Find("mine")!.Files[0].Sha256, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("models")]
    [InlineData("models/secret")]
    [InlineData("models/htdemucs_ft_bass")]
    public void A_folder_that_cannot_be_read_is_named_and_the_rest_is_listed(string closed)
    {
        using TemporaryFolder folder = new();
        foreach (string model in new[] { "open", "secret", "htdemucs_ft_bass" })
            Put(folder, model, "any.onnx");
        Close(
            folder.Path,
            UnixFileMode.UserRead
                | UnixFileMode.UserWrite
                | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute
                | UnixFileMode.OtherExecute
        );
        Close(folder[closed], UnixFileMode.None);
        try
        {
            UnprivilegedThread.Run(() =>
            {
                ModelLibrary library = ModelLibrary.Open(folder["models"]);
                List<DemucsException> failures = [];
                string[] listed = [.. library.List(failures.Add).Select(m => m.Name)];
                DemucsException told = Assert.Single(failures);
                Assert.Equal((DemucsError.DemucsModelNotFound, folder[closed]), (told.Error, told.Path));
                Assert.Contains($"'{folder[closed]}' cannot be read", told.Message, StringComparison.Ordinal);
                Assert.Contains("baseline", listed);
                Assert.Equal(closed != "models", listed.Contains("open"));
                Assert.DoesNotContain("secret", closed == "models/secret" ? listed : []);
                Assert.DoesNotContain("htdemucs_ft", closed == "models/htdemucs_ft_bass" ? listed : []);
                Assert.Equal(folder[closed], Assert.Throws<DemucsException>(() => library.List()).Path);
                if (closed == "models/secret")
                {
                    Assert.Equal(folder[closed], Assert.Throws<DemucsException>(() => library.Describe("secret")).Path);
                    Assert.Equal(folder[closed], Assert.Throws<DemucsException>(() => new ModelInstaller(library).Remove("secret")).Path);
                }
            });
        }
        finally
        {
            Close(folder[closed], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        static void Close(string path, UnixFileMode mode)
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, mode);
        }
    }

    [Fact]
    public void The_default_is_what_is_set_else_an_installed_htdemucs_else_the_baseline()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["set.onnx"], SmallModels.Split());
        ModelLibrary library = ModelLibrary.Open(folder["models"]);
        Assert.Null(Default(library).Path);
        Assert.Equal("baseline", Default(library).Name);
        Put(folder, "htdemucs", "any.onnx");
        Assert.Equal((folder["models", "htdemucs", "any.onnx"], "htdemucs"), (Default(library).Path, Default(library).Name));
        Assert.Equal("set", Default(ModelLibrary.Open(folder["models"], defaultModel: folder["set.onnx"])).Name);
        Assert.Null(Default(ModelLibrary.Open(folder["models"], defaultModel: "baseline")).Path);
        DemucsException error = Assert.Throws<DemucsException>(() => Default(ModelLibrary.Open(folder["models"], defaultModel: "missing")));
        Assert.Equal(DemucsError.DemucsModelNotFound, error.Error);
        Assert.EndsWith("$DEMUCSPS_MODEL names this model as the default.", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<DemucsException>(() => Default(ModelLibrary.Open(folder["models"], defaultModel: "htdemucs@00000000")));
        Assert.Equal(DemucsError.ModelHashMismatch, error.Error);
        Assert.EndsWith("$DEMUCSPS_MODEL names this model as the default.", error.Message, StringComparison.Ordinal);

        static ModelSource Default(ModelLibrary library) => Assert.Single(library.Select([], null, Path.GetFullPath).Models);
    }

    [Fact]
    public void A_model_is_found_by_name_by_path_and_by_folder()
    {
        using TemporaryFolder folder = new();
        ModelLibrary library = ModelLibrary.Open(folder["models"]);
        Put(folder, "own", "x.onnx");
        Put(folder, "own", "x.0123456789abcdef.prepared.onnx");
        Directory.CreateDirectory(folder["two"]);
        Directory.CreateDirectory(folder["none"]);
        foreach (string name in new[] { "a.onnx", "b.ort" })
            File.WriteAllText(folder["two", name], "");
        Assert.Equal(("own", folder["models", "own", "x.onnx"]), Find("own"));
        Assert.Equal(("x", folder["models", "own", "x.onnx"]), Find("models/own"));
        Assert.Equal(("a", folder["two", "a.onnx"]), Find("two/a.onnx"));
        // A folder of that name is meant where no model has it.
        Assert.Contains("a.onnx, b.ort", Fail("two").Message, StringComparison.Ordinal);
        Assert.Contains("folder", Fail("none").Message, StringComparison.Ordinal);
        Assert.Contains("demucsps models install htdemucs", Fail("htdemucs").Message, StringComparison.Ordinal);
        Assert.Contains("no model named 'kazoo'", Fail("kazoo").Message, StringComparison.Ordinal);
        Assert.Contains("does not exist", Fail("kazoo.onnx").Message, StringComparison.Ordinal);
        // Names do not depend on where the user is.
        Directory.CreateDirectory(folder["htdemucs_6s"]);
        Assert.Contains("not installed", Fail("htdemucs_6s").Message, StringComparison.Ordinal);

        (string, string?) Find(string given) =>
            library.Select([given], null, Full).Models is [var model] ? (model.Name, model.Path) : default;
        DemucsException Fail(string given)
        {
            DemucsException e = Assert.Throws<DemucsException>(() => library.Select([given], null, Full));
            Assert.Equal(DemucsError.DemucsModelNotFound, e.Error);
            return e;
        }
        string Full(string path) => Path.GetFullPath(path, folder.Path);
    }

    [Theory]
    [InlineData("own@0123abc", "has 7 digits of a SHA-256 after the @, but 8 to 64 are needed. Give more of the hash")]
    [InlineData("models/own/x.onnx@F", "has 1 digit of a SHA-256 after the @, but 8 to 64 are needed. Give more of the hash")]
    [InlineData("htdemucs_ft@", "has 0 digits of")]
    [InlineData("own@00000000000000000000000000000000000000000000000000000000000000000", "has 65 digits of")]
    [InlineData("kazoo@0123abc", null)]
    [InlineData("own@0123xyz", null)]
    public void A_hash_that_is_too_short_is_told_from_an_unknown_name(string given, string? says)
    {
        using TemporaryFolder folder = new();
        ModelLibrary library = ModelLibrary.Open(folder["models"]);
        Put(folder, "own", "x.onnx");
        DemucsException e = Assert.Throws<DemucsException>(() =>
            library.Select([given], null, path => Path.GetFullPath(path, folder.Path))
        );
        Assert.Equal(says is null ? DemucsError.DemucsModelNotFound : DemucsError.ParameterInvalid, e.Error);
        Assert.Contains(says is null ? $"no model named '{given}'" : $"'{given}' {says}", e.Message, StringComparison.Ordinal);
        // A file may be called so.
        File.WriteAllBytes(folder["plain@12"], []);
        Assert.Equal("plain@12", library.Select(["plain@12"], null, path => Path.GetFullPath(path, folder.Path)).Models[0].Name);
    }

    /// <summary>
    /// The names of the author's models once meant exports. Nobody's results change by themselves, and nobody thinks that he has the
    /// author's weights.
    /// </summary>
    [Fact]
    public void A_model_that_was_installed_when_its_name_meant_another_file_runs_with_a_warning()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["models", "htdemucs"]);
        File.WriteAllBytes(folder["models", "htdemucs", "htdemucs.onnx"], SmallModels.Split());
        ModelLibrary library = ModelLibrary.Open(folder["models"]);
        // Somebody has put it there, and knows what it is.
        Assert.Empty(Warnings());
        new ModelRecord
        {
            InstalledAt = DateTime.UtcNow,
            Source = "https://example.org/htdemucs_fp32.onnx",
            Files = [new("htdemucs.onnx", 1, "00")],
        }.Write(folder["models", "htdemucs"]);
        string warning = Assert.Single(Warnings());
        foreach (
            string said in new[]
            {
                $"'{folder["models", "htdemucs", "htdemucs.onnx"]}' is used",
                "from https://example.org/htdemucs_fp32.onnx",
                "now has '955717e8.safetensors'",
                "Install-DemucsModel htdemucs, or demucsps models install htdemucs",
            }
        )
            Assert.Contains(said, warning, StringComparison.Ordinal);

        List<string> Warnings()
        {
            List<string> warnings = [];
            using ModelBag bag = ModelBag.Open(
                library.Select(["htdemucs"], null, p => p),
                null,
                new OnnxSessionOptions(),
                prepare: false,
                warnings.Add
            );
            return warnings;
        }
    }

    [Fact]
    public void A_bag_of_the_catalog_is_its_models_with_their_weights_under_its_name()
    {
        using TemporaryFolder folder = new();
        ModelLibrary library = ModelLibrary.Open(folder["models"]);
        foreach (string stem in new[] { "drums", "bass", "other" })
            Put(folder, "htdemucs_ft_" + stem, "m.onnx");
        DemucsException e = Assert.Throws<DemucsException>(() => library.Select(["htdemucs_ft"], null, Path.GetFullPath));
        Assert.Contains("htdemucs_ft_vocals", e.Message, StringComparison.Ordinal);
        Put(folder, "htdemucs_ft_vocals", "m.onnx");
        ModelSelection bag = library.Select(["htdemucs_ft"], null, Path.GetFullPath);
        Assert.Equal("htdemucs_ft", bag.Name);
        Assert.Equal(["htdemucs_ft_drums", "htdemucs_ft_bass", "htdemucs_ft_other", "htdemucs_ft_vocals"], bag.Models.Select(m => m.Name));
        Assert.Equal([0, 0, 0, 1], bag.Weights![3]);
        Assert.True(library.Describe("htdemucs_ft")!.Installed);
        Assert.False(library.Describe("htdemucs_ft")!.Verified);
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert.Throws<DemucsException>(() => library.Select(["htdemucs_ft", "baseline"], null, Path.GetFullPath)).Error
        );
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert
                .Throws<DemucsException>(() =>
                    library.Select(
                        ["htdemucs_ft"],
                        [
                            [1, 1, 1, 1],
                        ],
                        Path.GetFullPath
                    )
                )
                .Error
        );
    }

    [Fact]
    public void A_note_that_was_tampered_with_leads_nowhere()
    {
        using TemporaryFolder folder = new();
        Put(folder, "own", "x.onnx");
        File.WriteAllText(
            folder["models", "own", "model.json"],
            JsonSerializer.Serialize(
                new
                {
                    installedAt = DateTime.UnixEpoch,
                    source = "",
                    files = new[]
                    {
                        new
                        {
                            name = "../../secret.onnx",
                            size = 1,
                            sha256 = "",
                        },
                    },
                }
            )
        );
        Assert.Equal(folder["models", "own", "x.onnx"], ModelLibrary.Open(folder["models"]).Describe("own")!.Path);
        File.WriteAllText(folder["models", "own", "model.json"], "{");
        Assert.Equal(folder["models", "own", "x.onnx"], ModelLibrary.Open(folder["models"]).Describe("own")!.Path);
    }

    private static void Put(TemporaryFolder folder, string name, string file)
    {
        Directory.CreateDirectory(folder["models", name]);
        File.WriteAllBytes(folder["models", name, file], SmallModels.Split());
    }
}
