#!/usr/bin/env bash
# ONNX Runtime 1.31.1, Linux: telemetry leaves files in the home folder before a program can switch it off.
#
# DisableTelemetryEvents is a method of the environment, and making the environment is what sets telemetry up: a device number and a database appear in ~/.cache/Microsoft/DeveloperTools/.onnxruntime.
# Only a variable of the process, ORT_DISABLE_TELEMETRY, keeps it from that, and .NET's Environment.SetEnvironmentVariable does not reach the library on Unix.
#
# Expected:                            no file where the first thing that is called is DisableTelemetryEvents
# Seen (.NET 10, Linux x64, 2026-11-29): deviceid and onnxruntime.db
#   with ORT_DISABLE_TELEMETRY=1       no file
#
# Exits with 0 while that is so, with 1 when it has changed, with 2 when it could not be tried. Needs the .NET SDK 10 and a package source.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >left.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Microsoft.ML.OnnxRuntime" Version="1.31.1" />
  </ItemGroup>
</Project>
PROJECT
cat >Program.cs <<'PROGRAM'
Microsoft.ML.OnnxRuntime.OrtEnv.Instance().DisableTelemetryEvents();
System.Threading.Thread.Sleep(2000);
PROGRAM
dotnet build -c Release -v q --nologo || exit 2

# Files that are in an empty home folder afterwards.
left() {
  mkdir "$1"
  env -u XDG_CACHE_HOME HOME="$folder/$1" DOTNET_ROOT="${DOTNET_ROOT:-}" ORT_DISABLE_TELEMETRY="$2" dotnet exec bin/Release/net10.0/left.dll || exit 2
  find "$1" -path '*onnxruntime*' -type f | sort
}
by_default=$(left by-default "")
switched_off=$(left switched-off 1)
printf 'by default:\n%s\nwith ORT_DISABLE_TELEMETRY=1:\n%s\n' "$by_default" "$switched_off"
[ -n "$by_default" ] && [ -z "$switched_off" ]
