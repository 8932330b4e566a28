# Dot-sourced by the tests of the model cmdlets: a models folder of its own, and a catalog with the model 'tiny' (tests/fixtures/small.onnx) and the bag 'pair'.
. (Join-Path $PSScriptRoot 'NoModels.ps1')
$root = Split-Path $PSScriptRoot
Import-Module (Join-Path $root 'output' 'DemucsPS') -Force
$small = Join-Path $PSScriptRoot 'fixtures' 'small.onnx'
$tiny = Join-Path $PSScriptRoot 'fixtures' 'reference' 'models' 'htdemucs-tiny.onnx'

function New-Library {
    $folder = (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid().ToString('N')))).FullName
    $env:DEMUCSPS_MODELS = Join-Path $folder 'models'
    $env:DEMUCSPS_CATALOG = Join-Path $folder 'catalog.json'
    $stems = 'drums', 'bass', 'other', 'vocals'
    $file = @{ url = 'https://models.invalid/small.onnx'; size = (Get-Item $small).Length; sha256 = (Get-FileHash $small).Hash }
    $models = foreach ($name in 'tiny', 'other') {
        @{ name = $name; stems = $stems; segment = 8192; license = 'Only for tests.'; files = , ($file + @{ name = "$name.onnx" }) }
    }
    $models += @{ name = 'pair'; stems = $stems; segment = 8192; bag = @{ model = 'tiny'; weights = 1, 1, 1, 0 }, @{ model = 'other'; weights = 0, 0, 0, 1 } }
    @{ version = 1; models = $models } | ConvertTo-Json -Depth 9 | Set-Content $env:DEMUCSPS_CATALOG
    $folder
}
