using System.Globalization;
using System.Text;

namespace DemucsPS.Engine.Models.Weights;

/// <summary>
/// As much of YAML as bags of models are written in: entries of a name and a text, or of a name and a list, of texts or of lists. Lists may
/// be written with brackets, over several lines, or with a
/// dash for each item. What YAML has beyond that (anchors, tags, several documents, nested entries) is an error, never guessed at.
/// </summary>
/// <remarks>
/// A library for YAML would have to be loaded where other modules load theirs, in another version; and it would understand much that a bag
/// must not have.
/// </remarks>
internal sealed class YamlText
{
    private const int MostLevels = 4;

    private readonly string _text;
    private int _at;

    private YamlText(string text) => _text = text;

    /// <summary>Reads a text.</summary>
    /// <returns>The entries: each a <see cref="string"/>, or a <see cref="List{T}"/> of such and of lists.</returns>
    /// <exception cref="FormatException">It is not understood; the message, a sentence's end, says what in which line.</exception>
    public static Dictionary<string, object> Parse(string text)
    {
        YamlText yaml = new(text.StartsWith('\uFEFF') ? text[1..] : text);
        Dictionary<string, object> entries = new(StringComparer.Ordinal);
        if (yaml.SkipToLine() && yaml._text.AsSpan(yaml._at) is ['-', '-', '-', ..])
        {
            yaml._at += 3;
            yaml.EndLine();
        }
        while (yaml.SkipToLine())
        {
            if (yaml.Column() != 0)
                throw yaml.Wrong("an entry does not begin at the start of its line");
            int start = yaml._at;
            while (yaml.Peek() is char letter && (char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-'))
                yaml._at++;
            string name = yaml._text[start..yaml._at];
            if (name.Length == 0 || yaml.Peek() != ':')
                throw yaml.Wrong("a name with a colon is missing");
            yaml._at++;
            if (yaml.Peek() is not (' ' or '\t' or '\r' or '\n' or null))
                throw yaml.Wrong("the space after a colon is missing");
            yaml.SkipBlanks();
            object value = yaml.AtLineEnd() ? yaml.Dashes(-1, 1) : yaml.Value(1, inList: false);
            if (!entries.TryAdd(name, value))
                throw yaml.Wrong($"'{name}' occurs twice");
        }
        return entries;
    }

    /// <summary>A list with a dash for each item, from the next line on; such a list's items may be such lists again.</summary>
    /// <param name="outer">The column of the dashes of the list that it is in; -1 for none.</param>
    /// <param name="level">In how many values it is.</param>
    private List<object> Dashes(int outer, int level)
    {
        if (!SkipToLine() || !IsDash() || Column() <= outer)
            throw Wrong("a value is missing");
        return DashesHere(level);
    }

    private List<object> DashesHere(int level)
    {
        if (level > MostLevels)
            throw Wrong("lists are nested too deeply");
        List<object> items = [];
        int column = Column();
        do
        {
            _at++;
            SkipBlanks();
            items.Add(
                AtLineEnd() ? Dashes(column, level + 1)
                : IsDash() ? DashesHere(level + 1)
                : Value(level + 1, inList: false)
            );
        } while (SkipToLine() && IsDash() && Column() == column);
        if (Peek() is not null && Column() > column)
            throw Wrong("a line is indented more than those before it");
        return items;
    }

    private object Value(int level, bool inList)
    {
        if (level > MostLevels)
            throw Wrong("lists are nested too deeply");
        object value;
        if (Peek() == '[')
        {
            _at++;
            value = Brackets(level);
        }
        else if (Peek() is '\'' or '"')
        {
            value = Quoted(_text[_at++]);
        }
        else
        {
            value = Plain(inList);
        }
        if (!inList)
            EndLine();
        return value;
    }

    private List<object> Brackets(int level)
    {
        List<object> items = [];
        while (true)
        {
            SkipAll();
            if (Peek() == ']')
                break;
            items.Add(Value(level + 1, inList: true));
            SkipAll();
            if (Peek() == ']')
                break;
            if (Peek() != ',')
                throw Wrong(Peek() is null ? "a list is not closed" : "a comma between two items is missing");
            _at++;
        }
        _at++;
        return items;
    }

    private string Quoted(char quote)
    {
        StringBuilder text = new();
        while (true)
        {
            if (Peek() is not char letter || letter is '\r' or '\n')
                throw Wrong("a quoted text is not closed in its line");
            _at++;
            if (letter == quote)
            {
                if (quote != '\'' || Peek() != quote)
                    return text.ToString();
                _at++;
            }
            else if (letter == '\\' && quote == '"')
            {
                throw Wrong("escapes are not supported");
            }
            text.Append(letter);
        }
    }

    private string Plain(bool inList)
    {
        int start = _at;
        // The characters with which YAML begins what is not a plain text.
        if (
            Peek() is not char first
            || "{}[],&*!|>%@`#?:".Contains(first, StringComparison.Ordinal)
            || (first == '-' && _text.AsSpan(_at + 1) is [' ', ..] or [])
        )
            throw Wrong("a value is not supported");
        while (
            Peek() is char letter
            && letter is not ('\r' or '\n')
            && !(inList && letter is ',' or '[' or ']' or '{' or '}')
            && !(letter == '#' && _text[_at - 1] is ' ' or '\t')
            && !(letter == ':' && _text.AsSpan(_at + 1) is [] or [' ' or '\t' or '\r' or '\n', ..])
        )
        {
            _at++;
        }
        return _text[start.._at].TrimEnd(' ', '\t');
    }

    private void EndLine()
    {
        SkipBlanks();
        if (!AtLineEnd())
            throw Wrong("unexpected text after a value");
    }

    private bool AtLineEnd() => Peek() is null or '\r' or '\n' || (Peek() == '#' && (_at == 0 || _text[_at - 1] is ' ' or '\t' or '\n'));

    private bool IsDash() => Peek() == '-' && (_at + 1 == _text.Length || _text[_at + 1] is ' ' or '\r' or '\n');

    private int Column() => _at - (_text.LastIndexOf('\n', Math.Max(0, _at - 1), Math.Max(0, _at)) + 1);

    /// <summary>Goes to the first character that is not a blank, comment or line's end; false if there is none.</summary>
    private bool SkipToLine()
    {
        SkipAll();
        if (Peek() is null)
            return false;
        // Tabs must not indent, since their width is undefined.
        return _text.IndexOf('\t', _at - Column(), Column()) < 0 ? true : throw Wrong("a line begins with a tab");
    }

    private void SkipAll()
    {
        while (Peek() is char letter)
        {
            if (letter is ' ' or '\t' or '\r' or '\n')
                _at++;
            else if (letter == '#' && (_at == 0 || _text[_at - 1] is ' ' or '\t' or '\r' or '\n' or ',' or '['))
                SkipComment();
            else
                return;
        }
    }

    private void SkipComment()
    {
        int end = _text.IndexOf('\n', _at);
        _at = end < 0 ? _text.Length : end;
    }

    private void SkipBlanks()
    {
        while (Peek() is ' ' or '\t')
            _at++;
    }

    private char? Peek() => _at < _text.Length ? _text[_at] : null;

    private FormatException Wrong(string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"in line {1 + _text.AsSpan(0, Math.Min(_at, _text.Length)).Count('\n')}, {what}"));
}
