using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace DemucsPS.Tests;

/// <summary>A user who notes what is written and asked, and gives the answers that were agreed upon.</summary>
internal sealed class RecordingHost : PSHost
{
    private readonly UserInterface _interface = new();

    public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.InvariantCulture;

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override string Name => "Tests";

    public override PSHostUserInterface UI => _interface;

    public override Version Version { get; } = new(1, 0);

    /// <summary>Lines that were written past all streams, as -WhatIf does.</summary>
    public IReadOnlyList<string> Lines => _interface.Lines;

    /// <summary>What was asked.</summary>
    public IReadOnlyList<string> Questions => _interface.Questions;

    /// <summary>
    /// The choices to take, in order: their labels without the accelerator's mark. A question without an answer is an error.
    /// </summary>
    public void Answer(params string[] labels) => _interface.Answers = new Queue<string>(labels);

    public void Reset()
    {
        _interface.Lines.Clear();
        _interface.Questions.Clear();
        _interface.Answers = [];
    }

    public override void EnterNestedPrompt() => throw new NotSupportedException();

    public override void ExitNestedPrompt() => throw new NotSupportedException();

    public override void NotifyBeginApplication() { }

    public override void NotifyEndApplication() { }

    public override void SetShouldExit(int exitCode) { }

    private sealed class UserInterface : PSHostUserInterface
    {
        public List<string> Lines { get; } = [];

        public List<string> Questions { get; } = [];

        public Queue<string> Answers { get; set; } = [];

        public override PSHostRawUserInterface? RawUI => null;

        public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
        {
            Questions.Add($"{caption}\n{message}");
            if (!Answers.TryDequeue(out string? answer))
                throw new HostException($"Nobody is there to answer '{message}'.");
            return choices.Select(c => c.Label.Replace("&", "", StringComparison.Ordinal)).ToList().IndexOf(answer);
        }

        public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) =>
            throw new HostException($"Nobody is there to answer '{message}'.");

        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
            throw new NotSupportedException();

        public override PSCredential PromptForCredential(
            string caption,
            string message,
            string userName,
            string targetName,
            PSCredentialTypes allowedCredentialTypes,
            PSCredentialUIOptions options
        ) => throw new NotSupportedException();

        public override string ReadLine() => throw new NotSupportedException();

        public override SecureString ReadLineAsSecureString() => throw new NotSupportedException();

        public override void Write(string value) => Lines.Add(value);

        public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Lines.Add(value);

        public override void WriteDebugLine(string message) { }

        public override void WriteErrorLine(string value) { }

        public override void WriteLine(string value) => Lines.Add(value);

        public override void WriteProgress(long sourceId, ProgressRecord record) { }

        public override void WriteVerboseLine(string message) { }

        public override void WriteWarningLine(string message) { }
    }
}
