using System.Reflection;
using DemucsPS.Engine.Inference;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Engine.Tests.Inference;

public sealed class RuntimeExceptionTests
{
    private static readonly Assembly s_package = Assembly.Load("Microsoft.ML.OnnxRuntime");

    [Fact]
    public void All_errors_that_the_package_has_names_for_get_the_runtimes_numbers()
    {
        Array codes = s_package.GetType("Microsoft.ML.OnnxRuntime.ErrorCode", throwOnError: true)!.GetEnumValues();
        Assert.Equal(13, codes.Length);
        foreach (object code in codes)
        {
            RuntimeException translated = RuntimeException.Of(Thrown(code))!;
            Assert.Equal((int)code, translated.Code);
            Assert.Equal("[its] own words", translated.Message);
        }
    }

    [Theory]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(15)]
    public void Those_that_it_has_none_for_are_failures_all_the_same(int code)
    {
        Exception thrown = Thrown(Enum.ToObject(s_package.GetType("Microsoft.ML.OnnxRuntime.ErrorCode")!, code));
        Assert.IsType<KeyNotFoundException>(thrown);
        RuntimeException translated = Assert.Throws<RuntimeException>(() => RuntimeException.Translate<int>(() => throw thrown));
        Assert.Equal((int)OnnxRuntimeErrorCode.Fail, translated.Code);
        Assert.Contains("reported an unnamed error", translated.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_about_the_runtime_stays_as_it_is()
    {
        Assert.Null(RuntimeException.Of(new InvalidOperationException("[ErrorCode:Fail] no")));
        Assert.Throws<FormatException>(() => RuntimeException.Translate<int>(() => throw new FormatException()));
    }

    [Theory]
    [InlineData("1.31.0", true)]
    [InlineData("1.31.1", true)]
    [InlineData("1.32.0", true)]
    [InlineData("2.0.0", true)]
    [InlineData("1.30.9", false)]
    [InlineData("1.4.0", false)]
    [InlineData("0.99.0", false)]
    [InlineData("unknown", false)]
    [InlineData("1", false)]
    public void A_library_suffices_that_has_the_packages_functions(string version, bool suffices) =>
        Assert.Equal(suffices, OnnxRuntimeLibrary.Suffices(version));

    /// <summary>What the package throws for an error with this number.</summary>
    private static Exception Thrown(object code)
    {
        Type type = s_package.GetType("Microsoft.ML.OnnxRuntime.OnnxRuntimeException", throwOnError: true)!;
        ConstructorInfo constructor = type.GetConstructors(BindingFlags.NonPublic | BindingFlags.Instance)
            .Single(c => c.GetParameters().Length == 2);
        try
        {
            return (Exception)constructor.Invoke([code, "[its] own words"]);
        }
        catch (TargetInvocationException e)
        {
            return e.InnerException!;
        }
    }
}
