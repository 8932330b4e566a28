#!/usr/bin/env bash
# onnxruntime-ep-openvino 1.8.1 (OpenVINO 2026.4's CPU plug-in with oneDNN 3.13) under ONNX Runtime 1.31.1, in bfloat16 on a processor with AMX: convolutions along one axis give something else than
# their sums for some numbers of channels, without any message.
#
# One Conv with a kernel of 8, random weights and signal, 4,000 numbers a channel, twice as many channels out as in. bfloat16 is the provider's default on such processors; the same graph with the precision
# hint f32 is right, and so is the same convolution over a plane whose other axis has a length above 1.
#
# Expected:                                     every one agrees with the CPU provider to about 53 dB, which is what rounding to eight bits leaves
# Seen (.NET 10, Linux x64, 2026-11-30):        8 and 12 channels in steps of 1, 16 and 24 channels in steps of 4 agree to 0 dB or less, that is not at all; 32 and 48 channels are right
#
# The wheel comes from the Python package index; OPENVINO_WHEEL names one that is here already.
# Exits with 0 while that is so, with 1 when it has changed, with 2 when it could not be tried. Needs the .NET SDK 10, unzip, a package source, and a processor with AMX.
set -eu
grep -qm1 amx_bf16 /proc/cpuinfo || { echo "This processor has no AMX for bfloat16."; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
wheel=${OPENVINO_WHEEL:+$(realpath "$OPENVINO_WHEEL")}
cd "$folder"
if [ -z "$wheel" ]; then
  python3 -m pip download --quiet --no-deps onnxruntime-ep-openvino==1.8.1 || exit 2
  wheel=$(echo onnxruntime_ep_openvino-*.whl)
fi
unzip -q "$wheel" -d wheel || exit 2
library=$(find "$folder/wheel" -name libonnxruntime_providers_openvino_plugin.so)
cat >convolution.csproj <<'PROJECT'
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
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.OnnxRuntime;

const int Kernel = 8, Length = 4000;
OrtEnv env = OrtEnv.Instance();
env.RegisterExecutionProviderLibrary("openvino", args[0]);
OrtEpDevice device = env.GetEpDevices().First(d => d.EpName == "OpenVINOExecutionProvider" && d.HardwareDevice.Type == OrtHardwareDeviceType.CPU);
Console.WriteLine($"ONNX Runtime {env.GetVersionString()}");
foreach (string precision in (string[])["f32", "bf16"])
{
    foreach ((int channels, int step) in ((int, int)[])[(8, 1), (12, 1), (16, 4), (24, 4), (32, 4), (48, 4)])
        Console.WriteLine($"{precision}, {channels} channels in steps of {step}: {(Agreement(channels, step, precision) > 40 ? "right" : "wrong")}");
}

double Agreement(int channels, int step, string precision)
{
    Random random = new(1);
    float[] x = Noise(channels * Length), weights = Noise(2 * channels * channels * Kernel);
    int results = (Length - Kernel) / step + 1;
    List<byte[]> graph =
    [
        Field(1, [.. Text(1, "x"), .. Text(1, "w"), .. Text(2, "y"), .. Text(4, "Conv"), .. Attribute("kernel_shape", Kernel), .. Attribute("strides", step)]),
        Text(2, "convolution"),
        Field(5, [.. Number(1, 2 * channels), .. Number(1, channels), .. Number(1, Kernel), .. Number(2, 1), .. Text(8, "w"), .. Field(9, MemoryMarshal.AsBytes(weights.AsSpan()).ToArray())]),
        Field(11, Value("x", channels, Length)),
        Field(12, Value("y", 2 * channels, results)),
    ];
    byte[] model = [.. Number(1, 8), .. Field(8, Number(2, 13)), .. Field(7, [.. graph.SelectMany(part => part)])];
    float[] expected = Run(new SessionOptions()), actual;
    using (SessionOptions options = new())
    {
        options.AppendExecutionProvider(env, [device], new Dictionary<string, string> { ["load_config"] = $$$"""{"CPU": {"INFERENCE_PRECISION_HINT": "{{{precision}}}"}}""" });
        actual = Run(options);
    }
    return 10 * Math.Log10(expected.Sum(v => (double)v * v) / expected.Zip(actual, (a, b) => ((double)a - b) * ((double)a - b)).Sum());

    float[] Noise(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];

    float[] Run(SessionOptions options)
    {
        using InferenceSession session = new(model, options);
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(x, [1, channels, Length]);
        using RunOptions run = new();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, ["x"], [input], ["y"]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}

static byte[] Attribute(string name, int value) => Field(5, [.. Text(1, name), .. Number(8, value), .. Number(20, 7)]);
static byte[] Value(string name, int channels, int length) =>
    [.. Text(1, name), .. Field(2, Field(1, [.. Number(1, 1), .. Field(2, [.. Axis(1), .. Axis(channels), .. Axis(length)])]))];
static byte[] Axis(int length) => Field(1, Number(1, length));
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
dotnet exec bin/Release/net10.0/convolution.dll "$library" | tee seen
diff - seen <<'SEEN'
ONNX Runtime 1.31.1
f32, 8 channels in steps of 1: right
f32, 12 channels in steps of 1: right
f32, 16 channels in steps of 4: right
f32, 24 channels in steps of 4: right
f32, 32 channels in steps of 4: right
f32, 48 channels in steps of 4: right
bf16, 8 channels in steps of 1: wrong
bf16, 12 channels in steps of 1: wrong
bf16, 16 channels in steps of 4: wrong
bf16, 24 channels in steps of 4: wrong
bf16, 32 channels in steps of 4: right
bf16, 48 channels in steps of 4: right
SEEN
