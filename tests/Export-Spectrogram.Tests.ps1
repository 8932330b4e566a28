BeforeDiscovery {
    # Another version of SkiaSharp than ours, as another module brings it; asked of the package source.
    $folder = New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "demucsps-$([guid]::NewGuid())")
    Set-Content (Join-Path $folder fetch.csproj) @'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="SkiaSharp;SkiaSharp.NativeAssets.Linux.NoDependencies;SkiaSharp.NativeAssets.Win32;SkiaSharp.NativeAssets.macOS" Version="[2.88.9]" /></ItemGroup>
</Project>
'@
    $null = dotnet restore (Join-Path $folder fetch.csproj) 2>&1
    $packages = $LASTEXITCODE -eq 0 ? ((dotnet nuget locals global-packages --list) -replace '^global-packages: ', '').Trim() : $null
    Remove-Item -Recurse -Force $folder
    $others = @(@{ Packages = $packages; Missing = -not $packages; Name = $packages ? '2.88.9' : '2.88.9, whose package cannot be had' })
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
    $module = Join-Path $root 'output' 'DemucsPS'
    $platform = "$($IsWindows ? 'win' : $IsMacOS ? 'osx' : 'linux')-$("$([Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture)".ToLowerInvariant())"

    # In a process of its own, since assemblies stay loaded.
    function Invoke-Apart([string] $Code) {
        $said = pwsh -NoProfile -NonInteractive -Command "`$ErrorActionPreference = 'Stop'; Set-Location -LiteralPath '$TestDrive'; $Code" 2>&1
        $LASTEXITCODE | Should -Be 0 -Because "$said"
        $said
    }
}

Describe 'Export-Spectrogram' {
    BeforeEach {
        Push-Location -LiteralPath (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))))
        $null = New-NoiseFile (Join-Path (Get-Location).ProviderPath 'noise [1].wav') 30000 5
    }

    AfterEach {
        Pop-Location
    }

    It 'draws PNG and SVG files' {
        $file = Export-Spectrogram 'noise [1].wav' noise.png -Width 400 -Height 300 -PassThru
        $file | Should -BeOfType IO.FileInfo
        [Text.Encoding]::ASCII.GetString([IO.File]::ReadAllBytes($file), 1, 3) | Should -Be 'PNG'
        Get-Item -LiteralPath 'noise [1].wav' | Export-Spectrogram -DestinationPath noise.svg -Width 400 -Height 300 -Title 'A & B'
        ([xml](Get-Content -Raw noise.svg)).DocumentElement.LocalName | Should -Be 'svg'
    }

    It 'replaces a picture only with -Force' {
        Set-Content mine.png mine
        { Export-Spectrogram 'noise [1].wav' mine.png -ErrorAction Stop } | Should -Throw -ErrorId 'PictureExists,DemucsPS.Cmdlets.ExportSpectrogramCommand'
        Get-Content mine.png | Should -Be mine
        Export-Spectrogram 'noise [1].wav' mine.png -Force -WhatIf
        Get-Content mine.png | Should -Be mine
    }

    It 'loads what draws when it draws, out of sight of other modules' {
        $said = Invoke-Apart @"
            Import-Module '$module'
            function Get-Drawing { [Runtime.Loader.AssemblyLoadContext]::All.ForEach{ `$c = `$_; `$c.Assemblies.Where{ `$_.GetName().Name -in 'ScottPlot', 'SkiaSharp' }.ForEach{ "`$(`$c.Name) `$(`$_.GetName().Name)" } } | Sort-Object }
            `$track = Import-AudioTrack '$song'
            "before: `$(Get-Drawing)"
            `$track | Export-Spectrogram -DestinationPath apart.png -Width 400 -Height 300
            "after: `$(Get-Drawing)"
"@
        $said | Should -Be 'before: ', 'after: DemucsPS.OnnxRuntime ScottPlot DemucsPS.OnnxRuntime SkiaSharp'
    }

    It 'draws the same where another module has loaded SkiaSharp <Name>' -ForEach $others {
        if ($Missing) {
            Set-ItResult -Skipped -Because 'the package cannot be had'
            return
        }
        $native = Join-Path $Packages "skiasharp.nativeassets.$($IsWindows ? 'win32' : $IsMacOS ? 'macos' : 'linux.nodependencies')" 2.88.9 runtimes ($IsMacOS ? 'osx' : $platform) native
        $folder = New-Item -ItemType Directory (Join-Path $TestDrive 'Other')
        Copy-Item (Join-Path $Packages skiasharp 2.88.9 lib net6.0 SkiaSharp.dll), (Join-Path $native 'libSkiaSharp.*') $folder
        $said = Invoke-Apart @"
            Add-Type -Path '$(Join-Path $folder SkiaSharp.dll)'
            `$other = [SkiaSharp.SKBitmap]::new(10, 10)
            Import-Module '$module'
            Export-Spectrogram '$song' other.png -Width 400 -Height 300
            "other: `$([SkiaSharp.SKBitmap].Assembly.GetName().Version) `$(`$other.Width) `$([SkiaSharp.SKBitmap]::new(20, 5).ByteCount)"
"@
        $said | Should -Match '^other: 2\.88\.0\.0 10 400$'
        Export-Spectrogram $song same.png -Width 400 -Height 300
        (Get-FileHash (Join-Path $TestDrive other.png)).Hash | Should -Be (Get-FileHash same.png).Hash
    }
}
