using System.Buffers;
using System.Buffers.Text;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace DemucsPS.Engine.Player;

/// <summary>
/// The page's markup, style and script, which lie in files of their own and are in this assembly. What comes from files of the user's is
/// put in as JSON, which the script reads and shows as text: none of it is ever markup, style or code. A policy in the page forbids all
/// other script and style, and every connection but to what the page plays.
/// </summary>
internal static partial class PageTemplate
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        TypeInfoResolver = PageTypes.Default,
        // Letters of any script stay readable; <, >, &, quotes and line separators are written by their numbers.
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
    };

    private static readonly Lazy<string> s_markup = new(() => Read("player.html")),
        s_style = new(() => Read("player.css")),
        s_script = new(() => Read("player.js"));

    /// <summary>Writes the part of a page before its data blocks.</summary>
    /// <param name="to">Receives UTF-8.</param>
    /// <param name="data">What the script is to know.</param>
    public static void WriteHead(Stream to, PageData data)
    {
        string media = data.Audio == PageData.Linked ? "file: 'self'" : "'none'",
            connect = data.Audio is PageData.Served or PageData.Parts ? "'self'" : "'none'";
        string policy =
            $"default-src 'none'; script-src '{Hash(s_script.Value)}'; style-src '{Hash(s_style.Value)}'; img-src data:; media-src {media}; connect-src {connect}; base-uri 'none'; form-action 'none'";
        // In one pass over what is ours, so that nothing that others have written is taken for a place to fill.
        Write(
            to,
            Place()
                .Replace(s_markup.Value, place => place.Groups[1].Value switch
                    {
                        "policy" => policy,
                        "style" => s_style.Value,
                        "title" => HtmlEncoder.Create(UnicodeRanges.All).Encode(data.Title),
                        "data" => JsonSerializer.Serialize(data, s_json),
                        string other => throw new InvalidOperationException($"Nothing is known of '{other}' in the page."),
                    })
        );
    }

    /// <summary>Writes a block of bytes that the script finds by its name. Browsers do not run what has such a type.</summary>
    /// <param name="to">Receives UTF-8.</param>
    /// <param name="name">Letters, digits and hyphens.</param>
    /// <param name="content">The bytes, from where it is to its end.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    public static void WriteBlock(Stream to, string name, Stream content, CancellationToken cancellationToken)
    {
        Write(to, $"<script type=\"application/octet-stream\" id=\"{name}\">");
        byte[] bytes = new byte[3 << 14],
            text = new byte[4 << 14];
        for (int count; (count = content.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Base64.EncodeToUtf8(bytes.AsSpan(0, count), text, out _, out int written) != OperationStatus.Done)
                throw new InvalidOperationException("The buffer of a block is too small.");
            to.Write(text.AsSpan(0, written));
        }
        Write(to, "</script>\n");
    }

    /// <summary>Writes the part after the data blocks.</summary>
    public static void WriteEnd(Stream to) => Write(to, $"<script>{s_script.Value}</script>\n</body>\n</html>\n");

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Place();

    private static void Write(Stream to, string text) => to.Write(Encoding.UTF8.GetBytes(text));

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>
    /// A file of the page. Browsers hash what they have parsed, in which line ends are line feeds, whatever the checkout that was built
    /// had.
    /// </summary>
    private static string Read(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly has no '{name}'.");
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}

/// <summary>The types of the page's data, described at build time.</summary>
[JsonSerializable(typeof(PageData))]
internal sealed partial class PageTypes : JsonSerializerContext;
