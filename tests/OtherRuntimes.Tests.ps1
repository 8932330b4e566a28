# Other modules that bring Microsoft.ML.OnnxRuntime, too, in the same PowerShell: each in a process of its own, since assemblies stay loaded as long as that lives.

BeforeDiscovery {
    $pinned = [regex]::Match((Get-Content -Raw (Join-Path $PSScriptRoot .. Directory.Packages.props)), '"Microsoft\.ML\.OnnxRuntime" Version="([^"]+)"').Groups[1].Value
    # Another version than ours, which is asked of the package source; ours is there from the build.
    $versions = '1.30.0', $pinned
    $folder = New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "demucsps-$([guid]::NewGuid())")
    $packages = @{}
    foreach ($version in $versions) {
        Set-Content (Join-Path $folder fetch.csproj) @"
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="Microsoft.ML.OnnxRuntime;Microsoft.ML.OnnxRuntime.Managed" Version="[$version]" /></ItemGroup>
</Project>
"@
        $null = dotnet restore (Join-Path $folder fetch.csproj) 2>&1
        if ($LASTEXITCODE -eq 0) {
            $packages[$version] = ((dotnet nuget locals global-packages --list) -replace '^global-packages: ', '').Trim()
        }
    }
    Remove-Item -Recurse -Force $folder
    $others = foreach ($version in $versions) {
        @{ Version = $version; Packages = $packages[$version]; Missing = -not $packages[$version]; Name = $packages[$version] ? $version : "$version, whose package cannot be had" }
    }
}

BeforeAll {
    . (Join-Path $PSScriptRoot NoModels.ps1)
    $root = Split-Path $PSScriptRoot
    $platform = "$($IsWindows ? 'win' : $IsMacOS ? 'osx' : 'linux')-$("$([Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture)".ToLowerInvariant())"
    $library = $IsWindows ? 'onnxruntime.dll' : $IsMacOS ? 'libonnxruntime.dylib' : 'libonnxruntime.so'

    # A module as others write them: it refers to the package, with all beside it.
    function New-OtherModule([string] $Version, [string] $Packages) {
        $folder = New-Item -ItemType Directory -Force (Join-Path $TestDrive "Other$Version")
        Copy-Item (Join-Path $Packages microsoft.ml.onnxruntime.managed $Version lib net8.0 Microsoft.ML.OnnxRuntime.dll), (Join-Path $root output DemucsPS System.Numerics.Tensors.dll),
            (Join-Path $Packages microsoft.ml.onnxruntime $Version runtimes $platform native $library) $folder
        Set-Content (Join-Path $folder Other.psm1) @'
Add-Type -Path (Join-Path $PSScriptRoot Microsoft.ML.OnnxRuntime.dll)
function Invoke-OtherModel([string] $Path) {
    $session = [Microsoft.ML.OnnxRuntime.InferenceSession]::new($Path)
    $values = [Collections.Generic.List[Microsoft.ML.OnnxRuntime.NamedOnnxValue]]::new()
    foreach ($name in $session.InputNames) {
        $tensor = [Microsoft.ML.OnnxRuntime.Tensors.DenseTensor[float]]::new([int[]]$session.InputMetadata[$name].Dimensions, $false)
        $values.Add([Microsoft.ML.OnnxRuntime.NamedOnnxValue]::CreateFromTensor[float]($name, $tensor))
    }
    $results = $session.Run($values)
    "other: $([Microsoft.ML.OnnxRuntime.OrtEnv]::Instance().GetVersionString()) gave $($results.Count)"
    $results.Dispose()
    $session.Dispose()
}
Export-ModuleMember -Function Invoke-OtherModel
'@
        Join-Path $folder Other.psm1
    }

    # Runs lines of PowerShell in a process of their own and gives what they say.
    function Invoke-Apart([string] $Code) {
        $preamble = "`$ErrorActionPreference = 'Stop'; Set-Location -LiteralPath '$TestDrive'
            function Invoke-Ours {
                `$result = Invoke-DemucsSeparation '$root/samples/mix.wav' -Stem bass -BitDepth 32 -DestinationPath `"`$([guid]::NewGuid())`" -WarningAction Ignore
                `"ours: `$((Get-FileHash `$result.Stems.FilePath).Hash)`"
            }`n"
        @(pwsh -NoProfile -NonInteractive -Command ($preamble + $Code) 2>&1 | ForEach-Object { "$_" })
    }

    $module = Join-Path $root output DemucsPS
    $model = Join-Path $root tests fixtures small.onnx
    $alone = @(Invoke-Apart "Import-Module '$module'; Invoke-Ours")
}

Describe 'DemucsPS beside another module with ONNX Runtime' {
    It 'works alone' {
        $alone | Should -HaveCount 1
        $alone | Should -Match '^ours: [0-9A-F]{64}$'
    }

    It 'works where one has run a model before (<Name>)' -ForEach $others -Skip:$Missing {
        $other = New-OtherModule $Version $Packages
        Invoke-Apart "Import-Module '$other'; Invoke-OtherModel '$model'; Import-Module '$module'; Invoke-Ours; Invoke-OtherModel '$model'" |
            Should -Be "other: $Version gave 2", $alone[0], "other: $Version gave 2"
    }

    It 'lets one run a model afterwards (<Name>)' -ForEach $others -Skip:$Missing {
        $other = New-OtherModule $Version $Packages
        Invoke-Apart "Import-Module '$module'; Invoke-Ours; Import-Module '$other'; Invoke-OtherModel '$model'; Invoke-Ours" |
            Should -Be $alone[0], "other: $Version gave 2", $alone[0]
    }

    It 'works with one in a second runspace, and when it is imported again (<Name>)' -ForEach $others -Skip:$Missing {
        $other = New-OtherModule $Version $Packages
        $said = Invoke-Apart "Import-Module '$other'; Invoke-OtherModel '$model'
            `$own = `${function:Invoke-Ours}.ToString()
            1..2 | ForEach-Object -ThrottleLimit 2 -Parallel { Import-Module '$module'; & ([scriptblock]::Create(`$using:own)) }
            Import-Module '$module'; Invoke-Ours; Remove-Module DemucsPS; Import-Module '$module'; Invoke-Ours"
        $said | Should -Be "other: $Version gave 2", $alone[0], $alone[0], $alone[0], $alone[0]
    }

    It 'keeps to itself what touches the runtime, and nothing else' {
        Invoke-Apart "Import-Module '$module'; `$null = Invoke-Ours
            `$of = { param(`$name) [AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { `$_.GetName().Name -eq `$name } | ForEach-Object { [Runtime.Loader.AssemblyLoadContext]::GetLoadContext(`$_).Name } }
            foreach (`$name in 'DemucsPS', 'DemucsPS.Engine', 'DemucsPS.OnnxRuntime', 'Microsoft.ML.OnnxRuntime') { `"`$name in `$(& `$of `$name)`" }
            [DemucsPS.Engine.Inference.ExecutionProvider]::Cpu; [DemucsPS.Engine.Inference.OnnxSessionOptions].Name" |
            Should -Be 'DemucsPS in Default', 'DemucsPS.Engine in Default', 'DemucsPS.OnnxRuntime in DemucsPS.OnnxRuntime', 'Microsoft.ML.OnnxRuntime in DemucsPS.OnnxRuntime', 'Cpu', 'OnnxSessionOptions'
    }

    It 'refuses a library that is too old in words, and takes another one then (<Name>)' -ForEach $others[0] -Skip:$others[0].Missing {
        $old = Join-Path $Packages microsoft.ml.onnxruntime $Version runtimes $platform native $library
        $said = Invoke-Apart "Import-Module '$module'; `$env:DEMUCSPS_ONNXRUNTIME = '$old'
            try { Invoke-Ours } catch { `$_.FullyQualifiedErrorId; `"`$_`" }
            `$env:DEMUCSPS_ONNXRUNTIME = ''; Invoke-Ours"
        $said | Should -HaveCount 3
        $said[0] | Should -BeLike 'OnnxRuntimeUnavailable,*'
        $said[1] | Should -BeExactly "'$old' is ONNX Runtime $Version. Version 1.31 or newer is required."
        $said[2] | Should -Be $alone[0]
    }
}
