# Dot-sourced by the tests of the stages.
. (Join-Path $PSScriptRoot 'NoModels.ps1')
$root = Split-Path $PSScriptRoot
Import-Module (Join-Path $root 'output' 'DemucsPS') -Force
$song = Join-Path $root 'samples' 'mix.wav'
$tiny = Join-Path $PSScriptRoot 'fixtures' 'reference' 'models' 'htdemucs-tiny.onnx'
# Stem k is k + 1 times the mix; segments of 8192 frames.
$small = Join-Path $PSScriptRoot 'fixtures' 'small.onnx'
$segment = 8192

# A 16-bit stereo file of noise.
function New-NoiseFile([string] $Path, [int] $Frames, [int] $Seed) {
    $data = [byte[]]::new(4 * $Frames)
    [Random]::new($Seed).NextBytes($data)
    $null = New-Item -ItemType Directory -Force (Split-Path $Path)
    $writer = [IO.BinaryWriter]::new([IO.File]::Create($Path))
    $writer.Write([Text.Encoding]::ASCII.GetBytes('RIFF'))
    $writer.Write([int](36 + $data.Length))
    $writer.Write([Text.Encoding]::ASCII.GetBytes('WAVEfmt '))
    $writer.Write([int]16); $writer.Write([int16]1); $writer.Write([int16]2); $writer.Write([int]44100); $writer.Write([int]176400); $writer.Write([int16]4); $writer.Write([int16]16)
    $writer.Write([Text.Encoding]::ASCII.GetBytes('data'))
    $writer.Write([int]$data.Length)
    $writer.Write($data)
    $writer.Dispose()
    $Path
}

function New-NoiseTrack([int] $Frames, [int] $Seed, [string] $Name = 'noise') {
    $random = [Random]::new($Seed)
    $samples = 0, 1 | ForEach-Object { , [float[]]@(for ($i = 0; $i -lt $Frames; $i++) { $random.NextSingle() * 2 - 1 }) }
    [DemucsPS.Engine.Tracks.AudioTrack]::FromSamples($Name, $samples[0], $samples[1])
}

# Sessions of ONNX Runtime that are not released, in this process. What speaks to it is loaded on first use, into a context of its own.
function Get-NativeObjectCount {
    $runtime = [AppDomain]::CurrentDomain.GetAssemblies().Where{ $_.GetName().Name -eq 'DemucsPS.OnnxRuntime' }
    $runtime ? $runtime[0].GetType('DemucsPS.OnnxRuntime.SessionHandle').GetProperty('Live').GetValue($null) : 0
}

# Of stems; the provenance, which only Invoke-DemucsSeparation writes, has the date in it.
function Get-Hashes([string] $Folder) {
    Get-ChildItem -Recurse -File -Force $Folder -Exclude *demucsps.json | Sort-Object FullName | ForEach-Object { "$([IO.Path]::GetRelativePath((Resolve-Path $Folder).ProviderPath, $_.FullName)) $((Get-FileHash $_.FullName).Hash)" }
}
