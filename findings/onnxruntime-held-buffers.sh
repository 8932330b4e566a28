#!/usr/bin/env bash
# ONNX Runtime 1.31.1, CPU: memory of a tensor that nothing needs any more is held for a later tensor of the same shape, however much lies between them.
#
# The sequential executor's plan (the default) passes a buffer on to the next output of equal shape, and counts it as in use until then. In a network whose first and last layers have tensors of the
# same shapes (any U-Net), all that the first layers needed stays allocated while the middle runs. In htdemucs that is 230 of 494 MB.
#
# Expected:                                      in the middle only what is still needed is in use
# Seen (.NET 10, Linux x64, 2026-11-28):         4,000,000 bytes more, those of a tensor that is done with
#   in parallel mode with two inter-op threads   none are held (nor are Reshapes done in place there: they copy)
#   with shapes that the runtime does not know   none are held: a Reshape to [0, 0] whose target is an initializer and a graph input as well, hence no constant
#
# The figure is mem_bytes_in_use of the runtime's own profile at the node in the middle, less that of the first node.
#
# Exits with 0 while that is so, with 1 when it has changed, with 2 when it could not be tried. Needs the .NET SDK 10 and a package source.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >held.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Microsoft.ML.OnnxRuntime" Version="1.31.1" />
  </ItemGroup>
</Project>
PROJECT
cat >Program.cs <<'PROGRAM'
using System.Text;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;

Console.WriteLine($"ONNX Runtime {OrtEnv.Instance().GetVersionString()}");
Console.WriteLine($"sequential: {Held(hidden: false, parallel: false)} bytes");
Console.WriteLine($"parallel: {Held(hidden: false, parallel: true)} bytes");
Console.WriteLine($"unknown shapes: {Held(hidden: true, parallel: false)} bytes");

// x, a million numbers: turned twice (wide tensors), summed to one number, its root (the middle), and added to x (wide again).
static long Held(bool hidden, bool parallel)
{
    string first = hidden ? "shapeless" : "x";
    List<byte[]> graph = [];
    if (hidden)
    {
        graph.Add(Node("Reshape", ["x", "target"], "shapeless"));
        graph.Add(Field(5, [.. Number(1, 2), .. Number(2, 7), .. Text(8, "target"), .. Field(9, new byte[16])]));
        graph.Add(Field(11, Value("target", 7, 2)));
    }
    graph.AddRange(Node("Exp", [first], "e"), Node("Transpose", ["e"], "t"), Node("ReduceSum", ["t"], "sum"), Node("Sqrt", ["sum"], "middle"), Node("Add", [first, "middle"], "a"), Node("ReduceMean", ["a"], "y"));
    graph.AddRange(Text(2, "held"), Field(11, Value("x", 1, 1000, 1000)), Field(12, Value("y", 1, 1, 1)));
    byte[] model = [.. Number(1, 8), .. Field(8, Number(2, 13)), .. Field(7, [.. graph.SelectMany(part => part)])];

    using SessionOptions options = new() { EnableProfiling = true, EnableMemoryPattern = false, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
    if (parallel)
        (options.ExecutionMode, options.InterOpNumThreads) = (ExecutionMode.ORT_PARALLEL, 2);
    string profile;
    using (InferenceSession session = new(model, options))
    {
        using OrtValue x = OrtValue.CreateTensorValueFromMemory(new float[1_000_000], [1000, 1000]);
        using RunOptions run = new();
        session.Run(run, ["x"], [x], ["y"]).Dispose();
        profile = session.EndProfiling();
    }
    Dictionary<string, long> inUse = JsonDocument.Parse(File.ReadAllText(profile)).RootElement.EnumerateArray()
        .Where(e => e.GetProperty("name").GetString()!.EndsWith("_kernel_time", StringComparison.Ordinal)).Select(e => e.GetProperty("args"))
        .ToDictionary(e => e.GetProperty("op_name").GetString()!, e => long.Parse(e.GetProperty("mem_bytes_requested_in_use").GetString()!));
    // What is small, and the first wide tensor, are not meant.
    return (inUse["Sqrt"] - inUse["Exp"] + 4_000_000) / 1_000_000 * 1_000_000;
}

static byte[] Node(string type, string[] inputs, string output) => Field(1, [.. inputs.SelectMany(i => Text(1, i)), .. Text(2, output), .. Text(3, output), .. Text(4, type)]);
static byte[] Value(string name, int type, params int[] shape) =>
    [.. Text(1, name), .. Field(2, Field(1, [.. Number(1, type), .. Field(2, [.. shape.SelectMany(d => Field(1, Number(1, d)))])]))];
static byte[] Text(int field, string text) => Field(field, Encoding.UTF8.GetBytes(text));
static byte[] Field(int field, byte[] content) => [.. Varint(field << 3 | 2), .. Varint(content.Length), .. content];
static byte[] Number(int field, int value) => [.. Varint(field << 3), .. Varint(value)];
static byte[] Varint(int value)
{
    List<byte> bytes = [];
    for (; value > 127; value >>= 7)
        bytes.Add((byte)(value | 128));
    return [.. bytes, (byte)value];
}
PROGRAM
dotnet build -c Release -v q --nologo >build.log 2>&1 || { cat build.log; exit 2; }
dotnet exec bin/Release/net10.0/held.dll | tee seen
diff - seen <<'SEEN'
ONNX Runtime 1.31.1
sequential: 4000000 bytes
parallel: 0 bytes
unknown shapes: 0 bytes
SEEN
