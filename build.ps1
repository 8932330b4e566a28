#!/usr/bin/env pwsh
<#
.SYNOPSIS
    Builds, tests or packages DemucsPS. It calls dotnet; everything it does can be done without it.
.DESCRIPTION
    Build    dotnet build; the module is then in output/DemucsPS.
    Test     dotnet test and the Pester suite.
    Coverage Which lines dotnet test runs, as a table and in output/coverage.
    Package  The module with the native libraries of the asked platforms, as a folder and a zip file in output/package.
.EXAMPLE
    ./build.ps1 Package -Platform win-x64, linux-x64
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Test', 'Coverage', 'Package')]
    [string] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',

    # Platforms whose native ONNX Runtime goes into the package; all by default.
    [ValidateSet('win-x64', 'win-arm64', 'linux-x64', 'linux-arm64', 'osx-arm64')]
    [string[]] $Platform = @('win-x64', 'win-arm64', 'linux-x64', 'linux-arm64', 'osx-arm64')
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest

function Invoke-Dotnet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) {
        throw "dotnet $($args -join ' ') ended with $LASTEXITCODE."
    }
}

Push-Location -LiteralPath $PSScriptRoot
try {
    switch ($Task) {
        'Build' {
            Invoke-Dotnet build -c $Configuration
        }
        'Test' {
            Invoke-Dotnet test -c $Configuration
            # In a process of its own: a module's assemblies stay loaded, and locked on Windows, as long as the process lives.
            & ([Environment]::ProcessPath) -NoProfile -File tests/Invoke-PesterSuite.ps1
            if ($LASTEXITCODE -ne 0) {
                throw 'The Pester suite failed.'
            }
        }
        'Coverage' {
            Invoke-Dotnet build -c $Configuration
            Invoke-Dotnet msbuild tests/Coverage -restore -v:minimal "-p:Build=$Configuration"
        }
        'Package' {
            $version = (Import-PowerShellDataFile DemucsPS.psd1).ModuleVersion
            $folder = Join-Path output package DemucsPS $version
            if (Test-Path $folder) {
                Remove-Item -Recurse $folder
            }
            Invoke-Dotnet build src/DemucsPS -c $Configuration -o $folder "-p:OnnxRuntimePlatforms=$($Platform -join '+')"
            Remove-Item (Join-Path $folder *.pdb), (Join-Path $folder *.deps.json), (Join-Path $folder DemucsPS.Engine.xml), (Join-Path $folder DemucsPS.OnnxRuntime.xml), (Join-Path $folder DemucsPS.MediaFoundation.xml), (Join-Path $folder DemucsPS.Pictures.xml)
            $null = Test-ModuleManifest (Join-Path $folder 'DemucsPS.psd1')
            $zip = Join-Path $PSScriptRoot output package "DemucsPS-$version.zip"
            if (Test-Path $zip) {
                Remove-Item $zip
            }
            [IO.Compression.ZipFile]::CreateFromDirectory((Convert-Path (Join-Path output package DemucsPS)), $zip, 'Optimal', $true)
            Get-Item $zip
        }
    }
}
finally {
    Pop-Location
}
