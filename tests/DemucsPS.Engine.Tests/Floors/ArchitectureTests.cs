using System.Text.RegularExpressions;
using DemucsPS.MediaFoundation;
using DemucsPS.OnnxRuntime;
using DemucsPS.Pictures;

namespace DemucsPS.Engine.Tests.Floors;

/// <summary>The walls between the rooms of the source tree.</summary>
public sealed class ArchitectureTests
{
    [Fact]
    public void The_engine_references_nothing_but_the_framework_NAudio_and_its_own_way_to_the_runtime() =>
        // Anything else would be in PowerShell's own load context, where another module may have another version of it: NAudio has to be
        // there, since its types are the caller's.
        Assert.All(typeof(DemucsException).Assembly.GetReferencedAssemblies(), a =>
            Assert.Matches(
                @"^(System\.(?!Management|Numerics\.Tensors)|Microsoft\.Win32\.Primitives$|DemucsPS\.(OnnxRuntime|MediaFoundation|Pictures)$|NAudio\.Core$)",
                a.Name
            )
        );

    [Fact]
    public void What_has_a_load_context_of_its_own_brings_what_that_context_loads() =>
        // RuntimeContext knows these by name, and System.Numerics.Tensors, which is a reference of the first, and SkiaSharp.HarfBuzz, which
        // is one of ScottPlot.
        Assert.Equal(
            ["HarfBuzzSharp", "Microsoft.ML.OnnxRuntime", "NAudio.Core", "NAudio.Wasapi", "ScottPlot", "SkiaSharp"],
            new[] { typeof(NativeRuntime), typeof(DecodingException), typeof(PictureDrawing) }
                .SelectMany(t => t.Assembly.GetReferencedAssemblies())
                .Select(a => a.Name)
                .Where(name => !Regex.IsMatch(name!, @"^System\.(?!Numerics\.Tensors)"))
                .Order(StringComparer.Ordinal)
        );

    [Fact]
    public void Only_types_that_can_be_missed_know_NAudio() =>
        AssertNoLine("src", @"\bNAudio\.", except: file =>
            Regex.IsMatch(file, @"/(AiffReader|SampleProviderReader|SampleProviders|RuntimeContext|DemucsPS\.MediaFoundation/\w+)\.cs$")
        );

    [Fact]
    public void The_engine_writes_to_no_console_and_guesses_no_folder() =>
        AssertNoLine(
            "src/DemucsPS.Engine",
            @"\bConsole\.|\bEnvironment\.CurrentDirectory\b|\bDirectory\.GetCurrentDirectory\b|\bPowerShell\b(?! ignores| and the console)",
            except: _ => false
        );

    // Those of other programs are their own: sbatch's, and those of the console program that a job's tasks start.
    [Fact]
    public void The_engine_knows_no_front_ends_parameters() =>
        AssertNoLine(
            "src/DemucsPS.Engine",
            """ "[^"]*(\b(force|resume|recurse|skip-existing|licen[cs]e) option\b|\boption to\b|(?<![\w-])(-(Force|Resume|SkipExisting|Recurse|AcceptLicense|LiteralPath|Path|Model|Stem|StemName|Weight|Overlap|Precision)\b|--(?!\s)))""".Trim(),
            except: file => Regex.IsMatch(file, @"/Clusters/(ClusterWorker|SlurmCluster|SlurmOptions)\.cs$")
        );

    [Fact]
    public void Only_Inference_speaks_to_the_runtime_and_only_by_its_own_assembly()
    {
        AssertNoLine("src", @"\bOrt(?!ErrorCode)[A-Z]\w*|delegate\* unmanaged|using Microsoft\.ML\b", except: file =>
            file.Contains("/DemucsPS.OnnxRuntime/", StringComparison.Ordinal)
        );
        AssertNoLine("src", @"\bNativeLibrary\b|using DemucsPS\.OnnxRuntime\b", except: file =>
            file.Contains("/DemucsPS.OnnxRuntime/", StringComparison.Ordinal)
            || file.Contains("/DemucsPS.Engine/Inference/", StringComparison.Ordinal)
            || file.EndsWith("/PictureLibraries.cs", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Only_their_own_assembly_knows_the_libraries_that_draw() =>
        AssertNoLine("src", @"using (ScottPlot|SkiaSharp|HarfBuzzSharp)\b|\bSK[A-Z]\w+\.", except: file =>
            file.Contains("/DemucsPS.Pictures/", StringComparison.Ordinal)
        );

    [Fact]
    public void Files_are_renamed_in_one_place_which_knows_what_Windows_refuses() =>
        AssertNoLine("src", @"\bFile\.(Move|Replace)\(", except: file => file.EndsWith("/DurableFiles.cs", StringComparison.Ordinal));

    [Fact]
    public void Only_cmdlets_write_objects() =>
        AssertNoLine("src", @"\bWriteObject\(", except: file => file.Contains("/DemucsPS/Cmdlets/", StringComparison.Ordinal));

    [Fact]
    public void No_class_is_called_after_nothing() =>
        AssertNoLine(".", @"\b(class|record|struct|interface)\s+\w*(Helper|Utils|Utilities|Manager)\b", except: _ => false);

    [Fact]
    public void No_line_is_wider_than_140_columns_but_for_its_text() => AssertNoLine("src", @"^(?!.*"").{141}", except: _ => false);

    [Fact]
    public void No_method_is_longer_than_can_be_taken_in()
    {
        Assert.Empty(
            Directory
                .EnumerateFiles(Path.Combine(RepositoryFiles.Root, "src"), "*.cs", SearchOption.AllDirectories)
                .Where(file => !Regex.IsMatch(file, @"[/\\](obj|bin)[/\\]"))
                .SelectMany(LongMethods)
        );
    }

    [Fact]
    public void Every_project_has_its_packages_locked_by_content_and_not_by_address()
    {
        string[] projects =
        [
            .. Regex
                .Matches(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "DemucsPS.sln")), @"""([^""]+\.csproj)""")
                .Select(m => m.Groups[1].Value.Replace('\\', '/')),
        ];
        Assert.NotEmpty(projects);
        Assert.All(projects, project =>
        {
            string locked = File.ReadAllText(Path.Combine(RepositoryFiles.Root, Path.GetDirectoryName(project)!, "packages.lock.json"));
            Assert.DoesNotContain("://", locked, StringComparison.Ordinal);
            Assert.Contains("\"contentHash\"", locked, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void The_changelog_begins_with_the_manifests_version()
    {
        string version = Regex
            .Match(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "DemucsPS.psd1")), @"ModuleVersion\s*=\s*'([^']+)'")
            .Groups[1]
            .Value;
        Assert.Equal(
            version,
            Regex
                .Match(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "CHANGELOG.md")), @"^## (\S+)", RegexOptions.Multiline)
                .Groups[1]
                .Value
        );
        Assert.Equal(version, typeof(DemucsException).Assembly.GetName().Version!.ToString(3));
    }

    /// <summary>Methods of more than 60 lines, by the way in which all files are indented.</summary>
    private static IEnumerable<string> LongMethods(string file)
    {
        string[] lines = File.ReadAllLines(file);
        for (int first = 0, last; first < lines.Length; first = last + 1)
        {
            last = first;
            string head = lines[first].Split('=', ';', '{')[0];
            if (!Regex.IsMatch(head, @"^ {4,}(public|private|internal|protected|static|unsafe|async|override|sealed|virtual) .*\w(<[^()]*>)?\("))
                continue;
            if (Regex.IsMatch(head, @"\b(class|record|struct|interface|delegate)\b"))
                continue;
            string indent = head[..^head.TrimStart().Length];
            int body = Array.FindIndex(lines, first, line => line == indent + "{" || line.EndsWith(';'));
            // In braces, or an expression to its semicolon; what neither has is no method.
            if (body >= 0)
                last = lines[body] == indent + "{" ? Array.FindIndex(lines, body, line => line == indent + "}") : body;
            if (last - first >= 60)
                yield return $"{Path.GetFileNameWithoutExtension(file)}.{Regex.Match(head, @"\w+(?=(<[^()]*>)?\()", RegexOptions.RightToLeft)}";
        }
    }

    private static void AssertNoLine(string folder, string pattern, Func<string, bool> except)
    {
        string root = Path.GetFullPath(Path.Combine(RepositoryFiles.Root, folder));
        string[] found =
        [
            .. Directory
                .EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
                .Select(f => f.Replace('\\', '/'))
                .Where(f =>
                    !f.Contains("/obj/", StringComparison.Ordinal)
                    && !f.EndsWith("/ArchitectureTests.cs", StringComparison.Ordinal)
                    && !except(f)
                )
                .SelectMany(f =>
                    File.ReadLines(f)
                        .Select((line, i) => (f, line, i))
                        .Where(l => Regex.IsMatch(l.line, pattern))
                        .Select(l => $"{l.f}:{l.i + 1}: {l.line.Trim()}")
                ),
        ];
        Assert.Empty(found);
    }
}
