using System.Text;
using DemucsPS.Engine.Models.Weights;

namespace DemucsPS.Engine.Tests.Models.Weights;

/// <summary>Descriptions of bags, as Demucs and people write them.</summary>
public sealed class BagFileTests
{
    [Theory]
    [InlineData("models: ['955717e8']\n")]
    [InlineData("models: [\"955717e8\"]")]
    [InlineData("models: [955717e8]  # one\n")]
    [InlineData("# a bag\n---\nmodels:\n  - 955717e8\n")]
    [InlineData("\uFEFFmodels:\r\n- '955717e8'\r\nsegment: null\r\nweights: null\r\n")]
    public void A_bag_of_one_model(string text)
    {
        BagFile bag = Parse(text);
        Assert.Equal(["955717e8"], bag.Models);
        Assert.Null(bag.Weights);
        Assert.Null(bag.Segment);
    }

    [Theory]
    [InlineData("models: ['f7e0c4bc', 'd12395a8']\nweights: [\n  [1., 0., 0.],  # drums\n  [0., 1., 1e-1],\n]\nsegment: 7\n")]
    [InlineData("segment: 7.0\nmodels:\n  - f7e0c4bc\n  - d12395a8\n\nweights:\n  - [1, 0, 0]\n  - [0, 1, 0.1]")]
    [InlineData("models: [f7e0c4bc,\n d12395a8]\nweights:\n- - 1.0\n  - 0\n  - 0\n- - 0\n  - 1.0\n  - .1\nsegment: 7")]
    [InlineData("models: [f7e0c4bc, d12395a8]\nweights:\n-\n  - 1.0\n  - 0\n  - 0\n-\n  - 0\n  - 1.0\n  - .1\nsegment: 7")]
    public void A_bag_of_two_with_weights_and_a_segment(string text)
    {
        BagFile bag = Parse(text);
        Assert.Equal(["f7e0c4bc", "d12395a8"], bag.Models);
        Assert.Equal<IReadOnlyList<double>>(
            [
                [1, 0, 0],
                [0, 1, 0.1],
            ],
            bag.Weights!
        );
        Assert.Equal(7, bag.Segment);
    }

    [Theory]
    [InlineData("", "no list 'models'")]
    [InlineData("models: []", "no list 'models'")]
    [InlineData("models: 955717e8", "no list 'models'")]
    [InlineData("models: ['955717e8'", "in line 1, a list is not closed")]
    [InlineData("models: ['955717e8]", "in line 1, a quoted text is not closed")]
    [InlineData("models: ['a' 'b']", "a comma between two items is missing")]
    [InlineData("models: ['a'] x", "unexpected text after a value")]
    [InlineData("models: ['a']\nmodels: ['b']", "'models' occurs twice")]
    [InlineData("models: ['../a']", "the signature '../a'")]
    [InlineData("models: [['a']]", "the signature that is a list")]
    [InlineData("models: ['a']\nname: x", "'name' is unknown")]
    [InlineData("models: ['a']\nsegment: 0", "its segment is 0 seconds")]
    [InlineData("models: ['a']\nsegment: .inf", "'.inf' where a number is expected")]
    [InlineData("models: ['a']\nsegment: 1e999", "'1e999' where a number is expected")]
    [InlineData("models: ['a']\nsegment: [7]", "a list where a number is expected")]
    [InlineData("models: ['a']\nweights: [[1], [1]]", "not a list of 1 rows")]
    [InlineData("models: ['a', 'b']\nweights: [[1, 0], [1]]", "differ in length")]
    [InlineData("models: ['a']\nweights: [[-1]]", "below 0")]
    [InlineData("models: ['a']\nweights: [1]", "a row of 'weights' is not a list")]
    [InlineData("models: [[[[['a']]]]]", "too deep")]
    [InlineData("models: &x ['a']", "a value is not supported")]
    [InlineData("models: !!python/object ['a']", "a value is not supported")]
    [InlineData("models:\n  a: b", "a value is missing")]
    [InlineData("models:\n\t- a", "begins with a tab")]
    [InlineData(" models: ['a']", "does not begin at the start of its line")]
    [InlineData("models:['a']", "the space after a colon is missing")]
    [InlineData("models", "a name with a colon is missing")]
    [InlineData("models: \"\\x61\"", "escapes")]
    public void What_is_no_bag_is_refused_by_what_is_wrong(string text, string message)
    {
        DemucsException error = Assert.Throws<DemucsException>(() => Parse(text));
        Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
        Assert.Contains("'/bags/some.yaml'", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_text_and_files_that_are_none_are_refused()
    {
        Assert.Contains(
            "not valid UTF-8 text",
            Assert.Throws<DemucsException>(() => BagFile.Parse([0x6D, 0xFF], "/bags/some.yaml")).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "longer than",
            Assert.Throws<DemucsException>(() => BagFile.Parse(new byte[70_000], "/bags/some.yaml")).Message,
            StringComparison.Ordinal
        );
        using TemporaryFolder folder = new();
        Assert.Equal(DemucsError.DemucsModelNotFound, Assert.Throws<DemucsException>(() => BagFile.Read(folder["none.yaml"])).Error);
        File.WriteAllText(folder["some.yaml"], "models: ['955717e8']");
        Assert.Equal(["955717e8"], BagFile.Read(folder["some.yaml"]).Models);
    }

    private static BagFile Parse(string text) => BagFile.Parse(Encoding.UTF8.GetBytes(text), "/bags/some.yaml");
}
