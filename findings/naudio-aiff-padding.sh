#!/usr/bin/env bash
# NAudio.Core 3.3.0, AiffFileReader: the byte that fills up an AIFF sound chunk of odd size is read as sound.
#
# An AIFF chunk whose content has an odd number of bytes is followed by one zero byte that its size does not count (Apple's AIFF 1.3, "Chunks"). Such sound chunks are common:
# mono of 8 or 24 bits with an odd number of frames. The reader's Length counts the filling byte.
#
# Expected, and what ffmpeg and SoX read:       1001 frames of 8 bits, 3003 bytes of 1001 frames of 24 bits.
# Seen (.NET 10, Linux x64, 2026-11-28):         8 bit: 1002 frames, the last one silence that the file does not have
#                                               24 bit: 3004 bytes, no whole number of frames
# With an even number of bytes (1000 frames) both are right.
#
# What follows for a program that uses it: take the number of frames from the common chunk, and stop there.
#
# Exits with 0 while that is so, with 1 when it has changed, with 2 when it could not be tried. Needs the .NET SDK 10 and a package source.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >aiff.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="NAudio.Core" Version="3.3.0" />
  </ItemGroup>
</Project>
PROJECT
cat >Program.cs <<'PROGRAM'
using System.Buffers.Binary;
using NAudio.Wave;

Console.WriteLine($"NAudio.Core {typeof(AiffFileReader).Assembly.GetName().Version}");
foreach ((int bits, int frames) in new[] { (8, 1000), (8, 1001), (24, 1000), (24, 1001) })
{
    byte[] common = new byte[18], sound = new byte[8 + (frames * bits / 8)];
    BinaryPrimitives.WriteInt16BigEndian(common, 1);
    BinaryPrimitives.WriteInt32BigEndian(common.AsSpan(2), frames);
    BinaryPrimitives.WriteInt16BigEndian(common.AsSpan(6), (short)bits);
    // 44,100 as a float of 80 bits.
    BinaryPrimitives.WriteInt16BigEndian(common.AsSpan(8), 16383 + 15);
    BinaryPrimitives.WriteUInt64BigEndian(common.AsSpan(10), 44100UL << 48);
    sound.AsSpan(8).Fill(100);
    using AiffFileReader reader = new(new MemoryStream(Chunk("FORM", [.. "AIFF"u8, .. Chunk("COMM", common), .. Chunk("SSND", sound)])));
    Console.WriteLine($"{bits} bit, {frames} frames: {reader.Length} bytes, {reader.SampleCount} frames");
}

static byte[] Chunk(string name, byte[] content)
{
    byte[] size = new byte[4];
    BinaryPrimitives.WriteInt32BigEndian(size, content.Length);
    return [.. System.Text.Encoding.ASCII.GetBytes(name), .. size, .. content, .. new byte[content.Length % 2]];
}
PROGRAM
dotnet build -c Release -v q --nologo >build.log 2>&1 || { cat build.log; exit 2; }
dotnet exec bin/Release/net10.0/aiff.dll | tee seen
diff - seen <<'SEEN'
NAudio.Core 3.3.0.0
8 bit, 1000 frames: 1000 bytes, 1000 frames
8 bit, 1001 frames: 1002 bytes, 1002 frames
24 bit, 1000 frames: 3000 bytes, 1000 frames
24 bit, 1001 frames: 3004 bytes, 1001 frames
SEEN
