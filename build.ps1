#!/usr/bin/env pwsh

<#
.SYNOPSIS
    Builds, tests or packages DemucsPS. It calls dotnet; everything it does can be done without it.
.DESCRIPTION
    Build    dotnet build; the module is then in output/DemucsPS.
    Test     dotnet test and the Pester suite, which needs Pester 5: Install-PSResource Pester.
    Coverage Which lines dotnet test runs, as a table and in output/coverage.
    Pack     The module for PowerShell's gallery, in output/packages/gallery (as a folder in output/module, too); the .NET tool and the engine as a library, in output/packages/nuget.
    Archive  The console program with its .NET for each platform, as archives in output/archives with their SHA-256 and manifests of package managers.
    Two builds of a commit give equal files; both take the time in SOURCE_DATE_EPOCH, or the commit's.
.EXAMPLE
    ./build.ps1 Pack -Part Module -Platform win-x64, linux-x64
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Test', 'Coverage', 'Pack', 'Archive')]
    [string] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',

    # Which packages Pack makes; all by default.
    [ValidateSet('Module', 'Tool', 'Library')]
    [string[]] $Part = @('Module', 'Tool', 'Library'),

    # Where the project is, for the addresses in packages, such as https://github.com/OWNER/NAME; in a hosted workflow its own by default. Without it packages have no such addresses.
    [string] $RepositoryUrl = $(if ($env:GITHUB_REPOSITORY) { "$env:GITHUB_SERVER_URL/$env:GITHUB_REPOSITORY" }),

    # Signs the module's catalog file, which can be made on Windows.
    [Security.Cryptography.X509Certificates.X509Certificate2] $Certificate,

    # Platforms that packages and archives are for; all by default.
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

$epoch = $env:SOURCE_DATE_EPOCH
Push-Location -LiteralPath $PSScriptRoot
try {
    switch ($Task) {
        'Build' {
            Invoke-Dotnet build -c $Configuration
        }
        'Test' {
            # Said now, and not after minutes of tests.
            if (-not (Get-Module -ListAvailable Pester | Where-Object Version -GE 5.0.0)) {
                throw 'The Pester suite needs Pester 5: Install-PSResource Pester. Without it: dotnet test.'
            }
            Invoke-Dotnet test -c $Configuration
            # In a process of its own: a module's assemblies stay loaded, and locked on Windows, as long as the process lives.
            $program, $itself = [Environment]::ProcessPath, @()
            if ((Split-Path -LeafBase $program) -eq 'dotnet') {
                # PowerShell as a .NET tool.
                $itself = 'exec', (Join-Path $PSHOME pwsh.dll)
            }
            & $program @itself -NoProfile -File tests/Invoke-PesterSuite.ps1
            if ($LASTEXITCODE -ne 0) {
                throw 'The Pester suite failed.'
            }
        }
        'Coverage' {
            Invoke-Dotnet build -c $Configuration
            Invoke-Dotnet msbuild tests/Coverage -restore -v:minimal "-p:Build=$Configuration"
        }
        { $_ -in 'Pack', 'Archive' } {
            . ./packaging/Zip.ps1
            . ./packaging/Packages.ps1
            . ./packaging/Archives.ps1
            if ($RepositoryUrl -and $RepositoryUrl -notmatch '^https://[^\s''"<>&;]+[^/]$') {
                throw "-RepositoryUrl is '$RepositoryUrl'; give an address such as https://github.com/OWNER/NAME."
            }
            if (-not $RepositoryUrl) {
                Write-Warning 'Packages name no address of the project, and manifests of package managers are not written: give -RepositoryUrl.'
            }
            $Version = (Import-PowerShellDataFile DemucsPS.psd1).ModuleVersion
            # Paths in assemblies are those of the repository, not of this machine.
            $ReleaseOptions = '-p:ContinuousIntegrationBuild=true', '--nologo', '-v:q'
            $env:SOURCE_DATE_EPOCH = (Get-SourceTime).ToUnixTimeSeconds()
        }
        'Pack' {
            # Apart: the module's and the tool's package have one name but for the case, which is one file on Windows.
            $gallery, $nuget = 'gallery', 'nuget' | ForEach-Object { (New-Item -ItemType Directory -Force (Join-Path output packages $_)).FullName }
            switch ($Part) {
                'Module' { New-GalleryPackage $gallery $Platform $RepositoryUrl }
                'Tool' { New-ToolPackage $nuget $Platform $RepositoryUrl }
                'Library' { New-LibraryPackage $nuget $RepositoryUrl }
            }
        }
        'Archive' {
            New-Archive (New-Item -ItemType Directory -Force (Join-Path output archives)).FullName $Platform $RepositoryUrl
        }
    }
}
finally {
    $env:SOURCE_DATE_EPOCH = $epoch
    Pop-Location
}
