using System.CommandLine;
using System.Globalization;
using DemucsPS.Cli.Completion;
using DemucsPS.Engine;
using DemucsPS.Engine.Player;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Cli.Commands;

/// <summary><c>demucsps player</c>: folders of stems in, and pages that play them out.</summary>
internal static class PlayerCommand
{
    public static Command Create()
    {
        Argument<string[]> folders = new Argument<string[]>("dir")
        {
            Description = "Folders of stems, of one track or many, or their demucsps.json files.",
            Arity = ArgumentArity.OneOrMore,
        }.Offering(Offer.Folders);
        Option<string?> output = new("--output", "-o")
        {
            Description = "File for a single page. Default: player.html next to the stems.",
            HelpName = "FILE",
        };
        Option<string?> title = new("--title") { Description = "Title of a single page. Default: the folder's name.", HelpName = "TEXT" };
        Option<PlayerAudio> sound = new("--sound")
        {
            Description =
                "Where the sound is: embedded in the page, linked files (for long tracks; with --serve fetched during playback), or auto.",
            CustomParser = WordArgument.Of<PlayerAudio>,
            HelpName = "auto|embedded|linked",
        };
        Option<bool> compare = new("--compare")
        {
            Description = "Create one page from all folders, which are separations of the same track, to compare them at the same level.",
        };
        Option<bool> serve = new("--serve") { Description = "Write no file, but serve the page to browsers on this machine until Ctrl+C." };
        Option<bool> open = new("--open") { Description = "Open the page in the browser." };
        Option<bool> force = new("--force", "-f") { Description = "Replace existing pages." };
        Command command = new("player", "Create a page that plays stems in a browser.")
        {
            folders,
            output,
            title,
            sound,
            compare,
            serve,
            open,
            force,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
                Task.Run(
                    () =>
                        new Run(
                            new SeparationReport(json: false, verbose: false),
                            parsed.GetValue(sound),
                            parsed.GetValue(open),
                            parsed.GetValue(force),
                            cancellationToken
                        ).Pages(
                            parsed.GetRequiredValue(folders),
                            parsed.GetValue(output),
                            parsed.GetValue(title),
                            parsed.GetValue(compare),
                            parsed.GetValue(serve)
                        ),
                    CancellationToken.None
                )
        );
        return command;
    }

    private sealed class Run(SeparationReport report, PlayerAudio audio, bool open, bool force, CancellationToken cancellationToken)
    {
        public int Pages(string[] paths, string? output, string? title, bool compare, bool serve)
        {
            if (serve && output is not null)
                return Refuse($"--serve writes no file, so '{output}' would not be created. Leave out --serve or --output.");
            List<StemFolder> folders = Find(paths, out int exitCode);
            if (folders.Count == 0 || (compare && exitCode != ExitCodes.Succeeded))
                return ExitCodes.Failed;
            List<(string File, PlayerPage Page)> pages = compare
                ? [(folders[0].PagePath, PlayerPage.Comparing(folders))]
                : [.. folders.Select(folder => (folder.PagePath, PlayerPage.Create(folder)))];
            if (pages.Count > 1 && (output is not null || title is not null || serve))
                return Refuse(
                    $"There are {pages.Count} tracks, but {(serve ? "only one can be served" : "only one page is named")}. Give the folder of one track, or use --compare for separations of the same track."
                );
            foreach ((string file, PlayerPage page) in pages)
            {
                string path = output is null ? file : Path.GetFullPath(output);
                try
                {
                    PlayerPage chosen = page with { Title = title ?? page.Title, Audio = audio, Overwrite = force };
                    if (serve)
                        Serve(chosen);
                    else
                        Write(chosen, path);
                }
                catch (DemucsException e)
                {
                    report.Failure(path, e);
                    exitCode = ExitCodes.Failed;
                }
                catch (OperationCanceledException)
                {
                    report.Canceled($"'{path}' was not written.");
                    return ExitCodes.Canceled;
                }
            }
            return exitCode;
        }

        private int Refuse(string message)
        {
            report.Failure(null, new DemucsException(DemucsError.ParameterInvalid, message));
            return ExitCodes.Failed;
        }

        private List<StemFolder> Find(string[] paths, out int exitCode)
        {
            List<StemFolder> folders = [];
            int code = ExitCodes.Succeeded;
            foreach (string path in paths.Select(Path.GetFullPath))
            {
                try
                {
                    folders.AddRange(StemFolder.Find(path, Fail));
                }
                catch (DemucsException e)
                {
                    report.Failure(path, e);
                    code = ExitCodes.Failed;
                }

                void Fail(DemucsException error)
                {
                    report.Failure(error.Path ?? path, error);
                    code = ExitCodes.Failed;
                }
            }
            exitCode = code;
            return folders;
        }

        private void Write(PlayerPage page, string path)
        {
            PlayerPageFile written = page.Write(path, new Progress(report, page.Title), cancellationToken);
            foreach (string warning in written.Warnings)
                report.Warning(warning);
            report.EndProgress();
            Console.Out.WriteLine(written.FilePath);
            Open(written.FilePath);
        }

        private void Serve(PlayerPage page)
        {
            using PlayerServer server = page.Serve(new Progress(report, page.Title), cancellationToken);
            foreach (string warning in server.Page.Warnings)
                report.Warning(warning);
            report.Note("Press Ctrl+C to stop serving the page.");
            Console.Out.WriteLine(server.Address);
            Open(server.Address.AbsoluteUri);
            cancellationToken.WaitHandle.WaitOne();
        }

        private void Open(string address)
        {
            if (open && DesktopBrowser.Open(address) is { } refusal)
                report.Warning(refusal);
        }
    }

    private sealed class Progress(SeparationReport report, string track) : IProgress<PlayerProgress>
    {
        private readonly ProgressInterval _interval = new();

        public void Report(PlayerProgress value)
        {
            if (_interval.Shows())
                report.Progress(
                    value.Total > 0
                        ? string.Create(CultureInfo.InvariantCulture, $"{track}: {100 * value.Done / value.Total:F0} %")
                        : string.Create(CultureInfo.InvariantCulture, $"{track}: {TimeSpan.FromSeconds(value.Done):h\\:mm\\:ss} read")
                );
        }
    }
}
